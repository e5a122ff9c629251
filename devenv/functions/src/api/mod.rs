//! The two HTTP APIs of the host.

mod address;

pub(crate) mod init;
pub(crate) mod invoke;
pub(crate) mod runtime;
