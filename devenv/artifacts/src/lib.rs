//! The programs of units: whether they are up to date, how they are built, and the memory of earlier builds.

pub mod builds;
pub mod cargo;
pub mod compilation;
pub mod error;
pub mod fingerprint;
pub mod freshness;
pub mod repository;
pub mod static_link;
pub mod terraform;
