//! Obligations of environments of containers, each on a real engine.

mod any_project;
mod compose;
mod crashes;
mod databases;
mod dockerfiles;
pub(crate) mod engine;
mod environment;
mod functions;
mod images;
mod lifetimes;
mod messaging;
mod mistakes;
mod own_engine;
mod project;
