//! Queues and topics, durable in one SQLite file, behind the wire protocols of SQS and SNS.
//!
//! The front turns a request into a `Call` and a result into JSON or XML; `queues` and `topics` are the services;
//! the store runs each call as a part of a transaction on one thread. Nothing here opens a port: a server passes requests on.

mod front;
mod messaging;
mod queues;
mod store;
mod topics;

pub use front::reply::Reply;
pub use front::request::{Head, belongs_here};
pub use messaging::Messaging;
pub use store::open::{OpenError, Place};
pub use store::sqlite_file::examine;
