//! One snapshot of an environment, taken before any decision.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::intent::Binding;
use crate::resource::ResourceId;

/// The environment as one look saw it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// The runtime's units, by name.
    pub units: BTreeMap<String, ObservedUnit>,
    /// Processes of an earlier run whose supervisor is gone.
    pub leftovers: Vec<Leftover>,
    /// The described resources that exist in the emulator; `None` while the emulator does not answer.
    pub resources: Option<BTreeMap<ResourceId, ObservedResource>>,
    /// Packages that must be compiled, with the reason.
    pub stale: BTreeMap<String, String>,
    /// Units whose own artifact must be built again, or whose program must start again, with the reason.
    pub stale_units: BTreeMap<String, String>,
    /// Images that the engine must fetch.
    pub absent_images: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedUnit {
    pub name: String,
    pub config_hash: String,
    pub state: UnitState,
    /// The supervisor's units are all on loopback, so its protocol has only the two ports of each binding.
    #[serde(rename = "ports", with = "on_loopback")]
    pub bindings: Vec<Binding>,
    /// The number of restarts after a death.
    pub restarts: u32,
}

mod on_loopback {
    use std::collections::BTreeMap;

    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::Binding;

    pub(super) fn serialize<S: Serializer>(bindings: &[Binding], serializer: S) -> Result<S::Ok, S::Error> {
        let ports = bindings.iter().map(|binding| (binding.container, binding.host.port()));
        ports.collect::<BTreeMap<u16, u16>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Binding>, D::Error> {
        let ports = BTreeMap::<u16, u16>::deserialize(deserializer)?;
        Ok(ports.into_iter().map(|(container, port)| Binding::on_loopback(container, port)).collect())
    }
}

/// The life of a unit. Times are milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum UnitState {
    /// The process runs; its probe has not passed yet.
    Starting {
        pid: u32,
        since: u64,
    },
    Ready {
        pid: u32,
        since: u64,
    },
    /// The process died, and the unit waits for its next start.
    Backoff {
        exit: Exit,
        until: u64,
    },
    /// The unit has ended with exit code 0, as wanted, and is not restarted.
    Completed,
    /// Stopped on request.
    Stopped {
        exit: Option<Exit>,
    },
    /// The unit died before it was ready or too often, could not be started, or is never restarted; it is not started again.
    Failed {
        error: String,
    },
}

impl UnitState {
    /// The id of the running process; for a container, on the engine's machine.
    pub fn pid(&self) -> Option<u32> {
        match self {
            Self::Starting { pid, .. } | Self::Ready { pid, .. } => Some(*pid).filter(|pid| *pid != 0),
            Self::Backoff { .. } | Self::Stopped { .. } | Self::Completed | Self::Failed { .. } => None,
        }
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", content = "value", rename_all = "snake_case")]
pub enum Exit {
    Code(i32),
    Signal(i32),
}

impl std::fmt::Display for Exit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(formatter, "exit code {code}"),
            Self::Signal(signal) => write!(formatter, "signal {signal}"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftover {
    pub unit: String,
    pub pid: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObservedResource {
    /// The resource matches its file. `absent_seeds` is the number of seed items that it lacks.
    Matching { absent_seeds: usize },
    /// The resource differs from its file, and can be changed in place without a loss. One line per difference.
    Changeable { differences: Vec<String>, absent_seeds: usize },
    /// The resource differs from its file, and only a new one can match it. One line per difference, in the words of the file.
    Different { differences: Vec<String> },
}

impl ObservedResource {
    /// The state of a resource whose differences from its file can be changed in place.
    pub fn changeable(differences: Vec<String>, absent_seeds: usize) -> Self {
        if differences.is_empty() {
            Self::Matching { absent_seeds }
        } else {
            Self::Changeable { differences, absent_seeds }
        }
    }
}
