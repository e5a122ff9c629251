//! The specification of a container: one unit, as a container engine runs it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use devenv_model::container::ContainerSettings;
use devenv_model::intent::RestartPolicy;
use devenv_model::manifest::Healthcheck;
use devenv_model::transport::Protocol;
use devenv_model::unit::{Probe, config_hash};
use serde::Serialize;

/// Everything a container engine needs to start a unit, with all decisions made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ContainerSpec {
    /// The unit's name, and its name on the environment's network.
    pub name: String,
    /// An image id, or a reference with an exact version.
    pub image: String,
    pub entrypoint: Option<Vec<String>>,
    pub command: Option<Vec<String>>,
    pub environment: BTreeMap<String, String>,
    pub ports: Vec<PublishedPort>,
    pub probe: Probe,
    pub stop_grace_period: Duration,
    pub user: Option<String>,
    pub healthcheck: Option<Healthcheck>,
    /// The rest, with the engine's names for volumes, networks and other containers.
    pub settings: ContainerSettings,
    /// The digests of what other things the container depends on: the content of its files, other containers.
    pub digests: Vec<String>,
    /// The labels from the Compose file.
    pub labels: BTreeMap<String, String>,
    pub restart: RestartPolicy,
    /// The id of the image whose program runs as the container's init, before its own; `None` for a container without one.
    pub init: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublishedPort {
    pub container: u16,
    pub protocol: Protocol,
    pub host: u16,
    pub host_ip: IpAddr,
}

impl ContainerSpec {
    /// A container that has nothing but its program.
    pub fn new(name: &str, image: &str) -> Self {
        Self {
            name: name.to_owned(),
            image: image.to_owned(),
            entrypoint: None,
            command: None,
            environment: BTreeMap::new(),
            ports: Vec::new(),
            probe: Probe::Started,
            stop_grace_period: Duration::ZERO,
            user: None,
            healthcheck: None,
            settings: ContainerSettings::default(),
            digests: Vec::new(),
            labels: BTreeMap::new(),
            restart: RestartPolicy::No,
            init: None,
        }
    }

    /// Returns a digest of the specification: a change means the container must be replaced.
    pub fn config_hash(&self) -> String {
        config_hash(self)
    }
}
