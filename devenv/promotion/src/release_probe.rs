//! Asks the address of a release which image answers there.

use std::fmt;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::Value;

const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// Who answers where a release is live.
pub trait ReleaseProbe: Send + Sync + fmt::Debug {
    /// The image that `/version` at this address names, or why it names none.
    fn image<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<String, String>>;
}

/// Asks over HTTP, as the release's clients do.
#[derive(Debug, Clone, Copy)]
pub struct HttpProbe;

impl ReleaseProbe for HttpProbe {
    fn image<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<String, String>> {
        Box::pin(async move {
            // A connection of its own for each question: a balancer may lead each to another task.
            let asked = client(url).map_err(|error| error.to_string())?.get(format!("{url}/version")).send().await;
            let answer = asked.map_err(|error| error.to_string())?.json::<Value>().await;
            let image = answer.map_err(|error| error.to_string())?["image"].clone();
            Ok(image.as_str().map_or_else(|| image.to_string(), str::to_owned))
        })
    }
}

/// A release on this machine, as a rehearsal's is, is asked without the caller's proxy, which leads elsewhere.
fn client(url: &str) -> reqwest_tls::Result<reqwest_tls::Client> {
    let client = reqwest_tls::Client::builder().timeout(ANSWER_LIMIT).pool_max_idle_per_host(0);
    if is_on_this_machine(url) { client.no_proxy().build() } else { client.build() }
}

fn is_on_this_machine(url: &str) -> bool {
    let url = url::Url::parse(url).ok();
    url.is_some_and(|url| match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_on_this_machine_is_known() {
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
