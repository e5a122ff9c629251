//! The callers that a server refuses. Any page in a browser can send requests to this machine: forms and images without asking first, and
//! everything once the page's own name leads here (DNS rebinding).

use std::net::{IpAddr, SocketAddr};

use hyper::header::{HOST, HeaderMap, ORIGIN};

const SEC_FETCH_SITE: &str = "sec-fetch-site";
/// This machine from a container, and the name that LocalStack gives itself everywhere.
const MACHINE: &str = "host.docker.internal";
const LOCALSTACK: &str = "localhost.localstack.cloud";
const LOCALHOST: &str = "localhost";

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// A page in a browser sent it.
    Page,
    /// It names a host that this server is not.
    OtherHost,
}

/// From where a server may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    ThisMachine,
    /// From a network too, where a container has a name without a dot.
    Network,
}

impl Reach {
    /// The reach of a server that listens at these addresses.
    pub fn of(addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        if addresses.into_iter().all(|address| address.ip().is_loopback()) { Self::ThisMachine } else { Self::Network }
    }

    /// Refuses a request with these headers that a page may have sent.
    pub fn admit(self, headers: &HeaderMap) -> Result<(), Refused> {
        if is_from_page(headers) {
            return Err(Refused::Page);
        }
        // A program of old may send none; a browser always does.
        let mut hosts = headers.get_all(HOST).iter();
        let is_ours = hosts.all(|host| host.to_str().is_ok_and(|host| self.has(host)));
        if is_ours { Ok(()) } else { Err(Refused::OtherHost) }
    }

    /// Whether the `host` header of a request names the server; any port may follow.
    fn has(self, host: &str) -> bool {
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

/// A form carries `origin`; an image or a link carries `sec-fetch-site`, which is `none` if a person entered the address.
fn is_from_page(headers: &HeaderMap) -> bool {
    headers.contains_key(ORIGIN) || headers.get_all(SEC_FETCH_SITE).iter().any(|site| site != "none")
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
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    fn admitted(reach: Reach, lines: &[(&str, &str)]) -> Result<(), Refused> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).expect("a value"));
        }
        reach.admit(&headers)
    }

    #[test]
    fn a_host_is_this_machine_or_a_name_of_the_network() {
        let has = |reach: Reach, host: &str| admitted(reach, &[("host", host)]) == Ok(());
        let both = ["127.0.0.1", "127.1.2.3:8000", "[::1]:8000", "[::1]", "localhost", "LOCALHOST:1", "localhost.:1"];
        let names =
            ["sqs.localhost:4566", "localhost.localstack.cloud:4566", "sqs.eu-west-1.localhost.localstack.cloud"];
        for host in both.iter().chain(&names) {
            assert!(has(Reach::ThisMachine, host) && has(Reach::Network, host), "{host}");
        }
        let network = ["emulator", "emulator-messages:9324", "localstack:4566", "host.docker.internal:8000"];
        for host in network.iter().chain(&["172.18.0.2:8000", "[fd00::2]:8000"]) {
            assert!(has(Reach::Network, host) && !has(Reach::ThisMachine, host), "{host}");
        }
        let others = ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "notlocalhost.evil", "a.b:c", ""];
        let close = [
            "evil.localhost.example",
            "localhost.evil.example:1",
            "x-localhost.localstack.cloud.evil.example",
            "evillocalhost.localstack.cloud",
            "\u{e9}.localhost",
        ];
        for host in others.iter().chain(&close) {
            assert!(!has(Reach::ThisMachine, host) && !has(Reach::Network, host), "{host}");
        }
    }

    #[test]
    fn every_host_of_a_request_counts() {
        let two = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(admitted(Reach::ThisMachine, &two), Err(Refused::OtherHost));
        assert_eq!(admitted(Reach::ThisMachine, &[]), Ok(()));
    }

    #[test]
    fn a_page_is_known_by_its_origin_or_its_fetch() {
        let with = |name: &str, value: &str| admitted(Reach::ThisMachine, &[("host", "localhost"), (name, value)]);
        for (name, value) in
            [("origin", "http://evil.example"), ("Origin", "null"), ("sec-fetch-site", "cross-site"), ("origin", "")]
        {
            assert_eq!(with(name, value), Err(Refused::Page), "{name}: {value}");
        }
        assert_eq!(with("sec-fetch-site", "none"), Ok(()), "a person entered the address");
    }

    #[test]
    fn a_wider_address_reaches_a_network() {
        let address = |text: &str| text.parse::<SocketAddr>().expect("an address");
        assert_eq!(Reach::of([address("127.0.0.1:1"), address("[::1]:2")]), Reach::ThisMachine);
        assert_eq!(Reach::of([address("127.0.0.1:1"), address("0.0.0.0:2")]), Reach::Network);
    }
}
