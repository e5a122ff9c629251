//! The programs of units: whether they are newer than their sources, how they are built, and what was built before.

pub mod builds;
pub mod cargo;
pub mod error;
pub mod fingerprint;
