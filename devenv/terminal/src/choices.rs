//! Options that several commands share: the runtime, the emulator, and where images are compiled.

use clap::{Args, ValueEnum};
use devenv_model::manifest::EmulatorKind;
use devenv_runtime::{BuildInEngine, RuntimeKind};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Runtime {
    Auto,
    Process,
    Docker,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Emulator {
    Embedded,
    DynamodbLocal,
    Localstack,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TestEmulator {
    Embedded,
    DynamodbLocal,
    Localstack,
    All,
}

impl Emulator {
    pub(crate) fn kind(self) -> EmulatorKind {
        match self {
            Self::Embedded => EmulatorKind::Embedded,
            Self::DynamodbLocal => EmulatorKind::DynamodbLocal,
            Self::Localstack => EmulatorKind::Localstack,
        }
    }
}

/// How images are compiled when this machine does not compile them.
#[derive(Debug, Clone, Args)]
pub struct Build {
    /// Compile images in a container; machines without Linux always do
    #[arg(long = "build-in-docker")]
    pub in_docker: bool,
    /// The image to compile in
    #[arg(long, value_name = "IMAGE", requires = "in_docker", default_value = "rust:1.95.0-bookworm")]
    pub builder: String,
    /// Compile for this platform instead of the engine's own, such as linux/arm64
    #[arg(long, value_name = "PLATFORM", requires = "in_docker")]
    pub platform: Option<String>,
}

impl Build {
    pub(crate) fn place(&self) -> Option<BuildInEngine> {
        let place = BuildInEngine { builder: self.builder.clone(), platform: self.platform.clone() };
        self.in_docker.then_some(place)
    }
}

impl Runtime {
    /// Returns `None` for `auto`: the machine decides.
    pub(crate) fn kind(self) -> Option<RuntimeKind> {
        match self {
            Self::Auto => None,
            Self::Process => Some(RuntimeKind::Process),
            Self::Docker => Some(RuntimeKind::Docker),
        }
    }
}
