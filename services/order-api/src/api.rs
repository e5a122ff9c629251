use aws_sdk_dynamodb::Client;
use order_service::{Lifecycle, Metrics, StartError};

use crate::{
    config::Config, discovery::Discovery, metrics::ApiMetrics, place::Orders, processor::ProcessorClient, store::Store,
};

/// The service without its ports.
#[derive(Clone)]
pub struct Api {
    pub(crate) orders: Orders,
    pub(crate) lifecycle: Lifecycle,
}

impl Api {
    pub fn new(
        client: Client,
        config: &Config,
        discovery: Discovery,
        metrics: &Metrics,
        lifecycle: Lifecycle,
    ) -> Result<Self, StartError> {
        let processor = ProcessorClient::new(discovery).map_err(|error| StartError::Other(error.to_string()))?;
        let store = Store::new(client, &config.orders_table);
        Ok(Self { orders: Orders { store, processor, metrics: ApiMetrics::register(metrics) }, lifecycle })
    }
}
