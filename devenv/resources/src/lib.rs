//! The resources of an emulated AWS: observes, creates, seeds and resets each kind over AWS's own protocols.
//!
//! [`provider`] is the trait that each kind implements; [`resources`] calls the providers of one environment.
//!
//! The crate does without the AWS SDK and its credentials and profiles, because local commands must never reach AWS: an
//! [`endpoint`] is always on this machine.

#[cfg(test)]
mod fake;

mod http;
mod levels;
mod query_wire;
mod xml;

pub mod applied;
pub mod chosen_emulator;
pub mod dynamo;
pub mod emulator_ports;
pub mod endpoint;
pub mod error;
pub mod function_host;
pub mod json_wire;
pub mod listed;
pub mod messaging;
pub mod provider;
pub mod resources;
pub mod variables;
