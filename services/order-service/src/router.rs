use std::{any::Any, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use order_domain::Moment;
use serde_json::{Value, json};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{
    failure::Failure,
    health::Dependencies,
    identity::Service,
    lifecycle::Lifecycle,
    metrics::Metrics,
    observe::{Observer, observe},
};

#[derive(Clone)]
struct Probes {
    lifecycle: Lifecycle,
    dependencies: Dependencies,
    version: Value,
}

/// Wraps a service's routes with probes, error answers in JSON, traces, metrics and time limits. Every route answers with
/// and without a trailing slash.
pub fn router(
    service: &Service,
    routes: impl IntoIterator<Item = (&'static str, MethodRouter)>,
    dependencies: Dependencies,
    metrics: Metrics,
    lifecycle: Lifecycle,
    request_timeout: Duration,
) -> Router {
    let probes = Probes {
        lifecycle: lifecycle.clone(),
        dependencies,
        version: json!({
            "version": service.identity.version,
            "commit": service.common.commit,
            "image": service.common.image,
        }),
    };
    let probes: [(&'static str, MethodRouter); 4] = [
        ("/health", get(health).with_state(probes.clone())),
        ("/livez", get(livez)),
        ("/readyz", get(readyz).with_state(probes.clone())),
        ("/version", get(version).with_state(probes)),
    ];
    let mut all = Router::new();
    for (path, methods) in routes.into_iter().chain(probes) {
        all = all.route(path, methods.clone()).route(&format!("{path}/"), methods);
    }
    all.fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(axum::middleware::from_fn_with_state(Observer { metrics, lifecycle, request_timeout }, observe))
}

/// Returns the routes of the metrics port.
pub(crate) fn metrics_router(metrics: Metrics) -> Router {
    let answer = get(async move || {
        ([(axum::http::header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], metrics.text())
    });
    Router::new().route("/metrics", answer).fallback(not_found).method_not_allowed_fallback(method_not_allowed)
}

async fn not_found() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "not_found", "Not Found")
}

async fn method_not_allowed() -> Failure {
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method Not Allowed")
}

#[expect(clippy::needless_pass_by_value, reason = "the signature that the layer calls")]
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(message, "a request handler panicked");
    Failure::internal().into_response()
}

async fn health(State(probes): State<Probes>) -> Response {
    match probes.dependencies.check().await {
        Ok(()) => Json(json!({ "status": "healthy", "timestamp": Moment::now() })).into_response(),
        Err(failure) => {
            tracing::warn!(dependency = failure.dependency, reason = failure.reason, "unhealthy");
            Failure::unavailable("unhealthy", format!("Service unhealthy: {failure}")).into_response()
        }
    }
}

async fn livez() -> Json<Value> {
    Json(json!({ "status": "alive" }))
}

async fn readyz(State(probes): State<Probes>) -> Response {
    if probes.lifecycle.is_draining() {
        return Failure::draining().into_response();
    }
    Json(json!({ "status": "ready" })).into_response()
}

async fn version(State(probes): State<Probes>) -> Json<Value> {
    Json(probes.version)
}
