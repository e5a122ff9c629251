//! Mappings of a table's stream in the embedded emulator.

use camino::Utf8PathBuf;
use devenv_model::functions::EventSource;
use devenv_resources::function_host::settings::{HostSettings, HostedMapping};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::host::{Host, LIMIT, eventually, function};
use crate::runtime::{Act, Program};

/// An emulator in this process, with the table `items` and its stream.
struct Table {
    _folder: tempfile::TempDir,
    data: Utf8PathBuf,
    url: String,
    client: reqwest::Client,
    task: JoinHandle<()>,
}

impl Drop for Table {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Table {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = camino::Utf8Path::from_path(folder.path()).expect("UTF-8").to_owned();
        let options =
            devenv_emulator::parse(["--listen", "127.0.0.1:0", "--memory", "--tables-only"].map(str::to_owned));
        let options = options.expect("complete");
        let (listening, ready) = oneshot::channel();
        let task = tokio::spawn(async move {
            let told = |address| {
                let _ = listening.send(address);
            };
            devenv_emulator::run(&options, told, std::future::pending()).await.expect("it serves");
        });
        let address = tokio::time::timeout(LIMIT, ready).await.expect("in time").expect("it listens");
        let client = reqwest::Client::builder().no_proxy().build().expect("no TLS");
        let table = Self { _folder: folder, data, url: format!("http://{}", address.main), client, task };
        let definition = json!({
            "TableName": "items", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
        });
        table.call("CreateTable", definition).await;
        table
    }

    async fn call(&self, operation: &str, input: Value) {
        let request = self.client.post(&self.url).header("content-type", "application/x-amz-json-1.0");
        let signature = "AWS4-HMAC-SHA256 Credential=devenv/20260101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0";
        let request = request.header("x-amz-target", format!("DynamoDB_20120810.{operation}"));
        let answer = request
            .header("authorization", signature)
            .header("x-amz-date", "20260101T000000Z")
            .body(input.to_string())
            .send()
            .await
            .expect("it answers");
        assert!(answer.status().is_success(), "{operation}: {}", answer.text().await.expect("a body"));
    }

    async fn put(&self, numbers: impl IntoIterator<Item = u32>) {
        for number in numbers {
            let item = json!({ "id": { "S": number.to_string() } });
            self.call("PutItem", json!({ "TableName": "items", "Item": item })).await;
        }
    }

    fn settings(&self, more: &Value) -> HostSettings {
        let mut definition = json!({ "StartingPosition": "TRIM_HORIZON", "BatchSize": 5 });
        definition.as_object_mut().expect("a mapping").extend(more.as_object().expect("a mapping").clone());
        let source = EventSource::Stream("items".to_owned());
        let (name, function_name) = ("api-items".to_owned(), "api".to_owned());
        HostSettings {
            streams: self.url.clone(),
            mappings: vec![HostedMapping { name, function: function_name, source, definition }],
            ..Host::settings(vec![function("api", 60, 1)], self.data.join("host"))
        }
    }
}

fn ids(events: &[Value]) -> Vec<u32> {
    let records = events.iter().flat_map(|event| event["Records"].as_array().expect("records").clone());
    records
        .map(|record| record["dynamodb"]["Keys"]["id"]["S"].as_str().expect("a key").parse().expect("a number"))
        .collect()
}

#[tokio::test]
async fn records_come_in_order_and_after_a_kill_from_where_they_were() {
    let table = Table::start().await;
    table.put(0..12).await;
    let host = Host::start(table.settings(&json!({}))).await;
    let program = Program::start(host.runtime(0, 0), |_| Act::Return(String::new()));
    eventually("all are handled", async || ids(&program.seen()).len() == 12).await;
    assert_eq!(ids(&program.seen()), (0..12).collect::<Vec<_>>());
    let record = &program.seen()[0]["Records"][0];
    assert_eq!((&record["eventSource"], &record["eventName"]), (&"aws:dynamodb".into(), &"INSERT".into()), "{record}");
    let kept = table.data.join("host/checkpoints/api-items.json");
    // A host that ends between an answer and its checkpoint hands the records over again.
    let handled = program.seen().last().expect("an event")["Records"].as_array().expect("records").last().cloned();
    let number = handled.expect("a record")["dynamodb"]["SequenceNumber"].to_string();
    let checkpoint = || std::fs::read_to_string(&kept).unwrap_or_default();
    eventually("the checkpoint is kept", async || checkpoint().contains(&number)).await;
    let last = checkpoint();
    drop((host, program));
    table.put(12..20).await;
    let host = Host::start(table.settings(&json!({}))).await;
    let program = Program::start(host.runtime(0, 0), |_| Act::Return(String::new()));
    eventually("the others are handled", async || ids(&program.seen()).contains(&19)).await;
    assert_eq!(ids(&program.seen()), (12..20).collect::<Vec<_>>());
    eventually("the checkpoint moved", async || checkpoint() != last).await;
}

#[tokio::test]
async fn a_record_that_fails_holds_up_the_later_ones_until_it_is_given_up() {
    let table = Table::start().await;
    table.put(0..6).await;
    let more = json!({ "FunctionResponseTypes": ["ReportBatchItemFailures"], "MaximumRetryAttempts": 2 });
    let host = Host::start(table.settings(&more)).await;
    let program = Program::start(host.runtime(0, 0), |event| {
        let records = event["Records"].as_array().expect("records").iter();
        let failed = records.filter(|record| record["dynamodb"]["Keys"]["id"]["S"] == "3");
        let failed: Vec<Value> =
            failed.map(|record| json!({ "itemIdentifier": record["dynamodb"]["SequenceNumber"] })).collect();
        Act::Return(json!({ "batchItemFailures": failed }).to_string())
    });
    eventually("the last one is handled", async || ids(&program.seen()).contains(&5)).await;
    let seen = ids(&program.seen());
    assert_eq!(&seen[..5], [0, 1, 2, 3, 4], "the first batch");
    assert!(
        seen.iter().filter(|id| **id == 2).count() == 1 && seen.iter().filter(|id| **id == 3).count() > 1,
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_filter_lets_only_some_records_through() {
    let table = Table::start().await;
    table.put(0..10).await;
    let pattern = json!({ "dynamodb": { "Keys": { "id": { "S": ["7"] } } } }).to_string();
    let host = Host::start(table.settings(&json!({ "FilterCriteria": { "Filters": [{ "Pattern": pattern }] } }))).await;
    let program = Program::start(host.runtime(0, 0), |_| Act::Return(String::new()));
    eventually("the record is handled", async || !program.seen().is_empty()).await;
    assert_eq!(ids(&program.seen()), [7]);
}
