//! The environment variables that keep a program on the emulated AWS.

use std::collections::BTreeMap;

use devenv_model::addresses::Addresses;
use url::Url;

use crate::endpoint::DUMMY;

/// The variables that keep every SDK away from real AWS: an endpoint for all services and one for each, dummy credentials, no profile, no
/// metadata. `services` are those that the project uses beside DynamoDB, such as `sqs`.
pub fn aws_environment(emulator: &Addresses, region: &str, services: &[&str]) -> BTreeMap<String, String> {
    let told = [("AWS_ENDPOINT_URL", emulator.all().as_str()), ("AWS_REGION", region), ("AWS_DEFAULT_REGION", region)];
    // Streams are a service of its own to the SDKs, at the tables' address.
    let services = ["dynamodb", "dynamodb_streams"].iter().chain(services);
    let of_service =
        |service: &&str| (format!("AWS_ENDPOINT_URL_{}", service.to_uppercase()), emulator.of(service).clone());
    owned(told).chain(services.map(of_service)).chain(dummy_credentials()).collect()
}

/// The variables that name an endpoint begin with it.
pub const ENDPOINT: &str = "AWS_ENDPOINT_URL";
/// Credentials of a person, and a switch that makes an SDK ignore all endpoints.
const LEADING_AWAY: [&str; 3] = ["AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"];

/// Keeps a program on the emulated AWS, whatever its files and its caller set: credentials that open nothing, and no switch that
/// leads away. Returns the first variable whose endpoint is not the emulator's.
pub fn keep_emulated(
    environment: &mut BTreeMap<String, String>,
    is_emulated: impl Fn(&str) -> bool,
) -> Result<(), String> {
    environment.extend(dummy_credentials());
    for name in LEADING_AWAY {
        environment.remove(name);
    }
    match environment.iter().find(|(name, value)| name.starts_with(ENDPOINT) && !is_emulated(value)) {
        Some((variable, _)) => Err(variable.clone()),
        None => Ok(()),
    }
}

fn dummy_credentials() -> impl Iterator<Item = (String, String)> {
    owned([
        ("AWS_ACCESS_KEY_ID", DUMMY),
        ("AWS_SECRET_ACCESS_KEY", DUMMY),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ])
}

fn owned<const N: usize>(pairs: [(&str, &str); N]) -> impl Iterator<Item = (String, String)> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter()
}

/// Replaces each value that is a URL of `host`, a name on the network of containers, by the URL of the emulator on this machine.
pub fn redirect(environment: &mut BTreeMap<String, String>, host: &str, emulator: &str) {
    for value in environment.values_mut() {
        let url = Url::parse(value).ok().filter(|url| url.scheme() == "http" && url.host_str() == Some(host));
        if let Some(url) = url {
            let path = url.path().trim_end_matches('/');
            *value = format!("{}{path}", emulator.trim_end_matches('/'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_of_the_project_has_its_endpoint() {
        let addresses = Addresses { tables: "tables".to_owned(), messages: "messages".to_owned() };
        let endpoints = |services: &[&str]| -> Vec<String> {
            let variables = aws_environment(&addresses, "eu-west-1", services).into_iter();
            let named = |(name, value): (String, String)| Some(format!("{}={value}", name.strip_prefix(ENDPOINT)?));
            variables.filter_map(named).collect()
        };
        let of_tables = ["=messages", "_DYNAMODB=tables", "_DYNAMODB_STREAMS=tables"];
        assert_eq!(endpoints(&[]), of_tables);
        let of_messages = ["_SNS=messages", "_SQS=messages"];
        assert_eq!(endpoints(&["sqs", "sns"]), [&of_tables[..], &of_messages].concat());
    }

    #[test]
    fn a_url_of_the_replaced_service_becomes_the_emulators() {
        let mut environment = BTreeMap::from(
            [
                ("A", "http://dynamodb-local:8000"),
                ("B", "http://dynamodb-local:8000/shell/"),
                ("C", "http://other:8000"),
                ("D", "dynamodb-local"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        redirect(&mut environment, "dynamodb-local", "http://127.0.0.1:4000");
        let values: Vec<&str> = environment.values().map(String::as_str).collect();
        assert_eq!(
            values,
            ["http://127.0.0.1:4000", "http://127.0.0.1:4000/shell", "http://other:8000", "dynamodb-local"]
        );
    }
}
