use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tracing::Instrument;

use crate::{Failure, Lifecycle, Metrics, TraceContext};

/// The layer around every request.
#[derive(Clone)]
pub(crate) struct Observer {
    pub(crate) metrics: Metrics,
    pub(crate) lifecycle: Lifecycle,
    /// The time limit of a request: the client then receives 504, even if work for it continues.
    pub(crate) request_timeout: Duration,
}

/// Gives a request its trace, its time limit, its log line and its metrics, and refuses new work while draining.
pub(crate) async fn observe(State(observer): State<Observer>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let endpoint = endpoint(&request);
    let context = TraceContext::of_request(request.headers());
    // An error span is enabled at every log level, so every line has the trace id.
    let span = tracing::error_span!("request", trace_id = %context, method = %method, endpoint = &*endpoint);

    let answer = async {
        let draining = observer.lifecycle.is_draining();
        let mut response = if draining && !is_probe(&endpoint) {
            Failure::draining().into_response()
        } else {
            let answer = crate::trace::scope(context, next.run(request));
            tokio::time::timeout(observer.request_timeout, answer).await.unwrap_or_else(|_| {
                Failure::timeout("timeout", format!("No answer within {:?}", observer.request_timeout)).into_response()
            })
        };
        if draining {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let duration = started.elapsed();
        log(response.status(), duration, is_probe(&endpoint));
        (response, duration)
    };
    let (response, duration) = answer.instrument(span).await;
    observer.metrics.answered(&method, endpoint, response.status(), duration.as_secs_f64());
    response
}

/// Logs a request on debug, because reads are frequent and tell little; a server error on warn.
fn log(status: StatusCode, duration: Duration, probe: bool) {
    let (status_code, duration_ms) = (status.as_u16(), duration.as_secs_f64() * 1e3);
    if status.is_server_error() && !probe {
        tracing::warn!(status = status_code, duration_ms, "request failed");
    } else {
        tracing::debug!(status = status_code, duration_ms, "request answered");
    }
}

fn endpoint(request: &Request) -> Arc<str> {
    request.extensions().get::<MatchedPath>().map_or_else(
        || "unmatched".into(),
        |path| match path.as_str() {
            "/" => "/".into(),
            // A route with and without a trailing slash is one endpoint.
            path => path.strip_suffix('/').unwrap_or(path).into(),
        },
    )
}

fn is_probe(endpoint: &str) -> bool {
    matches!(endpoint, "/health" | "/livez" | "/readyz" | "/version")
}
