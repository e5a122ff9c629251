//! The user's request for a runtime and an emulator.

use std::fmt;

use devenv_model::manifest::EmulatorKind;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuntimeKind {
    Process,
    Docker,
}

impl fmt::Display for RuntimeKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Process => "process",
            Self::Docker => "docker",
        })
    }
}

/// The user's choice of runtime and emulator; `None` leaves it to the environment's last choice, or to the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuntimeRequest {
    pub runtime: Option<RuntimeKind>,
    pub emulator: Option<EmulatorKind>,
    /// The URL of an emulator on this machine outside the environment.
    pub emulator_url: Option<String>,
    /// Compiles for images in the engine, even if this machine could.
    pub build: Option<BuildInEngine>,
}

/// The builder image and the platform for compiling in the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildInEngine {
    /// An image with Cargo and a C compiler.
    pub builder: String,
    /// The target platform, such as `linux/arm64`; the engine's own if `None`.
    pub platform: Option<String>,
}
