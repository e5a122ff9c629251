use std::time::Duration;

use aws_sdk_dynamodb::Client;
use axum::{
    Json, Router,
    extract::{Request, State},
    routing::post,
};
use order_domain::{Confirmation, ProcessRequest};
use order_service::{
    Dependencies, Failure, Identity, Lifecycle, Listeners, Metrics, Service, StartError, aws, body, code, dynamodb,
    serve,
};

use crate::{config::Config, error::ProcessError, metrics::ProcessorMetrics, process::Processor, store::Store};

pub const IDENTITY: Identity = Identity { name: "order-processor", version: env!("CARGO_PKG_VERSION") };

/// Shorter than order-api's own limit, so that order-api receives our reason instead of its timeout.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(4800);

/// Serves until a signal stops the process.
pub async fn run(service: Service, config: Config) -> Result<(), StartError> {
    let listeners = Listeners::bind(&service.common).await?;
    let client = dynamodb::client(&aws::config(&service.common.region).await);
    let (metrics, lifecycle) = (Metrics::new(), Lifecycle::default());
    let router = application(&service, &config, client, metrics.clone(), lifecycle.clone());
    serve(listeners, router, metrics, lifecycle).await
}

/// Returns all routes of the service over this database.
pub fn application(
    service: &Service,
    config: &Config,
    client: Client,
    metrics: Metrics,
    lifecycle: Lifecycle,
) -> Router {
    let own_metrics = ProcessorMetrics::register(&metrics);
    let store = Store::new(client, config);
    let dependencies = Dependencies::new({
        let store = store.clone();
        move || {
            let store = store.clone();
            async move { store.answers().await }
        }
    });
    let processor = Processor::new(store, own_metrics, lifecycle.clone());
    let routes = [("/process-order", post(process_order).with_state(processor))];
    order_service::router(service, routes, dependencies, metrics, lifecycle, REQUEST_TIMEOUT)
}

async fn process_order(State(processor): State<Processor>, request: Request) -> Result<Json<Confirmation>, Failure> {
    let body = body::json(request).await?;
    let request = ProcessRequest::from_json(&body).map_err(|reasons| Failure::invalid(&reasons))?;
    processor.process(request).await.map(Json).map_err(|error| match error {
        ProcessError::Refused(refusal) => Failure::refusal(refusal),
        ProcessError::OtherOrder => {
            let detail = "This order_id was used for another order";
            Failure::new(axum::http::StatusCode::CONFLICT, "order_id_reused", detail)
        }
        ProcessError::Busy => Failure::unavailable(code::PRODUCT_BUSY, "The product is in great demand, try again"),
        ProcessError::Store(error) => error.into(),
    })
}
