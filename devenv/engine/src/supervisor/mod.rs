//! The supervisor: a small process that keeps the units of one environment alive and answers on a socket.
//!
//! It decides nothing about the environment. A command observes, plans and asks; the supervisor starts, stops, probes,
//! restarts what died, and writes the logs, as a container engine would.

mod answers;
mod door;
mod holders;
mod keeper;
mod leftovers;
mod listeners;
mod log;
mod log_file;
mod place;
mod readiness;
mod server;
mod spawn;

pub(crate) use leftovers::{call_for_files, end, find, lost_supervisor};
pub use server::{SuperviseOptions, supervise};
