//! The settings of a guard, and its own network as the engine describes it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use serde::Deserialize;
use serde_json::Value;

/// The variable that holds the settings, as JSON. Every user of the engine's machine could read a command line.
pub(crate) const VARIABLE: &str = "DEVENV_GUARD";

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The name of the guard's own container.
    pub(crate) container: String,
    /// The prefix of the task containers' names.
    pub(crate) prefix: String,
    /// The labels of every task container; requests may concern only a container with all of them.
    pub(crate) labels: BTreeMap<String, String>,
    /// The guard's name on its network, where tasks reach it.
    pub(crate) host: String,
    /// `HOST:PORT` of the registry, as the engine reaches it. No other image may run.
    pub(crate) registry: String,
    /// Opens the door: the access key of the rehearsal's login, and the password of its registry.
    pub(crate) key: String,
    pub(crate) ports: Ports,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ports {
    /// Published on this machine's loopback.
    pub(crate) outside: u16,
    /// For the tasks.
    pub(crate) tasks: u16,
    /// On the guard's loopback: the engine, for the emulator.
    pub(crate) engine: u16,
    /// On the guard's loopback: the emulator.
    pub(crate) emulator: u16,
}

/// The single network of a rehearsal, which the guard's own container has joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) address: Ipv4Addr,
    prefix: u8,
    gateway: Option<Ipv4Addr>,
}

impl Network {
    /// Parses the engine's description of the guard's container; `None` unless it is on exactly one network.
    pub(crate) fn of(inspected: &Value) -> Option<Self> {
        let networks = inspected["NetworkSettings"]["Networks"].as_object()?;
        let mut networks = networks.iter();
        let (Some((name, network)), None) = (networks.next(), networks.next()) else { return None };
        Some(Self {
            name: name.clone(),
            id: network["NetworkID"].as_str().filter(|id| !id.is_empty())?.to_owned(),
            address: network["IPAddress"].as_str()?.parse().ok()?,
            prefix: u8::try_from(network["IPPrefixLen"].as_u64()?).ok().filter(|prefix| *prefix <= 32)?,
            gateway: network["Gateway"].as_str().and_then(|address| address.parse().ok()),
        })
    }

    /// Whether a caller is a container of this network. The machine itself and its users call from the gateway's address or
    /// from outside the network.
    pub(crate) fn has_container(&self, caller: IpAddr) -> bool {
        let IpAddr::V4(caller) = caller.to_canonical() else { return false };
        let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
        (u32::from(caller) & mask) == (u32::from(self.address) & mask) && Some(caller) != self.gateway
    }
}

/// Compares two secrets in constant time.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    pub(crate) fn settings() -> Settings {
        serde_json::from_value(json!({
            "container": "shop-rehearsal-guard",
            "prefix": "shop-rehearsal",
            "labels": { "devenv.state": "/shop", "devenv.task": "/shop" },
            "host": "emulated-aws",
            "registry": "127.0.0.1:4000",
            "key": "devenv0123",
            "ports": { "outside": 4565, "tasks": 4566, "engine": 2375, "emulator": 4566 },
        }))
        .expect("settings")
    }

    pub(crate) fn network() -> Network {
        let network = json!({
            "NetworkID": "0123abcd", "IPAddress": "172.18.0.2", "IPPrefixLen": 16, "Gateway": "172.18.0.1",
        });
        Network::of(&json!({ "NetworkSettings": { "Networks": { "shop-net": network } } })).expect("a network")
    }

    #[test]
    fn a_container_of_the_network_is_told_from_the_machine_and_from_elsewhere() {
        let network = network();
        assert_eq!((network.name.as_str(), network.id.as_str()), ("shop-net", "0123abcd"));
        for (caller, inside) in [
            ("172.18.0.3", true),
            ("172.18.255.254", true),
            ("::ffff:172.18.0.3", true),
            ("172.18.0.1", false),
            ("172.19.0.3", false),
            ("192.168.1.7", false),
            ("127.0.0.1", false),
            ("::1", false),
        ] {
            assert_eq!(network.has_container(caller.parse().expect("an address")), inside, "{caller}");
        }
    }

    #[test]
    fn a_guard_on_no_network_or_on_two_does_not_start() {
        let one = json!({ "NetworkID": "1", "IPAddress": "10.0.0.2", "IPPrefixLen": 24, "Gateway": "10.0.0.1" });
        for networks in [json!({}), json!({ "a": one, "b": one }), json!({ "a": { "NetworkID": "1" } })] {
            assert_eq!(Network::of(&json!({ "NetworkSettings": { "Networks": networks } })), None);
        }
    }

    #[test]
    fn secrets_are_compared_whole() {
        assert!(is_same("abc", "abc") && !is_same("abc", "abx") && !is_same("abc", "ab") && !is_same("", "a"));
    }
}
