//! The outside systems of a promotion. Tests replace them with fakes.

use std::sync::Arc;

use devenv_containers::engine::ContainerEngines;
use devenv_ledger::{SystemClock, WallClock};
use devenv_runtime::ProjectOptions;

use crate::cloud::Clouds;
use crate::release_probe::ReleaseProbe;
use crate::terraform::{InstalledTerraform, Terraforms};

/// A project and its tools.
#[derive(Debug, Clone)]
pub struct PromotionOptions {
    pub project: ProjectOptions,
    pub tools: PromotionTools,
}

#[derive(Debug, Clone)]
pub struct PromotionTools {
    /// Finds the container engine that holds the images and runs the emulated AWS.
    pub engines: Arc<dyn ContainerEngines>,
    /// Connects to AWS.
    pub clouds: Arc<dyn Clouds>,
    pub terraforms: Arc<dyn Terraforms>,
    /// Asks a live release for its identity.
    pub probe: Arc<dyn ReleaseProbe>,
    pub clock: Arc<dyn WallClock>,
}

impl PromotionTools {
    /// The tools of this machine.
    pub fn installed(
        engines: Arc<dyn ContainerEngines>,
        clouds: Arc<dyn Clouds>,
        probe: Arc<dyn ReleaseProbe>,
    ) -> Self {
        Self { engines, clouds, terraforms: Arc::new(InstalledTerraform), probe, clock: Arc::new(SystemClock) }
    }
}
