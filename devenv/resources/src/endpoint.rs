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
        }
    }
}
