//! Obligations of environments of containers, each on a real engine.

mod any_project;
mod crashes;
pub(crate) mod engine;
mod environment;
mod images;
mod mistakes;
mod own_engine;
mod project;
