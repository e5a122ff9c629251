use lambda_runtime::{Error, LambdaEvent, service_fn};
use order_service::{Identity, Service, StartError, aws, topic::Topic};

use crate::{
    batch::{Answer, Batch},
    config::Config,
    handler::Handler,
};

pub const IDENTITY: Identity = Identity { name: "low-stock", version: env!("CARGO_PKG_VERSION") };

/// Handles batches until Lambda ends the process.
pub async fn run(service: Service, config: Config) -> Result<(), StartError> {
    let aws = aws::config(&service.common.region).await;
    let handler = Handler::new(Topic::new(&aws, &config.topic), config.threshold);
    tracing::info!(topic = %config.topic.arn, threshold = config.threshold, "started");
    let handle = move |event: LambdaEvent<Batch>| {
        let handler = handler.clone();
        async move { Ok::<Answer, Error>(handler.handle(event.payload).await) }
    };
    lambda_runtime::run(service_fn(handle))
        .await
        .map_err(|error| StartError::Other(format!("the runtime API: {error}")))
}
