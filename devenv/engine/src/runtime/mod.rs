//! Runtimes and their hosts: processes under a supervisor, or containers of an engine.

mod error;
#[cfg(test)]
pub(crate) mod fake;
mod host;
mod interface;
mod request;

pub use error::{HostError, HostErrorKind, NoHost};
pub use host::{About, Found, RuntimeHost, Runtimes, TakenDown};
pub use interface::{Abilities, Missing, Observation, Progress, Runtime};
pub use request::{BuildInEngine, ImageBuild, ImageKind, RuntimeKind, RuntimeRequest};
