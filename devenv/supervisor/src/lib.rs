//! The supervisor: a small process that keeps the units of one environment alive and answers on a socket.
//!
//! It decides nothing about the environment. A command observes, plans and sends requests ([`client`]); the supervisor
//! ([`server`]) starts, stops, probes and restarts units and writes their logs, like a container engine. Both find each other
//! through the files of a [`state_directory`].

mod answers;
mod door;
mod holders;
mod listeners;
mod log;
mod log_file;
mod place;
mod readiness;
mod spawn;
mod surroundings;
mod trust;
mod unit_task;

pub mod client;
pub mod clock;
pub mod error;
pub mod exec;
pub mod files;
pub mod leftovers;
pub mod lock;
pub mod log_reader;
pub mod memory;
pub mod port_holder;
pub mod probe;
pub mod protocol;
pub mod restore;
pub mod server;
pub mod state_directory;
pub mod unit_spec;
pub mod unwritable;
