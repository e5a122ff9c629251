//! The manifest as a person meets it: this repository's own files, and every mistake with the place it is shown at.

mod mistakes;
mod repository;
mod sources;
