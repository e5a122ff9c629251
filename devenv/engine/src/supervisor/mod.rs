//! The supervisor: a small process that keeps the units of one environment alive and answers on a socket.
//!
//! It decides nothing about the environment. A command observes, plans and asks; the supervisor starts, stops, probes,
//! restarts what died, and writes the logs, as a container engine would.

mod keeper;
mod leftovers;
mod log_file;
mod server;
mod spawn;

pub(crate) use leftovers::{end, find};
pub use server::{SuperviseOptions, supervise};
