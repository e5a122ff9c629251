//! What a promotion works with, which tests put in memory.

use std::sync::Arc;

use devenv_containers::engine::ContainerEngines;
use devenv_engine::ProjectOptions;

use crate::clock::{SystemClock, WallClock};
use crate::cloud::Clouds;
use crate::release_probe::ReleaseProbe;
use crate::terraform::{InstalledTerraform, Terraforms};

/// A project, and what promotes it.
#[derive(Debug, Clone)]
pub struct PromotionOptions {
    pub project: ProjectOptions,
    pub tools: PromotionTools,
}

#[derive(Debug, Clone)]
pub struct PromotionTools {
    /// Finds the container engine whose images are pushed, and in which an AWS is emulated.
    pub engines: Arc<dyn ContainerEngines>,
    /// Speaks to AWS.
    pub clouds: Arc<dyn Clouds>,
    pub terraforms: Arc<dyn Terraforms>,
    /// Asks what was made live who it is.
    pub probe: Arc<dyn ReleaseProbe>,
    pub clock: Arc<dyn WallClock>,
}

impl PromotionTools {
    /// Those of this machine.
    pub fn installed(
        engines: Arc<dyn ContainerEngines>,
        clouds: Arc<dyn Clouds>,
        probe: Arc<dyn ReleaseProbe>,
    ) -> Self {
        Self { engines, clouds, terraforms: Arc::new(InstalledTerraform), probe, clock: Arc::new(SystemClock) }
    }
}
