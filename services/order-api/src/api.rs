use aws_sdk_dynamodb::Client;
use order_service::{Lifecycle, Metrics, StartError, topic::Topic};

use crate::{
    config::Config,
    discovery::Discovery,
    metrics::ApiMetrics,
    outbox::{EventMetrics, Outbox, Relay},
    place::Orders,
    processor::ProcessorClient,
    store::Store,
};

/// The service without its ports.
#[derive(Clone)]
pub struct Api {
    pub(crate) orders: Orders,
    pub(crate) lifecycle: Lifecycle,
}

impl Api {
    /// With a topic, the events of settled orders go there.
    pub fn new(
        client: Client,
        topic: Option<Topic>,
        config: &Config,
        discovery: Discovery,
        metrics: &Metrics,
        lifecycle: Lifecycle,
    ) -> Result<Self, StartError> {
        let processor = ProcessorClient::new(discovery).map_err(|error| StartError::Other(error.to_string()))?;
        let store = Store::new(client, &config.orders_table, topic.is_some());
        let outbox = topic.map(|topic| {
            let relay = Relay::new(topic, store.clone(), EventMetrics::register(metrics));
            Outbox::start(relay, lifecycle.clone())
        });
        Ok(Self { orders: Orders { store, processor, metrics: ApiMetrics::register(metrics), outbox }, lifecycle })
    }
}
