//! The programs and images of units: whether they are up to date, how they are built, and the memory of earlier builds.

mod dockerignore;

pub mod builds;
pub mod bundled;
pub mod cargo;
pub mod command_build;
pub mod compilation;
pub mod contents;
pub mod context;
pub mod error;
pub mod fingerprint;
pub mod freshness;
pub mod gitignore;
pub mod pattern;
pub mod repository;
pub mod static_link;
pub mod terraform;
pub mod tree;
