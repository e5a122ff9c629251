//! Detects the variables of a process that could lead to real AWS.

use std::net::IpAddr;

/// Whether a value of `AWS_ENDPOINT_URL*` is neither the emulator nor an address of this machine.
pub(crate) fn is_elsewhere(value: &str) -> bool {
    if matches!(value, "${emulator}" | "${emulator:dynamodb}" | "${emulator:sqs}" | "${emulator:sns}") {
        return false;
    }
    let Some((_, rest)) = value.split_once("://") else {
        return true;
    };
    // URL parsers that follow browsers read a backslash as a slash.
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    host != "localhost" && !host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a variable makes an SDK ignore devenv's endpoint or its dummy credentials.
pub(crate) fn turns_local_off(variable: &str, value: &str) -> bool {
    match variable {
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" => value != "false",
        "AWS_EC2_METADATA_DISABLED" => value != "true",
        "AWS_CONFIG_FILE" | "AWS_SHARED_CREDENTIALS_FILE" => value != "/dev/null",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI"
        | "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
        | "AWS_PROFILE"
        | "AWS_ROLE_ARN"
        | "AWS_WEB_IDENTITY_TOKEN_FILE" => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_not_elsewhere() {
        for here in [
            "${emulator}",
            "${emulator:dynamodb}",
            "http://127.0.0.1:8000",
            "http://localhost:${port:8000}/path",
            "https://[::1]:8000",
            "http://127.1.2.3",
        ] {
            assert!(!is_elsewhere(here), "{here}");
        }
        for elsewhere in [
            "",
            "dynamodb.eu-west-1.amazonaws.com",
            "https://dynamodb.eu-west-1.amazonaws.com",
            "${emulator}.example.com",
            "http://127.0.0.1@example.com",
            "http://example.com\\@127.0.0.1",
            "http://example.com#@127.0.0.1",
            "http://localhost.example.com",
            "http://0.0.0.0:8000",
            "http://[::]:8000",
            "http://10.0.0.1",
        ] {
            assert!(is_elsewhere(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn what_the_environment_sets_itself_may_be_said_again() {
        for (variable, value) in [
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false"),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_REGION", "eu-west-1"),
        ] {
            assert!(!turns_local_off(variable, value), "{variable}");
        }
        for (variable, value) in [
            ("AWS_EC2_METADATA_DISABLED", "false"),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
            ("AWS_CONFIG_FILE", "/home/me/.aws/config"),
            ("AWS_PROFILE", "work"),
        ] {
            assert!(turns_local_off(variable, value), "{variable}");
        }
    }
}
