//! The settings that a Compose file gives a container, one file for each subject.

mod execution;
mod files;
mod identity;
mod mounts;
mod networks;
mod resources;
mod security;
mod settings;

pub use execution::{Execution, Logging, PullPolicy};
pub use files::{FileSource, MountedFile};
pub use identity::Identity;
pub use mounts::{Bind, Mount, MountSource, Volume, VolumesFrom};
pub use networks::{AddressPool, Attachment, Dns, Network, NetworkMode, Networking, Subnet};
pub use resources::{Cpu, Device, DeviceRequest, OutOfMemory, Resources, Ulimit};
pub use security::{Namespace, Namespaces, Security};
pub use settings::ContainerSettings;
