use std::time::Duration;

use order_api::discovery::Discovery;
use order_api::{Api, Pace};
use order_service::config::Environment;
use order_service::{Lifecycle, Metrics};
use order_testing::{Emulator, Serving, serve, service};
use reqwest::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

const EAGER: Pace = Pace { pause: Duration::from_millis(50), age: Duration::ZERO };

/// Both services in this process, over one database.
pub(crate) struct System {
    pub(crate) emulator: Emulator,
    api: Api,
    serving: Serving,
    processor: Serving,
    http: reqwest::Client,
}

impl System {
    pub(crate) async fn over(emulator: Emulator) -> Self {
        let config = order_processor::Config::read(&Environment::of_pairs(&[])).expect("defaults");
        let processor = serve(order_processor::application(
            &service(order_processor::IDENTITY),
            &config,
            emulator.client.clone(),
            Metrics::new(),
            Lifecycle::default(),
        ))
        .await;
        let environment = Environment::of_pairs(&[("ORDER_PROCESSOR_URL", processor.url.as_str())]);
        let config = order_api::Config::read(&environment).expect("a complete environment");
        let discovery = Discovery::fixed(processor.url.parse().expect("a URL"));
        let metrics = Metrics::new();
        let api = Api::new(emulator.client.clone(), None, &config, discovery, &metrics, Lifecycle::default())
            .expect("starts");
        let serving = serve(api.router(&service(order_api::IDENTITY), metrics)).await;
        Self { emulator, api, serving, processor, http: reqwest::Client::new() }
    }

    /// Starts to settle pending orders in the background.
    pub(crate) fn reconcile(&self) {
        tokio::spawn(order_api::reconcile(self.api.clone(), EAGER, Lifecycle::default()));
    }

    pub(crate) async fn place(&self, product: &str, quantity: u64, key: Option<&str>) -> (StatusCode, Value) {
        let body = json!({ "product_id": product, "quantity": quantity, "customer_id": "CUST001" });
        let mut request = self.http.post(format!("{}/orders", self.serving.url)).json(&body);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let response = request.send().await.expect("an answer");
        (response.status(), response.json().await.expect("JSON"))
    }

    /// The processor's answer to this order, without order-api.
    pub(crate) async fn process(&self, order_id: Uuid, product: &str, quantity: u64) -> (StatusCode, Value) {
        let body =
            json!({ "order_id": order_id, "product_id": product, "quantity": quantity, "customer_id": "CUST001" });
        let url = format!("{}/process-order", self.processor.url);
        let response = self.http.post(url).json(&body).send().await.expect("an answer");
        (response.status(), response.json().await.expect("JSON"))
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        let response = self.http.get(format!("{}{path}", self.serving.url)).send().await.expect("an answer");
        (response.status(), response.json().await.expect("JSON"))
    }
}
