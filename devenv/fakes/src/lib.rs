//! AWS and a container engine in memory, with faults on request, and a runtime with its project. Every fake of AWS or of an engine in one test
//! shares one [`Faults`]: the script of faults by call, and the list of all calls in order.
//!
//! ```
//! use devenv_cloud::{CloudErrorKind, Condition, Objects};
//! use devenv_fakes::{FakeObjects, Fault, Faults};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let faults = Faults::default();
//! let objects = FakeObjects::new(faults.clone(), ["state"]);
//! faults.on("put lock", 1, Fault::LostAndRetried);
//! let error = objects.put("state", "dev/lock", b"mine".to_vec(), Condition::Absent).await.unwrap_err();
//! assert_eq!(error.kind, CloudErrorKind::Conflict, "the client met its own success");
//! assert_eq!(objects.content("state", "dev/lock").unwrap(), b"mine");
//! # });
//! ```

mod account;
mod ecs;
mod engine;
mod engine_requests;
mod engine_state;
mod fault;
mod identity;
mod objects;
mod registry;
mod runtime;
mod services;
mod terraform;
mod terraform_foundation;

pub use account::FakeAccount;
pub use ecs::{Behaviour, Sidecar};
pub use engine::FakeEngine;
pub use fault::{Fault, Faults};
pub use identity::FakeIdentity;
pub use objects::FakeObjects;
pub use registry::FakeRegistry;
pub use runtime::{FakeProject, FakeRuntime};
pub use services::FakeServices;
pub use terraform::{FakeTerraform, TerraformAnswer};
