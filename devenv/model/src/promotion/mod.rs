//! A promotion, as far as it can be decided without touching the world: what Terraform may change, when a release is
//! live, who may promote, what is written down, and what follows from it.

mod changes;
mod ecs;
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
pub use ecs::{Deployment, Rollout, ServiceState, TaskContainer, TaskState, Wanted, ended, view};
pub use format::FormatError;
pub use id::{compare_ids, next_id};
pub use lease::{Lease, Sight, Watch};
pub use pointer::Pointer;
pub use proposal::{ImageChange, Proposal};
pub use record::{Kind, Outcome, Record, Release, ReleasedImage, Step};
pub use required::{Differs, Disagreement, agreed};
pub use rollout::{ContainerEnd, Doubt, Judged, RolloutFailure, RolloutView, WantedRelease, judge};
pub use standing::Standing;
pub use state_lock::{LockVerdict, StateLock, judge_lock, lock_lines};
