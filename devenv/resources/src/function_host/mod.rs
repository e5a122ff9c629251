//! The program that hosts functions: what it is told, and how commands call it.

pub mod client;
pub mod settings;
