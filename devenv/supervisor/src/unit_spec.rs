//! The specification of a process, as a command sends it to the supervisor.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8PathBuf;
use devenv_model::intent::Lifetime;
use devenv_model::manifest::Healthcheck;
use devenv_model::unit::{Probe, config_hash};
use serde::{Deserialize, Serialize};

/// The complete specification of one unit's process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitSpec {
    pub name: String,
    /// Program first; an absolute path.
    pub command: Vec<String>,
    pub directory: Utf8PathBuf,
    /// The environment variables of the process, beside a few such as `PATH` that it inherits.
    pub environment: BTreeMap<String, String>,
    /// Container port to loopback port.
    pub ports: BTreeMap<u16, u16>,
    pub probe: Probe,
    /// The check of [`Probe::Healthcheck`].
    pub healthcheck: Option<Healthcheck>,
    pub lifetime: Lifetime,
    pub stop_grace_period: Duration,
    /// The signal that asks the process to end, such as `SIGINT`; SIGTERM if `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// Identifies the build of the program (size and modification time, or a digest).
    pub artifact: String,
}

impl UnitSpec {
    /// A digest of the specification; a running unit with another digest must be replaced.
    pub fn config_hash(&self) -> String {
        config_hash(self)
    }
}
