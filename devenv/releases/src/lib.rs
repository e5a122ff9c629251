//! The data types and pure decisions of releases: when one is live, which run holds the lock of a target, and what the records mean.

pub mod ecs;
pub mod format;
pub mod id;
pub mod lease;
pub mod pointer;
pub mod record;
pub mod required;
pub mod rollout;
pub mod standing;
pub mod state_lock;
