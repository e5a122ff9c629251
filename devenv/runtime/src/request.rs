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
    pub images: ImageBuild,
}

impl RuntimeRequest {
    /// Whether the user left the choice of runtime and emulator to `devenv`.
    pub fn is_open(&self) -> bool {
        let Self { runtime, emulator, emulator_url, images: _ } = self;
        runtime.is_none() && emulator.is_none() && emulator_url.is_none()
    }
}

/// How the images of this workspace's packages are compiled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageBuild {
    pub kind: ImageKind,
    /// Compiles in the engine, even if this machine could.
    pub in_engine: Option<BuildInEngine>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ImageKind {
    /// Optimized; tests prove these images and promotions ship them.
    #[default]
    Shipped,
    /// Made of the programs that would run as processes, which takes little time. Never tested or promoted: they have other names.
    Development,
}

/// The builder image and the platform for compiling in the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildInEngine {
    /// An image with Cargo and a C compiler.
    pub builder: String,
    /// The target platform, such as `linux/arm64`; the engine's own if `None`.
    pub platform: Option<String>,
}
