use std::collections::BTreeMap;

use serde::Serialize;

/// A mount in the file system of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mount {
    /// The absolute path in the container.
    pub target: String,
    pub read_only: bool,
    pub source: MountSource,
}

impl Mount {
    /// A volume of the environment, with a name that is unique within it.
    pub fn volume(key: &str, target: &str) -> Self {
        let volume = Volume { key: key.to_owned(), ..Volume::default() };
        let source = MountSource::Volume { volume, no_copy: false };
        Self { target: target.to_owned(), read_only: false, source }
    }

    /// A path of this machine that exists.
    pub fn path(source: &str, target: &str) -> Self {
        let (path, recursive) = (source.to_owned(), true);
        let source = MountSource::Bind(Bind { path, create: false, propagation: None, selinux: None, recursive });
        Self { target: target.to_owned(), read_only: false, source }
    }

    /// A folder in memory with the engine's default options.
    pub fn memory(target: &str) -> Self {
        Self::memory_with(target, "")
    }

    /// A folder in memory, with options as `mount` has them.
    pub fn memory_with(target: &str, options: &str) -> Self {
        let source = MountSource::Memory { options: options.to_owned() };
        Self { target: target.to_owned(), read_only: false, source }
    }

    pub fn is_volume(&self) -> bool {
        matches!(self.source, MountSource::Volume { .. })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum MountSource {
    /// Data that outlives the unit.
    Volume {
        volume: Volume,
        /// Whether a new volume stays empty, instead of getting the image's files at this path.
        no_copy: bool,
    },
    /// Data that ends with the container.
    Anonymous { no_copy: bool },
    /// A path of this machine.
    Bind(Bind),
    /// A folder in memory.
    Memory {
        /// As `mount` has them, such as `size=64m,mode=1777`.
        options: String,
    },
}

/// A volume of the Compose file's `volumes`, or of devenv itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Volume {
    /// The name within the environment.
    pub key: String,
    /// The engine's name, if the Compose file chose it.
    pub name: Option<String>,
    /// Whether it exists outside of the environment, which then neither creates nor removes it.
    pub external: bool,
    /// The options of the driver `local`.
    pub driver_options: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bind {
    /// The absolute path on this machine.
    pub path: String,
    /// Whether an absent path becomes a folder.
    pub create: bool,
    pub propagation: Option<String>,
    /// `z` or `Z`.
    pub selinux: Option<String>,
    pub recursive: bool,
}

/// The volumes of another service's container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VolumesFrom {
    pub service: String,
    pub read_only: bool,
}
