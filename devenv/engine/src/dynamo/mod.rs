//! A small client of the DynamoDB wire protocol.
//!
//! A table file *is* the `CreateTable` input, and is sent as it was written instead of through a mapping that could lose
//! a field. It also keeps the AWS SDK, with its credentials and profiles, out of the tool that must never reach AWS.

mod difference;
mod endpoint;
mod error;
mod store;
mod wire;

pub use endpoint::Endpoint;
pub use error::Error;
pub use store::Store;
