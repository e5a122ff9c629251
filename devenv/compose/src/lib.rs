//! Reads Compose files as `docker compose` does: several files, `include`, `extends`, merge tags, profiles, variables and their
//! files give one model in long forms, in which every value keeps its place in the file that it comes from.
//!
//! [`load::load`] reads a model from the disk or from memory, [`mod@print`] writes it as `docker compose config` does.
//! `docs/compose.md` lists the differences.

mod canonical;
mod check;
mod collections;
mod defaults;
mod discover;
mod dotenv;
mod environment;
mod forms;
mod keys;
mod layer;
mod merge;
mod mounts;
mod names;
mod node;
mod paths;
mod references;
mod shape;
mod sources;
mod values;

pub mod files;
pub mod interpolate;
pub mod known_keys;
pub mod load;
pub mod print;
