//! The addresses of this machine at which a unit's ports are bound and reached.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use devenv_model::manifest::Service;
use devenv_model::transport::Protocol;
use devenv_runtime::Abilities;

pub(crate) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The address at which a container port is bound: the Compose file's, if the runtime can bind it; else, and for a port that
/// is only exposed, loopback.
pub(crate) fn bound(abilities: Abilities, service: Option<&Service>, container: u16) -> IpAddr {
    let named = service.and_then(|service| service.ports.iter().find(|port| port.container == container));
    named.filter(|_| abilities.any_address).map_or(LOOPBACK, |port| port.host_ip)
}

/// The protocol of a container port: the Compose file's, if the runtime binds the port; else TCP.
pub(crate) fn protocol(abilities: Abilities, service: Option<&Service>, container: u16) -> Protocol {
    let named = service.and_then(|service| service.ports.iter().find(|port| port.container == container));
    named.filter(|_| abilities.any_address).map(|port| port.protocol).unwrap_or_default()
}

/// The address at which a local program reaches a port bound at `bound`: a wildcard address is reached on loopback.
pub(crate) fn reached(bound: SocketAddr) -> SocketAddr {
    let address = match bound.ip() {
        IpAddr::V4(address) if address.is_unspecified() => LOOPBACK,
        IpAddr::V6(address) if address.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        address => address,
    };
    SocketAddr::new(address, bound.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_reached_where_it_is_bound() {
        let of = |bound: &str| reached(SocketAddr::new(bound.parse().expect("an address"), 80)).to_string();
        assert_eq!(of("127.0.0.2"), "127.0.0.2:80");
        assert_eq!(of("0.0.0.0"), "127.0.0.1:80");
        assert_eq!(of("::"), "[::1]:80");
    }
}
