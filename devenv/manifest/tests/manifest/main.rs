//! The manifest as a person meets it: this repository's own files, every form that is accepted, and every mistake with
//! the place it is shown at.

mod forms;
mod limits;
mod mistakes;
mod repository;
mod sources;
