//! The manifest from a user's view: this repository's own files, every accepted form, and every mistake with its place.

mod containers;
mod databases;
mod forms;
mod functions;
mod limits;
mod messaging;
mod mistakes;
mod mutations;
mod repository;
mod sources;
