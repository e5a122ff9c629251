//! The files of functions and event source mappings.

mod cross;
mod function;
mod mapping;
mod source;

pub(crate) mod files;
