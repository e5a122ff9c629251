//! Against a real DynamoDB Streams: the embedded one.

use std::sync::Arc;

use devenv_resources::endpoint::{DUMMY, Endpoint};
use devenv_resources::json_wire::{DYNAMODB, Wire};
use devenv_stream_source::client::AwsStreams;
use devenv_stream_source::delivery::Verdict;
use devenv_stream_source::service::{Fault, StreamService};
use devenv_stream_source::settings::StreamSettings;
use devenv_stream_source::source::{Notice, StreamSource};
use serde_json::{Value, json};

const REGION: &str = "eu-west-1";

async fn emulator() -> (Wire, Arc<dyn StreamService>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(dynoxide::server::serve_on(listener, dynoxide::Database::memory().expect("memory")));
    let endpoint = Endpoint::parse(&format!("http://{address}")).expect("loopback");
    let streams = AwsStreams::new(endpoint.clone(), REGION, DUMMY);
    (Wire::new(&DYNAMODB, endpoint, REGION, DUMMY), Arc::new(streams))
}

async fn create(tables: &Wire) {
    let table = json!({
        "TableName": "stock", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
    });
    tables.call("CreateTable", &table).await.expect("created");
}

async fn put(tables: &Wire, id: &str) {
    let item = json!({ "TableName": "stock", "Item": { "id": { "S": id } } });
    tables.call("PutItem", &item).await.expect("put");
}

/// The ids of the next batch, which is handled then.
async fn next(source: &mut StreamSource) -> Vec<String> {
    let batch = source.next_batch().await.expect("the emulator answers");
    let id = |record: &Value| record["dynamodb"]["Keys"]["id"]["S"].as_str().expect("an id").to_owned();
    let records = batch.records.iter().map(|record| record.for_function(&batch.stream, REGION));
    let records: Vec<Value> = records.collect();
    assert!(records.iter().all(|record| record["awsRegion"] == REGION && record["eventSourceARN"] == batch.stream));
    source.settle(&batch, Verdict::Handled);
    records.iter().map(id).collect()
}

#[tokio::test]
async fn writes_come_from_the_stream_and_go_on_from_a_checkpoint() {
    let (tables, streams) = emulator().await;
    let settings = |start: &str| StreamSettings::of(&json!({ "BatchSize": 2, "StartingPosition": start }));
    let absent = StreamSource::open(Arc::clone(&streams), "stock", settings("LATEST"), None).await;
    assert_eq!(absent.expect_err("no table"), Fault::Gone);
    create(&tables).await;
    put(&tables, "before").await;
    let mut latest = StreamSource::open(Arc::clone(&streams), "stock", settings("LATEST"), None).await.expect("opened");
    for id in ["a", "b", "c"] {
        put(&tables, id).await;
    }
    assert_eq!(next(&mut latest).await, ["a", "b"]);
    let kept = latest.checkpoint().to_json();
    let mut again =
        StreamSource::open(Arc::clone(&streams), "stock", settings("LATEST"), Some(&kept)).await.expect("opened");
    assert_eq!(next(&mut again).await, ["c"]);
    let mut all = StreamSource::open(streams, "stock", settings("TRIM_HORIZON"), None).await.expect("opened");
    assert_eq!([next(&mut all).await, next(&mut all).await].concat(), ["before", "a", "b", "c"]);
}

#[tokio::test]
async fn a_table_made_anew_goes_on() {
    let (tables, streams) = emulator().await;
    create(&tables).await;
    let settings = StreamSettings::of(&json!({ "StartingPosition": "LATEST" }));
    let mut source = StreamSource::open(streams, "stock", settings, None).await.expect("opened");
    put(&tables, "a").await;
    assert_eq!(next(&mut source).await, ["a"]);
    tables.call("DeleteTable", &json!({ "TableName": "stock" })).await.expect("deleted");
    // The source sees it without its table.
    source.next_batch().await.expect_err("no stream");
    create(&tables).await;
    put(&tables, "b").await;
    let mut read = next(&mut source).await;
    // Alone, dynoxide keeps the records of the table before; beside the emulator's index they end with it.
    read.retain(|id| id != "a");
    assert_eq!(read, ["b"]);
    assert!(matches!(source.take_notices()[..], [Notice::OtherStream { .. }]));
}
