//! Tables, over the DynamoDB wire protocol.
//!
//! A table file *is* the `CreateTable` input. The client sends it unchanged: a mapping could lose a field.

mod difference;
pub mod import;
pub(crate) mod store;
pub(crate) mod tables;
