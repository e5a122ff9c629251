//! Effects: everything that touches processes, files, ports and emulators.
//!
//! A command takes one look ([`Project`], `snapshot`), derives the wanted units (`desired`), gets the plan from
//! `devenv-model`, and executes it (`execute`, `perform`). A [`runtime`] runs the units, on a host that the
//! command line passes in.

mod attachment;
mod cancel;
mod chosen_emulator;
mod command_lock;
mod control;
mod data;
mod desired;
mod down;
mod effects;
mod emitter;
mod environment;
mod error;
mod exec;
mod execute;
mod explained;
mod host_error;
mod logs;
mod memory;
mod notices;
mod own_program;
mod perform;
mod ports;
mod project;
mod ps;
mod request;
mod resolve;
mod snapshot;
mod status;
mod unit_action;
mod up;

pub mod processes;
pub mod runtime;
pub mod settle;
pub mod test_environments;

pub use attachment::Attachment;
pub use cancel::{Cancel, Canceller};
pub use control::{Control, control};
pub use data::{reset, seed};
pub use desired::{EMULATOR_IMAGE, OWN_EMULATOR};
pub use devenv_manifest::compose_model::ComposeOptions;
pub use down::{Down, DownOptions, down};
pub use emitter::Emitter;
pub use environment::{environment, queues, resources, running_ports};
pub use error::{Error, LOG_TAIL};
pub use exec::exec;
pub use explained::explained;
pub use logs::{log_files, logs};
pub use own_program::own_program;
pub use ports::is_port_free;
pub use project::{Instance, Project, ProjectOptions};
pub use ps::{RunningUnit, ps};
pub use resolve::own_emulator;
pub use runtime::LogOptions;
pub use status::status;
pub use unit_action::{UnitAction, unit};
pub use up::{Up, UpOptions, plan, up};
