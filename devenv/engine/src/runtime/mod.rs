//! Runtimes and their hosts: processes under a supervisor, or containers of an engine.

#[cfg(test)]
pub(crate) mod fake;
mod host;
mod interface;

pub use crate::host_error::{HostError, HostErrorKind, NoHost};
pub use crate::request::{BuildInEngine, ImageBuild, ImageKind, RuntimeKind, RuntimeRequest};
pub use host::{About, Found, RuntimeHost, Runtimes, TakenDown};
pub use interface::{Abilities, LogOptions, Missing, Observation, Progress, Runtime};
