use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{Method, StatusCode};
use prometheus_client::{
    encoding::{EncodeLabelSet, LabelValueEncoder},
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

/// Upper bounds of the latency buckets, in seconds.
const BUCKETS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The metrics of a service: the HTTP metrics, and those that the service registers.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    requests: Family<RequestLabels, Counter>,
    durations: Family<DurationLabels, Histogram, fn() -> Histogram>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    endpoint: Endpoint,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DurationLabels {
    method: &'static str,
    endpoint: Endpoint,
}

/// The request's route, never its path: an id in a label is a leak.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Endpoint(pub(crate) Arc<str>);

impl prometheus_client::encoding::EncodeLabelValue for Endpoint {
    fn encode(&self, encoder: &mut LabelValueEncoder) -> Result<(), std::fmt::Error> {
        std::fmt::Write::write_str(encoder, &self.0)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    pub fn new() -> Self {
        let requests = Family::default();
        let durations = Family::<_, _, fn() -> Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
        let metrics = Self { registry: Arc::default(), requests, durations };
        let (requests, durations) = (metrics.requests.clone(), metrics.durations.clone());
        metrics.register(|registry| {
            registry.register("http_requests", "HTTP requests answered", requests);
            registry.register("http_request_duration_seconds", "Time from a request's head to its answer", durations);
        });
        metrics
    }

    /// Adds a service's own metrics.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn answered(&self, method: &Method, endpoint: Arc<str>, status: StatusCode, seconds: f64) {
        let method = method_label(method);
        let endpoint = Endpoint(endpoint);
        self.durations.get_or_create(&DurationLabels { method, endpoint: endpoint.clone() }).observe(seconds);
        self.requests.get_or_create(&RequestLabels { method, endpoint, status: status.as_u16() }).inc();
    }

    /// Returns all metrics in the Prometheus text format, version 0.0.4.
    pub fn text(&self) -> String {
        let mut open_metrics = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a String cannot fail.
        let _ = prometheus_client::encoding::text::encode_registry(&mut open_metrics, &registry);
        prometheus_text(&open_metrics)
    }
}

/// Renames counters: OpenMetrics drops their `_total`, but the Prometheus format needs the name of the samples.
fn prometheus_text(open_metrics: &str) -> String {
    let counters: Vec<&str> =
        open_metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let mut text = String::with_capacity(open_metrics.len() + 64);
    for line in open_metrics.lines() {
        let described = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE "));
        match described.and_then(|rest| rest.split_once(' ')) {
            Some((name, rest)) if counters.contains(&name) => {
                text.push_str(&line[.."# TYPE ".len()]);
                text.push_str(name);
                text.push_str("_total ");
                text.push_str(rest);
            }
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

/// Limits the method labels: HTTP allows any text as a method, and strangers must not create labels.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_labels_are_those_of_the_contract() {
        let metrics = Metrics::new();
        metrics.answered(&Method::GET, "/orders/{order_id}".into(), StatusCode::OK, 0.003);
        metrics.answered(
            &Method::from_bytes(b"BREW").expect("token"),
            "unmatched".into(),
            StatusCode::NOT_FOUND,
            0.0001,
        );
        let text = metrics.text();
        for line in [
            "# TYPE http_requests_total counter",
            r#"http_requests_total{method="GET",endpoint="/orders/{order_id}",status="200"} 1"#,
            r#"http_requests_total{method="OTHER",endpoint="unmatched",status="404"} 1"#,
            "# TYPE http_request_duration_seconds histogram",
            r#"http_request_duration_seconds_count{method="GET",endpoint="/orders/{order_id}"} 1"#,
            r#"http_request_duration_seconds_bucket{le="0.005",method="GET",endpoint="/orders/{order_id}"} 1"#,
        ] {
            assert!(text.lines().any(|have| have == line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("# EOF"));
    }
}
