//! What keeps units alive: the supervisor's processes here, containers where an engine answers.

mod error;
#[cfg(test)]
pub(crate) mod fake;
mod host;
mod interface;
mod request;

pub use error::{HostError, HostErrorKind, NoHost};
pub use host::{About, Found, RuntimeHost, Runtimes, TakenDown};
pub use interface::{Abilities, Missing, Observation, Progress, Runtime};
pub use request::{BuildInEngine, RuntimeKind, RuntimeRequest};
