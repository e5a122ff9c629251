//! The metrics of the services, which contain no ids.

use std::collections::{BTreeMap, BTreeSet};

use integration::{Metrics, order, undisturbed};

/// Every metric of the contract: its type, and its labels (a histogram's buckets have `le` too).
const ORDER_API: [(&str, &str, &[&str]); 7] = [
    ("http_requests_total", "counter", &["endpoint", "method", "status"]),
    ("http_request_duration_seconds", "histogram", &["endpoint", "method"]),
    ("order_creation_total", "counter", &["status"]),
    ("order_skipped_total", "counter", &["reason"]),
    ("order_events_total", "counter", &["outcome"]),
    ("orders_unpublished", "gauge", &[]),
    ("orders_unpublished_oldest_seconds", "gauge", &[]),
];
const ORDER_PROCESSOR: [(&str, &str, &[&str]); 5] = [
    ("http_requests_total", "counter", &["endpoint", "method", "status"]),
    ("http_request_duration_seconds", "histogram", &["endpoint", "method"]),
    ("order_processing_total", "counter", &["status"]),
    ("inventory_operations_total", "counter", &["operation", "status"]),
    ("inventory_stock_level", "gauge", &["product_id"]),
];

#[test]
fn names_types_and_labels_are_those_of_the_contract() {
    undisturbed(async |environment| {
        let product = environment.product(5).await;
        environment.api.place(&order(&product, 1, &environment.customer())).await;
        let (api, processor) = environment.metrics().await;
        labelled("order-api", &api, &ORDER_API);
        labelled("order-processor", &processor, &ORDER_PROCESSOR);
    });
}

fn labelled(service: &str, metrics: &Metrics, expected: &[(&str, &str, &[&str])]) {
    let names: BTreeMap<&str, &str> = metrics.types.iter().map(|(name, kind)| (name.as_str(), kind.as_str())).collect();
    assert_eq!(names, expected.iter().map(|(name, kind, _)| (*name, *kind)).collect(), "the metrics of {service}");
    for (name, kind, labels) in expected {
        let counted = if *kind == "histogram" { format!("{name}_count") } else { (*name).to_owned() };
        let mut seen = metrics.named(&counted).peekable();
        assert!(seen.peek().is_some(), "expected {service} to count {counted}");
        for series in seen {
            let have: Vec<&str> = series.labels.keys().map(String::as_str).collect();
            assert_eq!(have, *labels, "the labels of {counted} of {service}");
        }
    }
}

#[test]
fn counters_move_with_what_is_counted() {
    undisturbed(async |environment| {
        let product = environment.product(5).await;
        let (api_before, processor_before) = environment.metrics().await;
        let placed = environment.api.place(&order(&product, 2, &environment.customer())).await;
        environment.api.get(&format!("/orders/{}", placed.order_id())).await;
        environment.api.get(&format!("/orders/{}/", placed.order_id())).await;
        environment.api.place(&order(&product, 4, &environment.customer())).await;
        let (api, processor) = environment.metrics().await;
        // Other tests count at the same time, so these are minimums.
        let grew = |name: &str, labels: &[(&str, &str)], by: f64, before: &Metrics, after: &Metrics| {
            let growth = after.value(name, labels) - before.value(name, labels);
            assert!(growth >= by, "expected {name}{labels:?} to grow by {by}, it grew by {growth}");
        };
        let post = [("method", "POST"), ("endpoint", "/orders")];
        grew("http_requests_total", &[post[0], post[1], ("status", "201")], 1.0, &api_before, &api);
        grew("http_requests_total", &[post[0], post[1], ("status", "400")], 1.0, &api_before, &api);
        grew("http_request_duration_seconds_count", &post, 2.0, &api_before, &api);
        let read = [("method", "GET"), ("endpoint", "/orders/{order_id}"), ("status", "200")];
        grew("http_requests_total", &read, 2.0, &api_before, &api);
        grew("order_creation_total", &[("status", "confirmed")], 1.0, &api_before, &api);
        grew("order_creation_total", &[("status", "insufficient_inventory")], 1.0, &api_before, &api);
        grew("order_processing_total", &[("status", "confirmed")], 1.0, &processor_before, &processor);
        let taken = [("operation", "take"), ("status", "success")];
        grew("inventory_operations_total", &taken, 1.0, &processor_before, &processor);
        let level = processor.value("inventory_stock_level", &[("product_id", &product)]);
        assert!(
            (level - 3.0).abs() < f64::EPSILON,
            "expected inventory_stock_level to be the stock (3), it is {level}"
        );
    });
}

#[test]
fn an_id_in_a_label_is_a_leak() {
    undisturbed(async |environment| {
        let (product, customer, key) = (environment.product(5).await, environment.customer(), environment.key());
        let placed = environment.api.place_with_key(&order(&product, 1, &customer), &key).await;
        let order_id = placed.order_id().to_string();
        environment.api.get(&format!("/orders/{order_id}")).await;
        environment.api.get(&format!("/orders?customer_id={customer}")).await;
        environment.api.get(&format!("/no/such/path/{order_id}")).await;
        // An unknown product must not become a label either: a client could create any number of them.
        let unknown = environment.key();
        environment.api.place(&order(&unknown, 1, &customer)).await;
        let (api, processor) = environment.metrics().await;
        let mut endpoints = BTreeSet::new();
        for series in api.series.iter().chain(&processor.series) {
            for (label, value) in &series.labels {
                for id in [&order_id, &customer, &key, &unknown] {
                    assert!(!value.contains(id.as_str()), "expected no id in a label: {series:?}");
                }
                if label == "endpoint" {
                    endpoints.insert(value.as_str());
                }
            }
        }
        let routes = [
            "/orders",
            "/orders/{order_id}",
            "/process-order",
            "/health",
            "/livez",
            "/readyz",
            "/version",
            "unmatched",
        ];
        let others: Vec<_> = endpoints.iter().filter(|endpoint| !routes.contains(*endpoint)).collect();
        assert!(others.is_empty(), "expected `endpoint` to be the route, not the path: {others:?}");
    });
}
