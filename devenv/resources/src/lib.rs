//! The resources of an emulated AWS: how each kind is observed, made, seeded and reset over AWS's own protocols.
//!
//! [`provider`] is the trait that each kind implements; [`resources`] calls the providers of one environment.
//!
//! It keeps the AWS SDK, with its credentials and profiles, out of the tool that must never reach AWS: an [`endpoint`] is on
//! this machine, or it cannot be made.

mod dynamo;
#[cfg(test)]
mod fake;

pub mod endpoint;
pub mod error;
pub mod provider;
pub mod resources;
