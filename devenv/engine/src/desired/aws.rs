//! The environment variables that keep a program on the emulated AWS.

use std::collections::BTreeMap;

use devenv_model::addresses::Addresses;
use devenv_resources::endpoint::Endpoint;
use devenv_resources::variables::{aws_environment, keep_emulated};
use devenv_runtime::Project;

use crate::error::Error;

const DEFAULT_REGION: &str = "eu-west-1";

/// The `AWS_REGION` of the first service that sets it, or the default region.
pub(crate) fn region(project: &Project) -> &str {
    let told = project.manifest.services.values().find_map(|service| service.environment.get("AWS_REGION"));
    told.map_or(DEFAULT_REGION, String::as_str)
}

/// The variables of AWS for a program of the project that reaches the emulator at `emulator`.
pub(crate) fn variables(project: &Project, emulator: &Addresses) -> BTreeMap<String, String> {
    aws_environment(emulator, region(project), &project.manifest.messaging.services())
}

/// Applied last, over the files and the caller: replaces all credentials with dummies, and refuses an endpoint that is neither
/// on loopback nor a host of `network`.
pub(super) fn keep_local(
    service: &str,
    environment: &mut BTreeMap<String, String>,
    network: &[&str],
) -> Result<(), Error> {
    // An SDK sends it with every request, so that the emulator knows the calling service.
    environment.insert("AWS_SDK_UA_APP_ID".to_owned(), service.to_owned());
    let is_of_network = |value: &str| {
        let host = url::Url::parse(value).ok().filter(|url| url.scheme() == "http");
        host.and_then(|url| Some(network.contains(&url.host_str()?))).unwrap_or(false)
    };
    keep_emulated(environment, |value| is_of_network(value) || Endpoint::parse(value).is_ok()).map_err(|variable| {
        let value = environment[&variable].clone();
        Error::NotLocal { service: service.to_owned(), variable, value }
    })
}

#[cfg(test)]
mod tests {
    use devenv_resources::endpoint::DUMMY;

    use super::*;

    fn kept(value: &str) -> Result<(), Error> {
        let mut environment = BTreeMap::from([("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), value.to_owned())]);
        keep_local("api", &mut environment, &["emulator"])
    }

    #[test]
    fn an_endpoint_is_loopback_or_of_the_network() {
        kept("http://127.0.0.1:8000").expect("loopback");
        kept("http://emulator:8000").expect("of the network");
        for elsewhere in
            ["https://emulator", "http://emulator.example.com", "http://dynamodb.eu-west-1.amazonaws.com", ""]
        {
            assert!(matches!(kept(elsewhere), Err(Error::NotLocal { .. })), "{elsewhere}");
        }
    }

    #[test]
    fn credentials_of_the_caller_are_replaced() {
        let mut environment = BTreeMap::from(
            [
                ("AWS_ACCESS_KEY_ID", "AKIA"),
                ("AWS_SESSION_TOKEN", "t"),
                ("AWS_PROFILE", "p"),
                ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        keep_local("api", &mut environment, &[]).expect("no endpoint is named");
        assert_eq!(environment["AWS_ACCESS_KEY_ID"], DUMMY);
        assert!(!environment.contains_key("AWS_SESSION_TOKEN") && !environment.contains_key("AWS_PROFILE"));
        assert!(!environment.contains_key("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "an SDK would go to real AWS");
    }
}
