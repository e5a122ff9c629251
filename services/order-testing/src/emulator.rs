use std::path::Path;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    config::{
        BehaviorVersion, Credentials, Region, SharedCredentialsProvider,
        retry::{RetryConfig, RetryPartition},
    },
    types::AttributeValue,
};
use dynoxide::Database;
use tokio::{net::TcpListener, sync::oneshot};

use crate::{
    faults::{Fault, Faults},
    serving::{Serving, serve},
};

/// A product in every emulator: price 29, stock 100.
pub const IN_STOCK: &str = "PROD001";
/// Another product in every emulator: price 49, stock 50.
pub const OTHER_IN_STOCK: &str = "PROD002";

/// A database with the project's tables and seed, in memory.
pub struct Emulator {
    pub client: Client,
    faults: Faults,
    front: Serving,
    /// Ends the server, if this process runs it.
    stop: Option<oneshot::Sender<()>>,
}

impl Emulator {
    pub async fn start() -> Self {
        let database = Database::memory().expect("a database in memory");
        for definition in definitions() {
            let request = serde_json::from_str(&definition).expect("a CreateTable input");
            database.create_table(request).expect("a valid table");
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let upstream = format!("http://{}/", listener.local_addr().expect("bound"));
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            dynoxide::server::serve_with_shutdown(listener, database, stopped)
                .await
                .expect("the server ends when told");
        });
        Self::before(upstream, Some(stop)).await
    }

    /// Makes one in front of another program's empty database, at a URL that ends with `/`.
    pub async fn at(upstream: &str) -> Self {
        let http = reqwest::Client::new();
        for definition in definitions() {
            let created = http
                .post(upstream)
                .header("x-amz-target", "DynamoDB_20120810.CreateTable")
                .header("content-type", "application/x-amz-json-1.0")
                .header(
                    "authorization",
                    "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
                )
                .body(definition)
                .send()
                .await
                .expect("the database answers");
            let status = created.status();
            assert!(status.is_success(), "{status}: {}", created.text().await.unwrap_or_default());
        }
        Self::before(upstream.to_owned(), None).await
    }

    async fn before(upstream: String, stop: Option<oneshot::Sender<()>>) -> Self {
        let faults = Faults::before(upstream);
        let front = serve(faults.router()).await;
        let emulator = Self { client: client(&front.url), faults, front, stop };
        emulator.put_product(IN_STOCK, 29, 100).await;
        emulator.put_product(OTHER_IN_STOCK, 49, 50).await;
        emulator
    }

    /// The emulator's URL.
    pub fn url(&self) -> &str {
        &self.front.url
    }

    /// Adds a fault for the next request of this operation (`PutItem`, ...) without one.
    pub fn fail_next(&self, operation: &'static str, fault: Fault) {
        self.faults.add(operation, fault);
    }

    /// Returns the last request of this operation (`PutItem`, ...), unchanged.
    pub fn last_request(&self, operation: &str) -> Option<serde_json::Value> {
        self.faults.last(operation)
    }

    /// Removes the faults that have not happened yet.
    pub fn forget_faults(&self) {
        self.faults.clear();
    }

    /// Returns the number of faults that have not happened yet.
    pub fn faults_left(&self) -> usize {
        self.faults.left()
    }

    pub async fn put_product(&self, product_id: &str, price: i64, stock: i64) {
        self.client
            .put_item()
            .table_name("inventory")
            .item("product_id", AttributeValue::S(product_id.to_owned()))
            .item("name", AttributeValue::S(format!("Product {product_id}")))
            .item("price", AttributeValue::N(price.to_string()))
            .item("stock", AttributeValue::N(stock.to_string()))
            .send()
            .await
            .expect("the emulator takes a product");
    }

    pub async fn stock(&self, product_id: &str) -> i64 {
        let item = self
            .client
            .get_item()
            .table_name("inventory")
            .key("product_id", AttributeValue::S(product_id.to_owned()))
            .consistent_read(true)
            .send()
            .await
            .expect("the emulator answers")
            .item
            .expect("the product is there");
        item["stock"].as_n().expect("a number").parse().expect("an integer")
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The server may have ended already.
            let _ = stop.send(());
        }
    }
}

/// Returns a client for the tests' own reads and writes, and for the service under test.
fn client(url: &str) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .endpoint_url(url)
        .http_client(order_service::aws::http_client())
        .retry_config(
            RetryConfig::standard().with_max_attempts(3).with_initial_backoff(std::time::Duration::from_millis(1)),
        )
        // Without this, all tests of the process share one retry allowance and use up each other's.
        .retry_partition(RetryPartition::new(url.to_owned()))
        .build();
    Client::from_conf(config)
}

/// Returns the configuration of a client of another service than the database.
pub fn aws_config() -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "tests")))
        .http_client(order_service::aws::http_client())
        .build()
}

/// Returns the `CreateTable` input of each table.
fn definitions() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../terraform/tables");
    let files = std::fs::read_dir(folder).expect("the table files are there");
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(file.expect("a readable folder").path()).expect("a readable table file")
    };
    files.map(read).collect()
}
