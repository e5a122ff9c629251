//! The commands on an environment.
//!
//! A command takes one look (`snapshot`), derives the wanted units (`desired`), gets the plan from `devenv-model`, and executes it
//! (`execute`, `perform`). A [`devenv_runtime::Runtime`] runs the units, on a host that the command line passes in.

mod attachment;
mod command_lock;
mod control;
mod data;
mod databases;
mod desired;
mod down;
mod effects;
mod environment;
mod error;
mod exec;
mod execute;
mod logs;
mod notices;
mod perform;
mod ports;
mod ps;
mod resolve;
mod snapshot;
mod status;
mod unit_action;
mod up;

pub mod test_environments;

pub use attachment::Attachment;
pub use control::{Control, control};
pub use data::{reset, seed};
pub use databases::databases;
pub use down::{Down, DownOptions, down};
pub use environment::{environment, function_host, queues, resources, running_ports};
pub use error::Error;
pub use exec::exec;
pub use logs::{log_files, logs};
pub use ports::{any_free_port, is_port_free};
pub use ps::{RunningUnit, ps};
pub use resolve::own_emulator;
pub use status::status;
pub use unit_action::{UnitAction, unit};
pub use up::{Up, UpOptions, plan, up};
