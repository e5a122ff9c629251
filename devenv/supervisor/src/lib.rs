//! The supervisor: a small process that keeps the units of one environment alive and answers on a socket.
//!
//! It decides nothing about the environment. A command observes, plans and sends requests ([`client`]); the supervisor
//! ([`server`]) starts, stops, probes and restarts units and writes their logs, like a container engine. Both find each other
//! through the files of a [`state_directory`].

mod answers;
mod door;
mod health_check;
mod holders;
mod listeners;
mod log;
mod log_file;
mod place;
mod readiness;
mod real_path;
mod scram;
mod spawn;
mod stop_signal;
mod surroundings;
mod unit_task;

pub mod client;
pub mod clock;
pub mod environment_facts;
pub mod error;
pub mod exec;
pub mod files;
pub mod leftovers;
pub mod lock;
pub mod log_reader;
pub mod memory;
pub mod port_holder;
pub mod postgres;
pub mod probe;
pub mod protocol;
pub mod restore;
pub mod runtime_directory;
pub mod server;
pub mod state_directory;
pub mod trust;
pub mod unit_spec;
pub mod unwritable;
