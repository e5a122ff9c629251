use std::collections::BTreeMap;

use serde::Serialize;

/// The connections of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Networking {
    pub mode: NetworkMode,
    pub dns: Dns,
    /// Each as `HOST:ADDRESS`.
    pub extra_hosts: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum NetworkMode {
    /// In the order of their connection.
    Joined(Vec<Attachment>),
    None,
    /// Shares the loopback and the address of another service.
    Service(String),
}

/// The environment's own network alone.
impl Default for NetworkMode {
    fn default() -> Self {
        Self::Joined(vec![Attachment::default()])
    }
}

impl NetworkMode {
    pub fn attachments(&self) -> &[Attachment] {
        match self {
            Self::Joined(attachments) => attachments,
            Self::None | Self::Service(_) => &[],
        }
    }

    pub(super) fn service(&self) -> Option<&str> {
        match self {
            Self::Service(service) => Some(service),
            Self::Joined(_) | Self::None => None,
        }
    }
}

/// A service on one network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Attachment {
    pub network: Network,
    /// The service's names there, beside its own.
    pub aliases: Vec<String>,
    pub ipv4_address: Option<String>,
    pub ipv6_address: Option<String>,
    pub link_local_addresses: Vec<String>,
    pub mac_address: Option<String>,
    pub driver_options: BTreeMap<String, String>,
    /// The network with the greatest one has the default route.
    pub gateway_priority: Option<i64>,
}

/// A network of the Compose file's `networks`; by default, the environment's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Network {
    /// The name within the environment; empty for the environment's own.
    pub key: String,
    /// The engine's name, if the Compose file chose it.
    pub name: Option<String>,
    /// Whether it exists outside of the environment, which then neither creates nor removes it.
    pub external: bool,
    /// Whether it has no way out of this machine.
    pub internal: bool,
    pub attachable: bool,
    pub ipv4: Option<bool>,
    pub ipv6: Option<bool>,
    pub driver_options: BTreeMap<String, String>,
    pub addresses: AddressPool,
    pub labels: BTreeMap<String, String>,
}

impl Network {
    /// Whether it is a network as devenv makes one without any wish.
    pub fn is_plain(&self) -> bool {
        *self == Self { key: self.key.clone(), name: self.name.clone(), ..Self::default() }
    }
}

/// The addresses of a network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AddressPool {
    pub subnets: Vec<Subnet>,
    pub options: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Subnet {
    pub subnet: Option<String>,
    pub ip_range: Option<String>,
    pub gateway: Option<String>,
    pub auxiliary_addresses: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Dns {
    pub servers: Vec<String>,
    pub options: Vec<String>,
    pub search: Vec<String>,
}
