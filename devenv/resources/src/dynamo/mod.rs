//! Tables, by a small client of the DynamoDB wire protocol.
//!
//! A table file *is* the `CreateTable` input, and is sent as it was written instead of through a mapping that could lose
//! a field.

mod difference;
pub(crate) mod store;
pub(crate) mod tables;
mod wire;
