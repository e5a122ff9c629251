//! The guard of a rehearsal's emulated AWS. It alone holds the container engine's socket, and it alone is reached from outside.
//!
//! The emulator shares the guard's network namespace and listens on its loopback: whoever calls the emulator passes the door
//! (`door_policy`), and whatever the emulator asks of the engine passes the list of what a rehearsal needs (`engine_policy`,
//! `create_policy`). A request is parsed, decided on, and written anew; no byte stream is handed through.

mod create_policy;
mod door;
mod door_policy;
mod engine_policy;
mod engine_proxy;
mod forward;
mod image_policy;
mod log;
mod query;
mod refusal;
mod registry_policy;
mod serve;
mod settings;

pub use serve::{Error, run_until_signalled};
