//! The specification of a container: one unit, as a container engine runs it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use devenv_model::intent::RestartPolicy;
use devenv_model::manifest::{Healthcheck, Limits};
use devenv_model::unit::{Probe, config_hash};
use serde::Serialize;

/// Everything a container engine needs to start a unit, with all decisions made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ContainerSpec {
    /// The unit's name, and its name on the environment's network.
    pub name: String,
    /// Its further names there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// An image id, or a reference with an exact version.
    pub image: String,
    pub entrypoint: Option<Vec<String>>,
    pub command: Option<Vec<String>>,
    pub environment: BTreeMap<String, String>,
    pub ports: Vec<PublishedPort>,
    pub probe: Probe,
    pub stop_grace_period: Duration,
    pub user: Option<String>,
    pub limits: Limits,
    pub healthcheck: Option<Healthcheck>,
    pub volume: Option<VolumeMount>,
    /// Paths of this machine to mount into the container.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub binds: Vec<BindMount>,
    /// The labels from the Compose file.
    pub labels: BTreeMap<String, String>,
    pub restart: RestartPolicy,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublishedPort {
    pub container: u16,
    pub host: u16,
    pub host_ip: IpAddr,
}

/// A named volume and its path in the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VolumeMount {
    pub volume: String,
    pub target: String,
}

/// A path of this machine and its path in the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BindMount {
    pub source: String,
    pub target: String,
}

impl ContainerSpec {
    /// Returns a digest of the specification: a change means the container must be replaced.
    pub fn config_hash(&self) -> String {
        config_hash(self)
    }
}
