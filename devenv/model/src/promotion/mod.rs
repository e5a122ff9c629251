//! The pure decisions of a promotion: which changes Terraform may make, when a release is live, which run holds the lock, and
//! what the records mean.

pub mod changes;
pub mod ecs;
pub mod format;
pub mod id;
pub mod lease;
pub mod pointer;
pub mod proposal;
pub mod record;
pub mod required;
pub mod rollout;
pub mod standing;
pub mod state_lock;
