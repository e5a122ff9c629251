//! Container engines that speak the Docker Engine API, 1.41 or later: Docker itself, what is built on it, and Podman.
//!
//! The only crate that knows how an engine is found and what its API is called.

mod container;
mod discover;
mod engine;
mod error;
mod place;
mod remedy;

pub use discover::Docker;
