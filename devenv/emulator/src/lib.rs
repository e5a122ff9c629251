//! The embedded AWS: dynoxide's tables, and queues and topics at an address of their own, in two files, as a library and as a small
//! binary.
//!
//! It speaks the wire protocols of DynamoDB, SQS and SNS over plain HTTP and keeps its data in SQLite. Neither the services
//! nor the engine depend on it.

mod arguments;
mod calls;
mod database;
mod error;
mod front;
mod messages;
mod serve;
mod stream_records;
mod streams;

pub use arguments::parse;
pub use error::Error;
pub use serve::{Data, Listening, Options, run, run_until_signalled};
