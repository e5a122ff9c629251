//! Requests that no client should send, by chance from a seed, and what a service makes of them.

mod body;
mod chance;
mod drive;
mod request;
mod response;

pub use drive::{Report, send_malformed};
