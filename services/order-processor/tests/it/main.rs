//! order-processor over HTTP, against the embedded database.

mod faults;
mod http;
mod ledger;
mod malformed;
mod stock;

use order_domain::OrderId;
use order_processor::{Config, IDENTITY, application};
use order_service::{Lifecycle, Metrics, config::Environment};
use order_testing::{Emulator, Serving, serve, service};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

/// A running service with its database.
struct Processor {
    emulator: Emulator,
    serving: Serving,
    metrics: Metrics,
    http: reqwest::Client,
}

impl Processor {
    async fn start() -> Self {
        let emulator = Emulator::start().await;
        let config = Config::read(&Environment::of_pairs(&[])).expect("defaults");
        let metrics = Metrics::new();
        let router =
            application(&service(IDENTITY), &config, emulator.client.clone(), metrics.clone(), Lifecycle::default());
        Self { emulator, serving: serve(router).await, metrics, http: reqwest::Client::new() }
    }

    async fn post(&self, body: &Value) -> Response {
        let url = format!("{}/process-order", self.serving.url);
        self.http.post(url).json(body).send().await.expect("an answer")
    }

    async fn process(&self, body: &Value) -> (StatusCode, Value) {
        let response = self.post(body).await;
        (response.status(), response.json().await.expect("JSON"))
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let response = self.http.get(format!("{}{path}", self.serving.url)).send().await.expect("an answer");
        (response.status(), response.json().await.expect("JSON"))
    }
}

fn order(product_id: &str, quantity: u64) -> Value {
    json!({ "product_id": product_id, "quantity": quantity, "customer_id": "CUST001" })
}

fn order_with_id(order_id: OrderId, product_id: &str, quantity: u64) -> Value {
    let mut order = order(product_id, quantity);
    order["order_id"] = json!(order_id);
    order
}
