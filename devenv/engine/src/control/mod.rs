//! How a command speaks to the supervisor: JSON lines over a Unix socket that only its owner may open.

mod client;
mod protocol;

pub(crate) use client::Client;
pub(crate) use protocol::{PROTOCOL, Reply, Request};
