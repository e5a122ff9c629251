//! From the manifest, the snapshot and the chosen ports to the complete intent of each unit. Pure.

mod address;
mod aws;
mod database;
mod emulator;
mod functions;
mod intents;
mod selection;
mod service;

pub(crate) use address::{LOOPBACK, bound, protocol, reached};
pub(crate) use aws::{region, variables};
pub(crate) use database::{address as database_address, notices as database_notices, runs_here, urls as database_urls};
pub(crate) use functions::{INVOKE_PORT, endpoint as functions_endpoint, host_ports};
pub(crate) use intents::{artifacts, desired, intents, runs_again};
pub(crate) use selection::{in_order, restarted_with, selected};
pub(crate) use service::environment;
