use std::time::Duration;

use axum::{
    Router,
    routing::{MethodRouter, get},
};
use order_service::{
    Dependencies, Identity, Lifecycle, Listeners, Metrics, Service, StartError, Subcommand, aws, serve, signalled,
};

use crate::{
    config::{CONSUME, Config, MIGRATE, QueueUrl, SERVE},
    consume::{Condition, Pace, SqsQueue, consume},
    database::{DatabaseSettings, Store, migrate},
    lambda::run_function,
    metrics::{ConsumerMetrics, register_connections},
    reports,
};

pub const IDENTITY: Identity = Identity { name: "order-reporting", version: env!("CARGO_PKG_VERSION") };

pub const SUBCOMMANDS: &[Subcommand] = &[
    Subcommand { name: SERVE, purpose: "answer requests for reports" },
    Subcommand { name: CONSUME, purpose: "count the events of a queue, or as a function of AWS Lambda" },
    Subcommand { name: MIGRATE, purpose: "bring the schema of the database up to date, and end" },
];

/// Shorter than a drain (10 s), longer than a statement of a session (8 s).
const REQUEST_TIMEOUT: Duration = Duration::from_millis(9500);

/// The connections of a process that serves reports.
const CONNECTIONS: usize = 8;

/// Does the work of the process until a signal stops it.
pub async fn run(service: Service, config: Config) -> Result<(), StartError> {
    match config {
        Config::Serve(settings) => serve_reports(service, &settings).await,
        Config::Consume(settings, queue) => consume_queue(service, &settings, queue).await,
        Config::Function { api, settings } => {
            let aws = aws::config(&service.common.region).await;
            let lifecycle = Lifecycle::default();
            let metrics = ConsumerMetrics::register(&Metrics::new());
            let drained = lifecycle.clone();
            tokio::spawn(async move {
                if signalled().await.is_ok() {
                    drained.drain();
                }
            });
            let store = || {
                let settings = settings.map_err(|error| error.to_string())?;
                Store::new(&settings, &aws, 1).map_err(|error| error.to_string())
            };
            run_function(&api, store, metrics, lifecycle).await
        }
        Config::Migrate(settings) => {
            let aws = aws::config(&service.common.region).await;
            let applied = migrate(&settings, &aws)
                .await
                .map_err(|error| StartError::Other(format!("cannot migrate: {error}")))?;
            tracing::info!(migrations = applied.join(" "), "the schema is up to date");
            Ok(())
        }
    }
}

async fn serve_reports(service: Service, settings: &DatabaseSettings) -> Result<(), StartError> {
    let listeners = Listeners::bind(&service.common).await?;
    let store = Store::new(settings, &aws::config(&service.common.region).await, CONNECTIONS)?;
    let (metrics, lifecycle) = (Metrics::new(), Lifecycle::default());
    let router = application(&service, store, metrics.clone(), lifecycle.clone());
    serve(listeners, router, metrics, lifecycle).await
}

/// Returns all routes of the reports over this store.
pub fn application(service: &Service, store: Store, metrics: Metrics, lifecycle: Lifecycle) -> Router {
    register_connections(&metrics, &store);
    let dependencies = Dependencies::new({
        let store = store.clone();
        move || {
            let store = store.clone();
            async move { store.answers().await }
        }
    });
    let routes = [
        ("/reports/products", get(reports::products).with_state(store.clone())),
        ("/reports/customers/{id}", get(reports::customer).with_state(store.clone())),
        ("/reports/daily", get(reports::daily).with_state(store)),
    ];
    order_service::router(service, routes, dependencies, metrics, lifecycle, REQUEST_TIMEOUT)
}

async fn consume_queue(service: Service, settings: &DatabaseSettings, queue: QueueUrl) -> Result<(), StartError> {
    let listeners = Listeners::bind(&service.common).await?;
    let aws = aws::config(&service.common.region).await;
    let pace = Pace::default();
    // One for each batch, and one for the health check.
    let store = Store::new(settings, &aws, pace.batches + 1)?;
    let (metrics, lifecycle, condition) = (Metrics::new(), Lifecycle::default(), Condition::default());
    register_connections(&metrics, &store);
    let own = ConsumerMetrics::register(&metrics);
    let dependencies = Dependencies::new({
        let (store, condition) = (store.clone(), condition.clone());
        move || {
            let (store, condition) = (store.clone(), condition.clone());
            async move {
                condition.check()?;
                store.answers().await
            }
        }
    });
    let routes: [(&'static str, MethodRouter); 0] = [];
    let router =
        order_service::router(&service, routes, dependencies, metrics.clone(), lifecycle.clone(), REQUEST_TIMEOUT);
    tokio::spawn(consume(SqsQueue::new(&aws, queue), store, pace, own, condition, lifecycle.clone()));
    serve(listeners, router, metrics, lifecycle).await
}
