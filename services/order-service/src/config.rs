//! Reads the environment variables once, at the start. An error names the variable and the expected value.

use std::{ffi::OsString, net::SocketAddr};

use tracing_subscriber::filter::{LevelFilter, Targets};

/// An environment variable that prevents the start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("{variable}={value:?} is not valid: expected {expected}")]
    Invalid { variable: &'static str, value: String, expected: &'static str },
    /// The value stays out of the message.
    #[error("{variable} is not valid: expected {expected}")]
    InvalidSecret { variable: &'static str, expected: &'static str },
    #[error("{variable} is not set: expected {expected}")]
    Missing { variable: &'static str, expected: &'static str },
    #[error("{first} and {second} are both set: expected exactly one of them")]
    Conflict { first: &'static str, second: &'static str },
}

type Read = dyn Fn(&str) -> Option<OsString> + Send + Sync;

/// The source of variables: the process, or a test's list.
pub struct Environment {
    read: Box<Read>,
}

impl Environment {
    pub fn of_process() -> Self {
        Self { read: Box::new(|name| std::env::var_os(name)) }
    }

    pub fn of_pairs(pairs: &[(&str, &str)]) -> Self {
        let pairs: Vec<(String, String)> =
            pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Self { read: Box::new(move |name| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.into())) }
    }

    /// Returns a variable's value. An empty value counts as absent, because Compose passes unset variables that way.
    pub fn text(&self, variable: &'static str) -> Result<Option<String>, ConfigError> {
        match (self.read)(variable) {
            None => Ok(None),
            Some(value) if value.is_empty() => Ok(None),
            Some(value) => value.into_string().map(Some).map_err(|value| ConfigError::Invalid {
                variable,
                value: value.to_string_lossy().into_owned(),
                expected: "UTF-8 text",
            }),
        }
    }

    /// Parses a variable with `parse`, which returns `None` for an invalid value; `expected` describes a valid one.
    pub fn parsed<T>(
        &self,
        variable: &'static str,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(value) = self.text(variable)? else { return Ok(None) };
        parse(&value).map(Some).ok_or(ConfigError::Invalid { variable, value, expected })
    }

    /// Parses a variable like [`Self::parsed`]; the value contains a password, and no error shows it.
    pub fn secret<T>(
        &self,
        variable: &'static str,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let invalid = ConfigError::InvalidSecret { variable, expected };
        let Some(value) = self.text(variable).map_err(|_| invalid.clone())? else { return Ok(None) };
        parse(&value).map(Some).ok_or(invalid)
    }

    /// Reads the name of a DynamoDB table.
    pub fn table(&self, variable: &'static str, default: &str) -> Result<String, ConfigError> {
        let named = self.parsed(variable, "a table name: 3 to 255 letters, digits, '_', '-' or '.'", |name| {
            let fits = (3..=255).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
            fits.then(|| name.to_owned())
        })?;
        Ok(named.unwrap_or_else(|| default.to_owned()))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Json,
    Text,
}

/// The settings of every service.
#[derive(Debug, Clone)]
pub struct Common {
    pub bind_addr: SocketAddr,
    pub metrics_addr: SocketAddr,
    pub region: String,
    pub log_format: LogFormat,
    /// Levels by target. `EnvFilter` with its span directives would link a regular expression engine into every service.
    pub log_filter: Targets,
    /// The commit of this program's sources, from its image.
    pub commit: Option<String>,
    /// The process's image, from its deployment.
    pub image: Option<String>,
}

