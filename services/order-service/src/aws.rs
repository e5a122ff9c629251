//! AWS's configuration for short requests, and the HTTP layer of every client.

use std::time::Duration;

use aws_config::{
    BehaviorVersion, Region, SdkConfig, retry::RetryConfig, stalled_stream_protection::StalledStreamProtectionConfig,
    timeout::TimeoutConfig,
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    runtime_components::RuntimeComponents,
};

/// The time limit for one operation with all its attempts.
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(4);
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// The lifetime of an idle connection.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);

/// The largest number of idle connections per host.
const IDLE_CONNECTIONS: usize = 128;

/// Loads the configuration of a service's clients. The SDK finds endpoint and credentials by itself.
pub async fn config(region: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .http_client(http_client())
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(3)
                .with_initial_backoff(Duration::from_millis(25))
                .with_max_backoff(Duration::from_millis(250)),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .operation_timeout(OPERATION_TIMEOUT)
                .build(),
        )
        // This protects against trickling bodies; ours have a few hundred bytes, and the attempt has a timeout.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .load()
        .await
}

/// Returns the clients' HTTP layer. TLS costs nothing until its first use.
pub fn http_client() -> SharedHttpClient {
    let plain = Builder::new().pool_max_idle_per_host(IDLE_CONNECTIONS).pool_idle_timeout(IDLE_TIMEOUT).build_http();
    let tls = Builder::new()
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    SharedHttpClient::new(ByScheme { plain, tls })
}

/// A client that builds its TLS connector at the first request to an `https` address: reading the root certificates takes
/// longer than the rest of the start. In a container, credentials come over plain HTTP anyway.
#[derive(Debug)]
struct ByScheme {
    plain: SharedHttpClient,
    tls: SharedHttpClient,
}

impl HttpClient for ByScheme {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(ConnectorByScheme {
            plain: self.plain.http_connector(settings, components),
            tls: self.tls.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }
}

#[derive(Debug)]
struct ConnectorByScheme {
    plain: SharedHttpConnector,
    tls: SharedHttpClient,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for ConnectorByScheme {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if request.uri().starts_with("http:") {
            self.plain.call(request)
        } else {
            self.tls.http_connector(&self.settings, &self.components).call(request)
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{Client, config::Credentials};

    use super::*;
    use crate::dynamodb::table_answers;

    #[tokio::test]
    async fn an_https_endpoint_is_spoken_to_with_tls() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = format!("https://{}", listener.local_addr().expect("bound"));
        let first_byte = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a caller");
            tokio::io::AsyncReadExt::read_u8(&mut stream).await.expect("a byte")
        });
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
            .endpoint_url(endpoint)
            .http_client(http_client())
            .retry_config(RetryConfig::disabled())
            .build();
        let failure = table_answers(&Client::from_conf(config), &"orders".into(), "order_id").await;
        assert_eq!(failure.expect_err("it hangs up").dependency, "table orders");
        assert_eq!(first_byte.await.expect("no panic"), 0x16, "the first byte of a TLS handshake");
    }
}
