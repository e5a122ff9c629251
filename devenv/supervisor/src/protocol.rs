use crate::unit_spec::UnitSpec;
use devenv_model::observed::ObservedUnit;
use serde::{Deserialize, Serialize};

/// Raised when a request or reply changes shape, so that an older supervisor is named instead of misread.
pub const PROTOCOL: u32 = 2;

/// One line from a command. Requests of one connection are answered in order.
#[derive(Debug, Serialize, Deserialize)]
// Tagged from outside: an inner tag would make the reader forget that port numbers are keys of maps.
#[serde(rename_all = "snake_case")]
pub enum Request {
    Hello,
    /// Every unit, each probed anew.
    Observe,
    /// Starts a unit under this name; one that runs under it is stopped first.
    Start {
        spec: Box<UnitSpec>,
    },
    /// Starts a known unit again, as it was specified.
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
    /// SIGKILL, as a crash would be; the supervisor then does what it does after a crash.
    Kill {
        unit: String,
    },
    /// Answers when the unit is ready, or cannot become so without help.
    AwaitReady {
        unit: String,
    },
    /// The environment ends when this connection does, unless it is detached first.
    Own,
    /// The environment outlives every connection.
    Detach,
    /// Stops every unit, last started first, then answers and exits.
    Shutdown,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Hello { protocol: u32, pid: u32 },
    Units { units: Vec<ObservedUnit> },
    Unit { unit: Box<ObservedUnit> },
    Done,
    Refused { reason: String },
}
