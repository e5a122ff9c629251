use order_service::{
    config::{ConfigError, Environment},
    topic::TopicAddress,
};
use reqwest::Url;

/// The settings of this service beyond the common ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub orders_table: String,
    pub processor: ProcessorAddress,
    /// The topic for the events of settled orders. Without it there are no events.
    pub events: Option<TopicAddress>,
}

/// The address of order-processor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessorAddress {
    Url(Url),
    /// A DNS name with SRV records.
    Srv(String),
}

impl Config {
    pub fn read(environment: &Environment) -> Result<Self, ConfigError> {
        const URL: &str = "ORDER_PROCESSOR_URL";
        const SRV: &str = "ORDER_PROCESSOR_SRV";
        let url = environment.parsed(URL, "a URL such as http://order-processor:8000", http_url)?;
        let srv = environment.parsed(SRV, "a DNS name such as order-processor.orders.internal", dns_name)?;
        let processor = match (url, srv) {
            (Some(url), None) => ProcessorAddress::Url(url),
            (None, Some(name)) => ProcessorAddress::Srv(name),
            (Some(_), Some(_)) => return Err(ConfigError::Conflict { first: URL, second: SRV }),
            (None, None) => {
                return Err(ConfigError::Missing {
                    variable: URL,
                    expected: "the URL of order-processor, or else ORDER_PROCESSOR_SRV, its DNS SRV name",
                });
            }
        };
        let events = TopicAddress::read(environment, "ORDER_EVENTS_TOPIC_ARN")?;
        Ok(Self { orders_table: environment.table("ORDERS_TABLE", "orders")?, processor, events })
    }
}

/// Reads a URL of plain HTTP: calls between the services stay in a private network, and this binary has no TLS for them.
fn http_url(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    let fits = url.scheme() == "http" && url.has_host() && url.query().is_none() && url.fragment().is_none();
    // Add a slash: joining a path would otherwise replace the last segment.
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    fits.then_some(url)
}

fn dns_name(text: &str) -> Option<String> {
    let labels = text.strip_suffix('.').unwrap_or(text);
    let fits = text.len() <= 253
        && labels.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        });
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<ProcessorAddress, String> {
        Config::read(&Environment::of_pairs(pairs)).map(|config| config.processor).map_err(|error| error.to_string())
    }

    #[test]
    fn exactly_one_address_is_taken() {
        let url = ("ORDER_PROCESSOR_URL", "http://order-processor:8000");
        let srv = ("ORDER_PROCESSOR_SRV", "order-processor.orders.internal.");
        assert_eq!(read(&[url]), Ok(ProcessorAddress::Url("http://order-processor:8000/".parse().expect("URL"))));
        assert_eq!(read(&[srv]), Ok(ProcessorAddress::Srv("order-processor.orders.internal.".into())));
        insta::assert_debug_snapshot!([
            read(&[]),
            read(&[url, srv]),
            read(&[("ORDER_PROCESSOR_URL", "https://order-processor")]),
            read(&[("ORDER_PROCESSOR_URL", "order-processor:8000")]),
            read(&[("ORDER_PROCESSOR_SRV", "no such name")]),
            read(&[url, ("ORDERS_TABLE", "a/b")]),
        ]);
    }
}
