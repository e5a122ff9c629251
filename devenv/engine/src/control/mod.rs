//! How a command speaks to the supervisor: JSON lines over a Unix socket that only its owner may open.

mod client;
mod protocol;
mod restore;
mod trust;

pub(crate) use client::Client;
pub(crate) use protocol::{PROTOCOL, Reply, Request};
pub(crate) use restore::restore_files;
pub(crate) use trust::{is_own, prepare_folder};
