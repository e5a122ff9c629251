//! order-api over HTTP, with a real order-processor, against the embedded database.

mod create;
mod discovery;
mod dns;
mod events;
mod idempotency;
mod list;
mod lost;
mod malformed;
mod outage;
mod process;
mod reconciler;

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use order_api::{Api, Config, discovery::Discovery};
use order_service::{Lifecycle, Metrics, config::Environment, topic::Topic};
use order_testing::{Emulator, Serving, serve, service};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

/// The whole order system in this process.
struct System {
    emulator: Emulator,
    api: Api,
    metrics: Metrics,
    serving: Serving,
    _processor: Option<Serving>,
    http: reqwest::Client,
}

impl System {
    async fn start() -> Self {
        let emulator = Emulator::start().await;
        let processor = processor(&emulator).await;
        let url = processor.url.clone();
        Self::over(emulator, &url, Some(processor)).await
    }

    /// Starts order-api alone, with the processor at `processor_url`.
    async fn with_processor_at(processor_url: &str) -> Self {
        Self::over(Emulator::start().await, processor_url, None).await
    }

    async fn over(emulator: Emulator, processor_url: &str, processor: Option<Serving>) -> Self {
        let discovery = Discovery::fixed(processor_url.parse().expect("a URL"));
        Self::found_by(emulator, discovery, processor).await
    }

    async fn found_by(emulator: Emulator, discovery: Discovery, processor: Option<Serving>) -> Self {
        Self::with(emulator, discovery, processor, None).await
    }

    async fn with(emulator: Emulator, discovery: Discovery, processor: Option<Serving>, topic: Option<Topic>) -> Self {
        let environment = Environment::of_pairs(&[("ORDER_PROCESSOR_SRV", "order-processor.test")]);
        let config = Config::read(&environment).expect("a complete environment");
        let metrics = Metrics::new();
        let api = Api::new(emulator.client.clone(), topic, &config, discovery, &metrics, Lifecycle::default())
            .expect("starts");
        let serving = serve(api.router(&service(order_api::IDENTITY), metrics.clone())).await;
        Self { emulator, api, metrics, serving, _processor: processor, http: reqwest::Client::new() }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.serving.url)
    }

    async fn post(&self, body: &Value) -> Response {
        self.http.post(self.url("/orders")).json(body).send().await.expect("an answer")
    }

    async fn post_with_key(&self, body: &Value, key: &str) -> Response {
        self.http.post(self.url("/orders")).json(body).header("Idempotency-Key", key).send().await.expect("an answer")
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        answer(self.http.get(self.url(path)).send().await.expect("an answer")).await
    }

    /// Waits until the order at this path is no longer pending, and returns it.
    async fn settled(&self, path: &str) -> Value {
        order_testing::eventually("a settled order", Duration::from_secs(10), async || {
            let (status, order) = self.get(path).await;
            (status == StatusCode::OK && order["status"] != "pending").then_some(order)
        })
        .await
    }
}

async fn processor(emulator: &Emulator) -> Serving {
    let config = order_processor::Config::read(&Environment::of_pairs(&[])).expect("defaults");
    let router = order_processor::application(
        &service(order_processor::IDENTITY),
        &config,
        emulator.client.clone(),
        Metrics::new(),
        Lifecycle::default(),
    );
    serve(router).await
}

async fn answer(response: Response) -> (StatusCode, Value) {
    (response.status(), response.json().await.expect("JSON"))
}

fn header<'response>(response: &'response Response, name: &str) -> Option<&'response str> {
    response.headers().get(name).and_then(|value| value.to_str().ok())
}

fn order(product_id: &str, quantity: u64) -> Value {
    json!({ "product_id": product_id, "quantity": quantity, "customer_id": "CUST001" })
}

/// An order in the form of another or a broken program.
struct Foreign<'a> {
    order_id: &'a str,
    status: &'a str,
    /// The attribute of a sparse index, and its value.
    mark: (&'a str, AttributeValue),
    created_at: &'a str,
    product: Option<&'a str>,
}

async fn put_foreign(system: &System, order: Foreign<'_>) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let (index, mark) = order.mark;
    let mut put = system
        .emulator
        .client
        .put_item()
        .table_name("orders")
        .item("order_id", text(order.order_id))
        .item(index, mark)
        .item("created_at", text(order.created_at))
        .item("customer_id", text("CUST001"))
        .item("quantity", AttributeValue::N("1".into()))
        .item("status", text(order.status));
    if let Some(product) = order.product {
        put = put.item("product_id", text(product));
    }
    put.send().await.expect("written");
}
