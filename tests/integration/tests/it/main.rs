//! The order system, end to end. `cargo devenv test` gives these tests their environment.

mod crashes;
mod idempotency;
mod listing;
mod operations;
mod orders;
mod processing;
mod refusals;
mod stock;
