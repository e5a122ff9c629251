//! A promotion, as far as it can be decided without touching the world: what Terraform may change, when a release is
//! live, who may promote, and what is written down.

mod changes;
mod lease;
mod proposal;
mod record;
mod rollout;

pub use changes::{Action, Changes, ResourceChange};
pub use lease::Lease;
pub use proposal::{ImageChange, Proposal};
pub use record::{Kind, Outcome, Record, RecordError, Release, ReleasedImage, Step};
pub use rollout::{
    ContainerEnd, Deployment, Judged, Rollout, RolloutFailure, ServiceState, TaskContainer, TaskState, Wanted, ended,
    judge,
};
