use std::time::Duration;

use axum::{
    Router,
    routing::{get, post},
};
use order_service::{
    Dependencies, Identity, Lifecycle, Listeners, Metrics, Service, StartError, aws, dynamodb, serve, topic::Topic,
};

use crate::{
    api::Api,
    config::Config,
    discovery::Discovery,
    http,
    outbox::sweep,
    reconcile::{Pace, reconcile},
};

pub const IDENTITY: Identity = Identity { name: "order-api", version: env!("CARGO_PKG_VERSION") };

/// The limit for every request, shorter than a drain (10 s). Placing an order has its own, shorter limit, whose answer names
/// the order.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(9500);

/// Serves until a signal stops the process.
pub async fn run(service: Service, config: Config) -> Result<(), StartError> {
    let listeners = Listeners::bind(&service.common).await?;
    let aws = aws::config(&service.common.region).await;
    let topic = config.events.as_ref().map(|address| Topic::new(&aws, address));
    let discovery = Discovery::of(&config.processor).map_err(|error| StartError::Other(error.to_string()))?;
    let (metrics, lifecycle) = (Metrics::new(), Lifecycle::default());
    let api = Api::new(dynamodb::client(&aws), topic, &config, discovery, &metrics, lifecycle.clone())?;
    let router = api.router(&service, metrics.clone());
    tokio::spawn(sweep(api.clone(), Pace::OF_EVENTS, lifecycle.clone()));
    tokio::spawn(reconcile(api, Pace::default(), lifecycle.clone()));
    serve(listeners, router, metrics, lifecycle).await
}

impl Api {
    /// Returns all routes of the service.
    pub fn router(&self, service: &Service, metrics: Metrics) -> Router {
        let orders = self.orders.clone();
        let dependencies = Dependencies::new(move || {
            let orders = orders.clone();
            async move { tokio::try_join!(orders.store.answers(), orders.processor.answers()).map(drop) }
        });
        let routes = [
            ("/orders", post(http::create).get(http::list).with_state(self.clone())),
            ("/orders/{order_id}", get(http::read).with_state(self.clone())),
        ];
        order_service::router(service, routes, dependencies, metrics, self.lifecycle.clone(), REQUEST_TIMEOUT)
    }
}
