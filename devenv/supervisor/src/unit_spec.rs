//! The specification of a process, as a command sends it to the supervisor.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8PathBuf;
use devenv_model::unit::{Probe, config_hash};
use serde::{Deserialize, Serialize};

/// Everything a process runtime needs to start a unit, with nothing left to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitSpec {
    pub name: String,
    /// Program first; an absolute path.
    pub command: Vec<String>,
    pub directory: Utf8PathBuf,
    /// The whole environment of the process: nothing is inherited.
    pub environment: BTreeMap<String, String>,
    /// Container port to the loopback port that stands for it.
    pub ports: BTreeMap<u16, u16>,
    pub probe: Probe,
    pub stop_grace_period: Duration,
    /// Tells one build of the program from another (size and modification time, or a digest).
    pub artifact: String,
}

impl UnitSpec {
    /// A digest of everything that, when it changes, means the running unit is not the wanted one.
    pub fn config_hash(&self) -> String {
        config_hash(self)
    }
}
