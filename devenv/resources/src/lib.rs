//! The resources of an emulated AWS: how each kind is observed, made, seeded and reset over AWS's own protocols.
//!
//! It keeps the AWS SDK, with its credentials and profiles, out of the tool that must never reach AWS: an [`endpoint`] is on
//! this machine, or it cannot be made.

pub mod dynamo;
pub mod endpoint;
pub mod error;
