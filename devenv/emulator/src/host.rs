//! The hosts that a request for queues and topics may name. A web page can give its own name this machine's address, and its requests then
//! look like those of the page's own site; the `host` header still has the name.

use std::net::{IpAddr, SocketAddr};

/// This machine from a container, and the name that LocalStack gives itself everywhere.
const MACHINE: &str = "host.docker.internal";
const LOCALSTACK: &str = "localhost.localstack.cloud";
const LOCALHOST: &str = "localhost";

/// From where the emulator may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    ThisMachine,
    /// From a network too, where a container has a name without a dot.
    Network,
}

impl Reach {
    pub(crate) fn of(addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        if addresses.into_iter().all(|address| address.ip().is_loopback()) { Self::ThisMachine } else { Self::Network }
    }

    /// Whether the `host` header of a request names the emulator; any port may follow.
    pub(crate) fn has(self, host: &str) -> bool {
        let name = without_port(host);
        if let Ok(address) = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            return address.is_loopback() || self == Self::Network;
        }
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let is_within =
            |domain: &str| name.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'));
        let is_of_network = || (!name.is_empty() && !name.contains('.')) || name == MACHINE;
        is_within(LOCALHOST) || is_within(LOCALSTACK) || (self == Self::Network && is_of_network())
    }
}

fn without_port(host: &str) -> &str {
    let is_port = |port: &str| port.bytes().all(|digit| digit.is_ascii_digit());
    match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) && (!name.contains(':') || name.ends_with(']')) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_this_machine_or_a_name_of_the_network() {
        let both = ["127.0.0.1", "127.1.2.3:8000", "[::1]:8000", "[::1]", "localhost", "LOCALHOST:1", "localhost.:1"];
        let names =
            ["sqs.localhost:4566", "localhost.localstack.cloud:4566", "sqs.eu-west-1.localhost.localstack.cloud"];
        for host in both.iter().chain(&names) {
            assert!(Reach::ThisMachine.has(host) && Reach::Network.has(host), "{host}");
        }
        let network = ["emulator", "emulator-messages:9324", "localstack:4566", "host.docker.internal:8000"];
        for host in network.iter().chain(&["172.18.0.2:8000", "[fd00::2]:8000"]) {
            assert!(Reach::Network.has(host) && !Reach::ThisMachine.has(host), "{host}");
        }
        let others = ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "notlocalhost.evil", "a.b:c", ""];
        let close =
            ["evil.localhost.example", "x-localhost.localstack.cloud.evil.example", "evillocalhost.localstack.cloud"];
        for host in others.iter().chain(&close) {
            assert!(!Reach::ThisMachine.has(host) && !Reach::Network.has(host), "{host}");
        }
    }

    #[test]
    fn a_wider_address_reaches_a_network() {
        let address = |text: &str| text.parse::<SocketAddr>().expect("an address");
        assert_eq!(Reach::of([address("127.0.0.1:1"), address("[::1]:2")]), Reach::ThisMachine);
        assert_eq!(Reach::of([address("127.0.0.1:1"), address("0.0.0.0:2")]), Reach::Network);
    }
}
