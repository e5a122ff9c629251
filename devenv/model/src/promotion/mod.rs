//! A promotion, as far as it can be decided without touching the world: what Terraform may change, when a release is
//! live, who may promote, what is written down, and what follows from it.

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
