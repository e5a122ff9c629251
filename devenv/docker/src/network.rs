//! Translates devenv's networks into the engine's.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{EndpointIpamConfig, EndpointSettings, Ipam, IpamConfig, NetworkCreateRequest};
use devenv_containers::engine::{Endpoint, NewNetwork};
use devenv_model::container::{AddressPool, Subnet};

pub(crate) fn endpoint(endpoint: &Endpoint) -> EndpointSettings {
    let attachment = &endpoint.attachment;
    let addresses = EndpointIpamConfig {
        ipv4_address: attachment.ipv4_address.clone(),
        ipv6_address: attachment.ipv6_address.clone(),
        link_local_ips: (!attachment.link_local_addresses.is_empty()).then(|| attachment.link_local_addresses.clone()),
    };
    let has_address = addresses != EndpointIpamConfig::default();
    let mut aliases = vec![endpoint.unit.clone()];
    aliases.extend(attachment.aliases.clone());
    EndpointSettings {
        aliases: Some(aliases),
        ipam_config: has_address.then_some(addresses),
        mac_address: attachment.mac_address.clone(),
        driver_opts: map(&attachment.driver_options),
        gw_priority: attachment.gateway_priority,
        ..EndpointSettings::default()
    }
}

pub(crate) fn request(new: &NewNetwork) -> NetworkCreateRequest {
    let network = &new.network;
    NetworkCreateRequest {
        name: new.name.clone(),
        driver: Some("bridge".to_owned()),
        internal: network.internal.then_some(true),
        attachable: network.attachable.then_some(true),
        enable_ipv4: network.ipv4,
        enable_ipv6: network.ipv6,
        options: map(&network.driver_options),
        ipam: (network.addresses != AddressPool::default()).then(|| pool(&network.addresses)),
        labels: Some(new.labels.clone().into_iter().collect()),
        ..NetworkCreateRequest::default()
    }
}

fn pool(addresses: &AddressPool) -> Ipam {
    let subnet = |subnet: &Subnet| IpamConfig {
        subnet: subnet.subnet.clone(),
        ip_range: subnet.ip_range.clone(),
        gateway: subnet.gateway.clone(),
        auxiliary_addresses: map(&subnet.auxiliary_addresses),
    };
    Ipam {
        driver: Some("default".to_owned()),
        config: Some(addresses.subnets.iter().map(subnet).collect()),
        options: map(&addresses.options),
    }
}

fn map(values: &BTreeMap<String, String>) -> Option<HashMap<String, String>> {
    (!values.is_empty()).then(|| values.clone().into_iter().collect())
}
