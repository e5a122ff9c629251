use std::fmt;

use reqwest::Url;

use crate::error::Error;

/// Dummy credentials. DynamoDB Local accepts only letters and digits.
pub const DUMMY: &str = "devenv";

/// An emulator's address: plain HTTP on loopback. [`Endpoint::parse`] refuses every other URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    pub fn parse(text: &str) -> Result<Self, Error> {
        let not_local = || Error::NotLocal { url: text.to_owned() };
        let url = Url::parse(text).map_err(|_| not_local())?;
        let loopback = match url.host() {
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => false,
        };
        if loopback && url.scheme() == "http" { Ok(Self(url)) } else { Err(not_local()) }
    }

    /// The address of an emulator for a container: plain HTTP, by loopback or by a name without a dot, which containers of one network have
    /// for each other.
    pub fn on_network(text: &str) -> Result<Self, Error> {
        let url = Url::parse(text).ok().filter(|url| url.scheme() == "http" && url.username().is_empty());
        let url = url.filter(|url| matches!(url.host(), Some(url::Host::Domain(name)) if !name.contains('.')));
        url.map_or_else(|| Self::parse(text), |url| Ok(Self(url)))
    }

    pub(crate) fn url(&self) -> Url {
        self.0.clone()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_an_endpoint() {
        for good in ["http://127.0.0.1:8000", "http://localhost:4566/", "http://[::1]:1", "http://127.9.9.9:2"] {
            Endpoint::parse(good).expect(good);
        }
        for bad in [
            "https://dynamodb.eu-west-1.amazonaws.com",
            "http://10.0.0.1:8000",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://example.com#@127.0.0.1",
            "http://127.0.0.1@example.com",
            "dynamodb",
            "",
        ] {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
            assert!(Endpoint::on_network(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_container_reaches_an_emulator_by_its_name_on_the_network() {
        for good in ["http://emulator:8000", "http://emulator-messages:9324/", "http://127.0.0.1:8000"] {
            Endpoint::on_network(good).expect(good);
        }
        for bad in
            ["https://emulator:8000", "http://emulator.example.com", "http://10.0.0.1:8000", "http://me@emulator"]
        {
            assert!(Endpoint::on_network(bad).is_err(), "{bad}");
        }
        assert!(Endpoint::parse("http://emulator:8000").is_err(), "on this machine it has another address");
    }
}
