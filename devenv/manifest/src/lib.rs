//! Reads a project's files (`devenv.toml`, the Compose file, the files of resources, the seeds), joins them into one checked
//! [`devenv_model::manifest::Manifest`], and gives every mistake its place.
//!
//! [`load`] reads the files from disk; everything else works on texts in memory. The command line renders the mistakes.

mod check;
mod compose;
mod compose_build;
mod compose_context;
mod compose_execution;
mod compose_fields;
mod compose_files;
mod compose_keys;
mod compose_mounts;
mod compose_networks;
mod compose_reader;
mod compose_resources;
mod compose_security;
mod compose_values;
mod databases;
mod endpoint;
mod image;
mod image_reference;
mod promotion;
mod read_settings;
mod replaced;
mod schema;

pub mod assemble;
pub mod compose_model;
#[cfg(fuzzing)]
pub mod fuzz;
pub mod load;
pub mod settings;
