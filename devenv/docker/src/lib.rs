//! Container engines with the Docker Engine API, 1.41 or later: Docker, its derivatives, and Podman.
//!
//! Only this crate finds engines and knows their API.

mod container;
mod discover;
mod engine;
mod error;
mod exec;
mod host_config;
mod mounts;
mod network;
mod place;
mod remedy;
mod stats;

pub use discover::Docker;
