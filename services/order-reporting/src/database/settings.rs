use std::time::Duration;

use order_service::config::{ConfigError, Environment};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio_postgres::config::SslMode;

const URL: &str = "DATABASE_URL";
const IAM: &str = "DATABASE_IAM";
const CA: &str = "DATABASE_CA";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The time after which a silent network counts as a broken connection.
const SILENCE: Duration = Duration::from_secs(10);

/// The settings of the database's clients.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    pub(super) server: tokio_postgres::Config,
    /// Whether a token of IAM takes the place of a password.
    pub(super) iam: bool,
    /// The authorities that may have signed the server's certificate, beside the public ones.
    pub(super) authorities: Vec<CertificateDer<'static>>,
    pub(super) region: String,
}

impl DatabaseSettings {
    pub fn read(environment: &Environment) -> Result<Self, ConfigError> {
        const EXPECTED: &str =
            "a URL such as postgres://user:password@host:5432/reporting, with ?sslmode=require for TLS";
        let mut server = environment
            .secret(URL, EXPECTED, server)?
            .ok_or(ConfigError::Missing { variable: URL, expected: EXPECTED })?;
        let iam = environment
            .parsed(IAM, "true or false", |text| match text {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            })?
            .unwrap_or(false);
        // A token is a password: it must not pass a network in plain text.
        let mode = if iam || server.get_ssl_mode() == SslMode::Require { SslMode::Require } else { SslMode::Disable };
        server.ssl_mode(mode);
        let authorities = environment.parsed(CA, "certificates in PEM form", authorities)?.unwrap_or_default();
        // `Common` has already read and checked the region.
        let region = environment.text("AWS_REGION")?.unwrap_or_default();
        Ok(Self { server, iam, authorities, region })
    }
}

fn server(text: &str) -> Option<tokio_postgres::Config> {
    if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
        return None;
    }
    let mut server: tokio_postgres::Config = text.parse().ok()?;
    let is_complete = server.get_hosts().len() == 1 && server.get_user().is_some() && server.get_dbname().is_some();
    server
        .application_name("order-reporting")
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_user_timeout(SILENCE)
        .keepalives_idle(SILENCE);
    is_complete.then_some(server)
}

fn authorities(text: &str) -> Option<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    read.ok().filter(|certificates| !certificates.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "postgres://reporting:secret-word@127.0.0.1:5432/reporting";

    fn read(pairs: &[(&str, &str)]) -> Result<DatabaseSettings, String> {
        let environment = Environment::of_pairs(&[&[("AWS_REGION", "eu-west-1")], pairs].concat());
        DatabaseSettings::read(&environment).map_err(|error| error.to_string())
    }

    #[test]
    fn tls_is_used_where_it_is_asked_for() {
        let mode = |pairs: &[(&str, &str)]| read(pairs).expect("valid").server.get_ssl_mode();
        assert_eq!(mode(&[(URL, PLAIN)]), SslMode::Disable);
        assert_eq!(mode(&[(URL, &format!("{PLAIN}?sslmode=require"))]), SslMode::Require);
        assert_eq!(mode(&[(URL, "postgres://reporting@h/reporting"), (IAM, "true")]), SslMode::Require);
    }

    #[test]
    fn a_mistake_is_named_without_the_password() {
        let messages: Vec<String> = [
            vec![],
            vec![(URL, "mysql://reporting:secret-word@h/reporting")],
            vec![(URL, "postgres://reporting:secret-word@h:port/reporting")],
            vec![(URL, "postgres://reporting:secret-word@/reporting")],
            vec![(URL, "postgres://h/reporting")],
            vec![(URL, "postgres://reporting:secret-word@h")],
            vec![(URL, PLAIN), (IAM, "yes")],
            vec![(URL, PLAIN), (CA, "rds.pem")],
        ]
        .iter()
        .map(|pairs| read(pairs).expect_err("a mistake"))
        .collect();
        insta::assert_snapshot!(messages.join("\n"));
        assert!(!format!("{messages:?}{:?}", read(&[(URL, PLAIN)])).contains("secret-word"));
    }
}
