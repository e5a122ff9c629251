//! A promotion, as far as it can be decided without touching the world: what Terraform may change, when a release is
//! live, who may promote, what is written down, and what follows from it.

mod changes;
mod format;
mod id;
mod lease;
mod pointer;
mod proposal;
mod record;
mod required;
mod rollout;
mod standing;
mod state_lock;

pub use changes::{Action, Changes, ResourceChange};
pub use format::FormatError;
pub use id::{compare_ids, next_id};
pub use lease::{Lease, Sight, Watch};
pub use pointer::Pointer;
pub use proposal::{ImageChange, Proposal};
pub use record::{Kind, Outcome, Record, Release, ReleasedImage, Step};
pub use required::{Differs, Disagreement, agreed};
pub use rollout::{
    ContainerEnd, Deployment, Judged, Rollout, RolloutFailure, ServiceState, TaskContainer, TaskState, Wanted, ended,
    judge,
};
pub use standing::Standing;
pub use state_lock::{LockVerdict, StateLock, judge_lock, lock_lines};
