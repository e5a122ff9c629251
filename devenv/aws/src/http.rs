//! Plain HTTP and HTTPS by the client of AWS's SDK, for what is no API of AWS: the registry's own protocol and the address of a release.
//! It is compiled for the SDK anyway, and its TLS is in no other program.

use std::time::Duration;

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use bytes::Bytes;
use devenv_promotion::{CloudError, CloudErrorKind};
use url::{Host, Url};

const CONNECT_WITHIN: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Http {
    connector: Connector,
    /// Of one request and its answer.
    within: Duration,
}

#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'static str,
    pub(crate) url: &'a str,
    pub(crate) headers: Vec<(&'static str, &'a str)>,
    pub(crate) body: Bytes,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Where it says to ask on.
    pub(crate) location: Option<String>,
    pub(crate) body: Bytes,
}

impl Http {
    /// For an address. One on this machine is asked without the caller's proxy, which leads elsewhere.
    pub(crate) fn to(url: &str, within: Duration) -> Self {
        let proxy = if is_on_this_machine(url) { ProxyConfig::disabled() } else { ProxyConfig::from_env() };
        let connector = Connector::builder()
            .connector_settings(HttpConnectorSettings::builder().connect_timeout(CONNECT_WITHIN).build())
            .sleep_impl(TokioSleep::new())
            .proxy_config(proxy)
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build();
        Self { connector, within }
    }

    /// Follows nothing. An answer of any status is one.
    pub(crate) async fn send(&self, request: Request<'_>) -> Result<Answer, CloudError> {
        let action = format!("{} {}", request.method, request.url.split('?').next().unwrap_or_default());
        match tokio::time::timeout(self.within, self.ask(request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                let cause = crate::error::causes(error.as_ref());
                Err(CloudError { action, cause, kind: CloudErrorKind::Unreachable })
            }
            Err(_) => {
                let cause = format!("no answer within {} s", self.within.as_secs());
                Err(CloudError { action, cause, kind: CloudErrorKind::Unreachable })
            }
        }
    }

    async fn ask(&self, request: Request<'_>) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
        let mut http = HttpRequest::new(SdkBody::from(request.body));
        http.set_method(request.method)?;
        http.set_uri(request.url)?;
        for (name, value) in request.headers {
            http.headers_mut().try_insert(name, value.to_owned())?;
        }
        let answer = self.connector.call(http).await?;
        let status = answer.status().as_u16();
        let location = answer.headers().get("location").map(str::to_owned);
        let body = ByteStream::new(answer.into_body()).collect().await?.into_bytes();
        Ok(Answer { status, location, body })
    }
}

pub(crate) fn is_on_this_machine(url: &str) -> bool {
    let url = Url::parse(url).ok();
    url.is_some_and(|url| match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_on_this_machine_is_known() {
        for (url, here) in [
            ("http://127.0.0.1:4566/_alb/shop-web", true),
            ("http://localhost:4566", true),
            ("http://[::1]:4566", true),
            ("https://orders.example.com", false),
            ("http://127.0.0.1.example.com", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(is_on_this_machine(url), here, "{url}");
        }
    }
}
