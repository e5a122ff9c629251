//! Event source mappings: each reads its source, invokes its function, and settles what the function was given.

mod batch;
mod checkpoint;
mod filter;
mod poller;
mod queue;
mod settings;
mod stream;
mod verdict;

pub(crate) mod state;
pub(crate) mod work;
