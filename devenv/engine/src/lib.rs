//! Effects: everything that touches processes, files, ports and emulators.
//!
//! A command observes the world once ([`Project`], `world`), asks `devenv-model` for the plan, and has it carried out
//! (`execute`). A runtime keeps the units: processes have a [`supervise`]d process of their own, containers a container
//! engine, which this crate knows by a trait only ([`containers`]).

mod any_runtime;
mod attachment;
mod builds;
mod cancel;
mod cargo;
mod choice;
mod data;
mod desired;
mod down;
mod effects;
mod emitter;
mod environment;
mod error;
mod execute;
mod logs;
mod memory;
mod newest;
mod ports;
mod process_runtime;
mod project;
mod status;
mod test;
mod test_environments;
mod test_every;
mod unit_action;
mod up;
mod world;

pub mod containers;
pub mod evidence;
pub mod host;
pub mod input;
pub mod rehearsal;
pub mod repository;
pub mod testing;

pub use attachment::Attachment;
pub use cancel::{Cancel, Canceller};
pub use choice::{RuntimeKind, Wish};
pub use data::{reset, seed};
pub use desired::{aws_environment, own_program};
pub use down::{Down, DownOptions, down};
pub use emitter::Emitter;
pub use environment::environment;
pub use error::Error;
pub use logs::{LogOptions, logs};
pub use project::{Instance, Project, ProjectOptions};
pub use status::status;
pub use test::{TestOptions, TestReport, test};
pub use test_every::{Trial, TrialOutcome, test_every};
pub use unit_action::{UnitAction, unit};
pub use up::{Up, UpOptions, plan, up};
