//! The embedded DynamoDB: dynoxide behind an address and a file, as a library and as a small binary.
//!
//! It speaks the DynamoDB wire protocol over plain HTTP and keeps its data in SQLite. Neither the services nor the
//! engine depend on it.

mod arguments;
mod calls;
mod error;
mod serve;

pub use arguments::parse;
pub use error::Error;
pub use serve::{Data, Options, run, run_until_signalled};
