//! A unit: one long-running thing that a runtime keeps alive, whether process or container.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The name under which the emulator runs beside the services.
pub const EMULATOR: &str = "emulator";

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

/// How to learn that a unit is usable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Probe {
    /// `GET` answers 200.
    Http { url: String },
    /// A connection is accepted.
    Tcp { port: u16 },
    /// It has been started.
    Started,
}

impl UnitSpec {
    /// A digest of everything that, when it changes, means the running unit is not the wanted one.
    ///
    /// # Panics
    ///
    /// Never: a spec is plain data with string keys.
    pub fn config_hash(&self) -> String {
        let bytes = serde_json::to_vec(self).expect("a unit spec is plain data");
        let digest = Sha256::digest(&bytes);
        digest.iter().take(12).fold(String::new(), |mut hex, byte| {
            use std::fmt::Write as _;
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}
