use serde::Serialize;

use super::execution::Execution;
use super::files::MountedFile;
use super::identity::Identity;
use super::mounts::{Mount, VolumesFrom};
use super::networks::Networking;
use super::resources::Resources;
use super::security::Security;

/// Everything that a container has and a process of this machine has not, apart from its image and its ports.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ContainerSettings {
    pub identity: Identity,
    pub execution: Execution,
    pub mounts: Vec<Mount>,
    pub volumes_from: Vec<VolumesFrom>,
    pub files: Vec<MountedFile>,
    pub networking: Networking,
    pub resources: Resources,
    pub security: Security,
}

impl ContainerSettings {
    /// The other services whose containers this one refers to: it must be replaced when they are.
    pub fn companions(&self) -> Vec<&str> {
        let namespaces = self.security.namespaces.services();
        let volumes = self.volumes_from.iter().map(|from| from.service.as_str());
        self.networking.mode.service().into_iter().chain(namespaces).chain(volumes).collect()
    }
}
