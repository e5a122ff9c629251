//! A unit as it is wanted, free of any runtime: a runtime turns it into a process or a container.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::container::ContainerSettings;
use crate::manifest::Healthcheck;
use crate::transport::Protocol;
use crate::unit::Probe;

/// The complete description of one wanted unit. A runtime ignores settings that it cannot apply (a process has no memory
/// limit), and refuses an artifact that it cannot run.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitIntent {
    pub name: String,
    /// The service that the unit is a replica of: other units reach it by this name.
    pub service: String,
    /// Further names under which other units reach this one, on a network of their own.
    pub aliases: Vec<String>,
    pub artifact: Artifact,
    /// `entrypoint` and `command` replace those of the image, if the artifact is an image.
    pub entrypoint: Option<Vec<String>>,
    pub command: Option<Vec<String>>,
    pub environment: BTreeMap<String, String>,
    pub bindings: Vec<Binding>,
    pub probe: Probe,
    pub healthcheck: Option<Healthcheck>,
    pub container: ContainerSettings,
    pub user: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub stop_grace_period: Duration,
    pub lifetime: Lifetime,
    /// Whether an init of devenv's is the first process of its container, and ends its program when the function host orders it.
    pub runs_under_init: bool,
}

/// One port of a unit and the address of this machine at which it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Binding {
    pub container: u16,
    pub protocol: Protocol,
    pub host: SocketAddr,
}

impl Binding {
    pub fn on_loopback(container: u16, port: u16) -> Self {
        Self { container, protocol: Protocol::Tcp, host: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) }
    }
}

/// The bindings of each unit. Bindings of one container port are in the order of the Compose file.
pub type Ports = BTreeMap<String, Vec<Binding>>;

/// The first binding of a container port: other units get this one. Of two protocols at one port, TCP comes first.
pub fn binding_of(bindings: &[Binding], container: u16) -> Option<&Binding> {
    bindings.iter().filter(|binding| binding.container == container).min_by_key(|binding| binding.protocol)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lifetime {
    /// The unit is done when it ends with exit code 0, and is never restarted.
    OneShot,
    /// An end of the unit is a failure, unless it has exit code 0 and the policy is [`RestartPolicy::No`].
    LongLived { restart: RestartPolicy },
}

impl Lifetime {
    /// Whether a runtime starts the unit again when it ends.
    pub fn is_restarted(self) -> bool {
        !matches!(self, Self::OneShot | Self::LongLived { restart: RestartPolicy::No })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestartPolicy {
    No,
    /// Restarts after an exit code other than 0, at most `times` times.
    OnFailure {
        times: u32,
    },
    UnlessStopped,
    Always,
}