impl Common {
    pub fn read(environment: &Environment) -> Result<Self, ConfigError> {
        // The SDK reads these itself, and reports a bad one only at the first request.
        endpoint(environment, "AWS_ENDPOINT_URL_DYNAMODB")?;
        endpoint(environment, "AWS_ENDPOINT_URL")?;
        Ok(Self {
            bind_addr: bind_addr(environment)?,
            metrics_addr: address(environment, "METRICS_ADDR", ([0, 0, 0, 0], 9000))?,
            region: region(environment)?,
            log_format: environment
                .parsed("LOG_FORMAT", "json or text", |text| match text {
                    "json" => Some(LogFormat::Json),
                    "text" => Some(LogFormat::Text),
                    _ => None,
                })?
                .unwrap_or(LogFormat::Json),
            log_filter: environment
                .parsed("RUST_LOG", "log directives such as info or order_api=debug,warn", |text| text.parse().ok())?
                .unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO)),
            commit: environment.text("GIT_COMMIT")?,
            image: environment.text("IMAGE")?,
        })
    }
}

pub(crate) fn bind_addr(environment: &Environment) -> Result<SocketAddr, ConfigError> {
    address(environment, "BIND_ADDR", ([0, 0, 0, 0], 8000))
}

fn address(
    environment: &Environment,
    variable: &'static str,
    default: ([u8; 4], u16),
) -> Result<SocketAddr, ConfigError> {
    let address =
        environment
            .parsed(variable, "an IP address and port such as 0.0.0.0:8000 or [::1]:8000", |text| text.parse().ok())?;
    Ok(address.unwrap_or_else(|| default.into()))
}

fn region(environment: &Environment) -> Result<String, ConfigError> {
    const EXPECTED: &str = "an AWS region such as eu-west-1";
    environment
        .parsed("AWS_REGION", EXPECTED, |text| {
            text.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
                .then(|| text.to_owned())
        })?
        .ok_or(ConfigError::Missing { variable: "AWS_REGION", expected: EXPECTED })
}

/// Reads the URL of a service of AWS.
pub fn endpoint(environment: &Environment, variable: &'static str) -> Result<Option<String>, ConfigError> {
    environment.parsed(variable, "a URL such as http://127.0.0.1:8000", |text| {
        let uri: axum::http::Uri = text.parse().ok()?;
        (matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()).then(|| text.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_variables_have_defaults() {
        let common =
            Common::read(&Environment::of_pairs(&[("AWS_REGION", "eu-west-1"), ("BIND_ADDR", "")])).expect("valid");
        assert_eq!(common.bind_addr.to_string(), "0.0.0.0:8000");
        assert_eq!(common.metrics_addr.to_string(), "0.0.0.0:9000");
        assert_eq!(common.log_format, LogFormat::Json);
    }

    #[test]
    fn a_bad_value_names_its_variable() {
        let bad = [
            ("BIND_ADDR", "localhost"),
            ("METRICS_ADDR", "127.0.0.1:99999"),
            ("AWS_REGION", "Frankfurt am Main"),
            ("LOG_FORMAT", "xml"),
            ("RUST_LOG", "order_api=loud"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "127.0.0.1:8000"),
            ("AWS_ENDPOINT_URL", "ftp://x"),
        ];
        let messages: Vec<String> = bad
            .iter()
            .map(|pair| {
                let pairs = [*pair, ("AWS_REGION", "eu-west-1")];
                Common::read(&Environment::of_pairs(&pairs)).expect_err("bad value").to_string()
            })
            .collect();
        insta::assert_snapshot!(messages.join("\n"));
        assert_eq!(
            Common::read(&Environment::of_pairs(&[])).expect_err("no region").to_string(),
            "AWS_REGION is not set: expected an AWS region such as eu-west-1"
        );
    }

    #[test]
    fn table_names_are_checked() {
        let environment = Environment::of_pairs(&[("ORDERS_TABLE", "a b"), ("INVENTORY_TABLE", "dev.inventory")]);
        assert!(environment.table("ORDERS_TABLE", "orders").is_err());
        assert_eq!(environment.table("INVENTORY_TABLE", "inventory").as_deref(), Ok("dev.inventory"));
        assert_eq!(environment.table("RESERVATIONS_TABLE", "reservations").as_deref(), Ok("reservations"));
    }
}
