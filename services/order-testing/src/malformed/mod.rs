//! Random malformed requests from a seed, and the checks of a service's reactions.

mod body;
mod chance;
mod drive;
mod request;
mod response;

pub use drive::{Report, send_malformed};
