//! The guard of a rehearsal's emulated AWS. Only the guard holds the container engine's socket and accepts calls from outside.
//!
//! The emulator shares the guard's network namespace and listens on its loopback: every call to the emulator passes the door
//! (`door_policy`; for tasks `task_policy`), and every request of the emulator to the engine must be on the list of a rehearsal's needs (`engine_policy`,
//! `create_policy`). The guard parses, judges and rewrites each request; it forwards no raw byte stream.

mod create_policy;
mod door;
mod door_policy;
mod engine_policy;
mod engine_proxy;
mod forward;
mod header;
mod image_policy;
mod log;
mod query;
mod refusal;
mod registry_policy;
mod serve;
mod settings;
mod task_policy;

pub use serve::{Error, run_until_signalled};
