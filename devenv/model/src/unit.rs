//! A unit: one thing that a runtime runs, whether process or container.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::database::Login;
use crate::functions::FUNCTION_HOST;
use crate::names::short_digest;

/// The name under which the emulator runs beside the services.
pub const EMULATOR: &str = "emulator";
/// The name of the unit with the queues and topics of an emulator that has tables alone.
pub const MESSAGES: &str = "emulator-messages";
/// The bytes of a configuration's digest that are kept; enough that two digests differ.
const HASH_BYTES: usize = 12;

/// Whether a unit is one of devenv's own emulators.
pub fn is_emulator(unit: &str) -> bool {
    unit == EMULATOR || unit == MESSAGES
}

/// The header of a request of [`Probe::Elsewhere`] about a process that is not ready yet: when that process was started, in microseconds of
/// the kernel's monotonic clock.
pub const PROCESS_STARTED: &str = "devenv-process-started";
/// Whether a unit is devenv's own, and no service of the project.
pub fn is_own(unit: &str) -> bool {
    is_emulator(unit) || unit == FUNCTION_HOST
}

/// How to learn that a unit is usable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Probe {
    /// `GET` answers 200.
    Http { url: String },
    /// `GET` gets an answer with any status.
    Answer { url: String },
    /// A connection is accepted, and not closed at once.
    Tcp { address: SocketAddr },
    /// A PostgreSQL server accepts the login and answers a query.
    Postgres { address: SocketAddr, login: Login },
    /// `GET` answers 200 with a JSON object whose `services` reports each of these as available or running.
    Services { url: String, services: Vec<String> },
    /// Another program, which the unit calls, answers 200 for it at this address.
    Elsewhere { url: String },
    /// The unit's own health check, a command, passes.
    Healthcheck,
    /// The unit has started.
    Started,
    /// The unit has ended with exit code 0.
    Completed,
}

/// The first bytes of the digest of `spec`, in hexadecimal. `spec` is plain data with string keys.
pub fn config_hash(spec: &impl Serialize) -> String {
    let bytes = serde_json::to_vec(spec).expect("a specification is plain data");
    short_digest(bytes, HASH_BYTES)
}
