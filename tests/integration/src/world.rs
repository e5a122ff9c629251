use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::events::Events;

/// Longer than any answer the contract allows.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// One test's view of the environment. It is shared with the tests that run at the same time, or this test's alone.
#[derive(Debug)]
pub struct World {
    pub api: String,
    pub processor: String,
    pub http: reqwest::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    events: Events,
    /// Held until the test ends.
    _lock: File,
}

/// A response, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: Value,
}

impl Answer {
    /// # Panics
    ///
    /// When the answer has no such text.
    pub fn text(&self, field: &str) -> String {
        self.body[field].as_str().unwrap_or_else(|| panic!("no text {field} in {self:?}")).to_owned()
    }
}

impl World {
    /// For a test that disturbs nobody: it makes its own products and customers.
    pub async fn shared() -> Self {
        Self::open(File::lock_shared).await
    }

    /// For a test that kills or stops units: no other runs meanwhile.
    pub async fn alone() -> Self {
        Self::open(File::lock).await
    }

    async fn open(lock: fn(&File) -> std::io::Result<()>) -> Self {
        let url = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| {
                panic!("{name} is not set: these tests need an environment of their own, so run `cargo devenv test`")
            })
        };
        let (api, processor, emulator) =
            (url("ORDER_API_URL"), url("ORDER_PROCESSOR_URL"), url("AWS_ENDPOINT_URL_DYNAMODB"));
        let state = PathBuf::from(url("DEVENV_STATE_DIR"));
        let file = File::options()
            .create(true)
            .append(true)
            .open(state.join("tests.lock"))
            .expect("the state directory can be written");
        // Tests are threads, or processes under another runner: a lock on a file serves both.
        let held = tokio::task::spawn_blocking(move || lock(&file).map(|()| file));
        let held = held.await.expect("not cancelled").expect("the file can be locked");
        let name = std::thread::current().name().unwrap_or("test").to_owned();
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(ANSWER_LIMIT)
            .build()
            .expect("a client without TLS needs nothing from the machine");
        Self { api, processor, http, dynamodb: client(&emulator), events: Events::begin(&name), _lock: held }
    }

    /// A product that no other test knows.
    pub async fn product(&self, price: i64, stock: i64) -> String {
        let id = format!("TEST-{}", Uuid::new_v4());
        self.dynamodb
            .put_item()
            .table_name("inventory")
            .item("product_id", AttributeValue::S(id.clone()))
            .item("name", AttributeValue::S("Made for a test".to_owned()))
            .item("price", AttributeValue::N(price.to_string()))
            .item("stock", AttributeValue::N(stock.to_string()))
            .send()
            .await
            .expect("the inventory table takes an item");
        id
    }

    pub fn customer(&self) -> String {
        format!("customer-{}", Uuid::new_v4())
    }

    pub async fn restock(&self, product: &str, stock: i64) {
        self.dynamodb
            .update_item()
            .table_name("inventory")
            .key("product_id", AttributeValue::S(product.to_owned()))
            .update_expression("SET stock = :stock")
            .expression_attribute_values(":stock", AttributeValue::N(stock.to_string()))
            .send()
            .await
            .expect("the inventory table takes an update");
    }

    pub async fn stock(&self, product: &str) -> i64 {
        let answer = self
            .dynamodb
            .get_item()
            .table_name("inventory")
            .key("product_id", AttributeValue::S(product.to_owned()))
            .consistent_read(true)
            .send()
            .await
            .expect("the inventory table answers");
        let item = answer.item.expect("the product exists");
        item["stock"].as_n().expect("a number").parse().expect("a whole number")
    }

    /// Every order of a product as the table has it: id, status, quantity.
    pub async fn orders_of(&self, product: &str) -> Vec<(String, String, i64)> {
        let mut orders = Vec::new();
        let mut pages = self
            .dynamodb
            .scan()
            .table_name("orders")
            .consistent_read(true)
            .filter_expression("product_id = :product")
            .expression_attribute_values(":product", AttributeValue::S(product.to_owned()))
            .into_paginator()
            .items()
            .send();
        while let Some(item) = pages.next().await {
            let item = item.expect("the orders table answers");
            let text = |name: &str| item[name].as_s().expect("a text").clone();
            let quantity = item["quantity"].as_n().expect("a number").parse().expect("a whole number");
            orders.push((text("order_id"), text("status"), quantity));
        }
        orders
    }

    /// Posts an order with the usual three fields.
    pub async fn order(&self, product: &str, quantity: i64, customer: &str) -> Answer {
        self.post("/orders", &json!({ "product_id": product, "quantity": quantity, "customer_id": customer })).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.http.post(format!("{}{path}", self.api)).json(body)).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.http.get(format!("{}{path}", self.api))).await
    }

    /// # Panics
    ///
    /// When no answer comes at all.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        self.try_send(request).await.expect("the service answers")
    }

    /// `None` when the connection fails, as it does while a service is down.
    pub async fn try_send(&self, request: reqwest::RequestBuilder) -> Option<Answer> {
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let text = response.text().await.ok()?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Some(Answer { status, headers, body })
    }

    /// Checks the promise that no order and no stock is ever lost, once nothing is in flight: no order is left pending,
    /// and what was in stock is what is in stock plus what was confirmed.
    ///
    /// # Panics
    ///
    /// When the promise is broken, with what is known of the orders kept in the bundle.
    pub async fn keeps_its_promise(&self, product: &str, initial: i64) -> Vec<(String, String, i64)> {
        let settled = |orders: &[(String, String, i64)]| orders.iter().all(|(_, status, _)| status != "pending");
        let end = std::time::Instant::now() + Duration::from_secs(60);
        let mut orders = self.orders_of(product).await;
        while !settled(&orders) && std::time::Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(100)).await;
            orders = self.orders_of(product).await;
        }
        let confirmed: i64 =
            orders.iter().filter(|(_, status, _)| status == "confirmed").map(|(_, _, count)| count).sum();
        let stock = self.stock(product).await;
        if !settled(&orders) || initial != stock + confirmed {
            self.events
                .keep("orders", &json!({ "product": product, "initial": initial, "stock": stock, "orders": orders }));
        }
        assert!(settled(&orders), "every order is settled in the end");
        assert_eq!(initial, stock + confirmed, "initial stock = stock + confirmed quantities");
        orders
    }
}

fn client(endpoint: &str) -> aws_sdk_dynamodb::Client {
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("devenv test sets {name}"));
    let http = aws_smithy_http_client::Builder::new().build_http();
    let credentials =
        Credentials::new(variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"), None, None, "environment");
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(variable("AWS_REGION")))
        .endpoint_url(endpoint)
        .credentials_provider(credentials)
        .http_client(http)
        .build();
    aws_sdk_dynamodb::Client::from_conf(config)
}
