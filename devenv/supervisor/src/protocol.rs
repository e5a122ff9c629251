//! The protocol between commands and the supervisor.
//!
//! `Hello` and `Shutdown`, with their replies, keep their shape in every version: so any devenv can end the supervisor of an older
//! one in order. `Observe` may be asked of an older one too, whose reply can then be unreadable.

use crate::unit_spec::UnitSpec;
use camino::Utf8PathBuf;
use devenv_model::observed::ObservedUnit;
use serde::{Deserialize, Serialize};

/// Raised when a request or reply changes shape, so that a command replaces an older supervisor instead of misreading it.
pub const PROTOCOL: u32 = 5;

/// One line from a command. Requests of one connection are answered in order.
#[derive(Debug, Serialize, Deserialize)]
// Externally tagged: with an internal tag, serde cannot read the numeric keys of the port maps.
#[serde(rename_all = "snake_case")]
pub enum Request {
    Hello,
    /// Every unit, each probed anew.
    Observe,
    /// Starts a unit; a running unit of the same name is stopped first.
    Start {
        spec: Box<UnitSpec>,
    },
    /// Starts a known unit again, with its last specification.
    StartAgain {
        unit: String,
    },
    Stop {
        unit: String,
    },
    /// Stops a unit and forgets it.
    Remove {
        unit: String,
    },
    /// Sends SIGKILL, like a crash; the supervisor then restarts the unit as after a crash.
    Kill {
        unit: String,
    },
    /// Answers when the unit is ready or has completed, or has failed for good.
    AwaitReady {
        unit: String,
    },
    /// Ties the environment's end to this connection's, unless it is detached first.
    Own,
    /// Makes the environment outlive every connection.
    Detach,
    /// Stops every unit, last started first, then answers and exits.
    Shutdown,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Hello {
        protocol: u32,
        pid: u32,
        /// The supervisor's program, for a hint; absent before protocol 3.
        #[serde(default)]
        program: Option<Utf8PathBuf>,
        /// The supervisor's start in milliseconds since the Unix epoch; absent before protocol 3.
        #[serde(default)]
        since: Option<u64>,
    },
    Units {
        units: Vec<ObservedUnit>,
    },
    Unit {
        unit: Box<ObservedUnit>,
    },
    Done,
    Refused {
        reason: String,
    },
}
