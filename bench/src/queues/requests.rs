use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request};
use serde_json::{Value, json};

use crate::Failure;
use crate::load::Connection;

const TABLES: &str = "DynamoDB_20120810";
const QUEUES: &str = "AmazonSQS";
pub(crate) const TABLE: &str = "bench";
/// Characters of a message, and of an item: an event of the order system has about as many.
const LENGTH: usize = 500;

/// Sends one request and returns the body of its answer.
pub(crate) async fn call(connection: &mut Connection, target: &str, body: &Value) -> Result<Bytes, Failure> {
    let request = Request::builder()
        .method(Method::POST)
        .uri("/")
        .header("host", "localhost")
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", target)
        .header("x-amz-date", "20260101T000000Z")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=devenv/20260101/eu-west-1/any/aws4_request, SignedHeaders=host, Signature=0",
        )
        .body(Full::new(Bytes::from(body.to_string())))?;
    let response = connection.send_request(request).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    if status.is_success() {
        Ok(body)
    } else {
        Err(format!("{target}: {status} {}", String::from_utf8_lossy(&body)).into())
    }
}

pub(crate) async fn create(connection: &mut Connection, queue: &str) -> Result<String, Failure> {
    let attributes = json!({ "VisibilityTimeout": "600" });
    let body = json!({ "QueueName": queue, "Attributes": attributes });
    let answer: Value = serde_json::from_slice(&call(connection, &format!("{QUEUES}.CreateQueue"), &body).await?)?;
    Ok(answer["QueueUrl"].as_str().ok_or("a queue without a URL")?.to_owned())
}

pub(crate) async fn create_table(connection: &mut Connection) -> Result<(), Failure> {
    let table = json!({
        "TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
    });
    call(connection, &format!("{TABLES}.CreateTable"), &table).await.map(drop)
}

pub(crate) async fn put(connection: &mut Connection, id: &str) -> Result<(), Failure> {
    let item = json!({ "TableName": TABLE, "Item": { "id": { "S": id }, "event": { "S": "e".repeat(LENGTH) } } });
    call(connection, &format!("{TABLES}.PutItem"), &item).await.map(drop)
}

pub(crate) async fn send(connection: &mut Connection, url: &str) -> Result<(), Failure> {
    let message = json!({ "QueueUrl": url, "MessageBody": "e".repeat(LENGTH) });
    call(connection, &format!("{QUEUES}.SendMessage"), &message).await.map(drop)
}

pub(crate) async fn send_ten(connection: &mut Connection, url: &str) -> Result<(), Failure> {
    let entry = |number: usize| json!({ "Id": number.to_string(), "MessageBody": "e".repeat(LENGTH) });
    let batch = json!({ "QueueUrl": url, "Entries": (0..10).map(entry).collect::<Vec<_>>() });
    call(connection, &format!("{QUEUES}.SendMessageBatch"), &batch).await.map(drop)
}

/// Receives up to `most` messages and returns their handles.
pub(crate) async fn receive(connection: &mut Connection, url: &str, most: usize) -> Result<Vec<Value>, Failure> {
    let request = json!({ "QueueUrl": url, "MaxNumberOfMessages": most });
    let body = call(connection, &format!("{QUEUES}.ReceiveMessage"), &request).await?;
    let mut answer: Value = serde_json::from_slice(&body)?;
    let messages = answer["Messages"].as_array_mut().map(std::mem::take).unwrap_or_default();
    Ok(messages.into_iter().map(|mut message| message["ReceiptHandle"].take()).collect())
}

pub(crate) async fn delete(connection: &mut Connection, url: &str, handle: &Value) -> Result<(), Failure> {
    let request = json!({ "QueueUrl": url, "ReceiptHandle": handle });
    call(connection, &format!("{QUEUES}.DeleteMessage"), &request).await.map(drop)
}

pub(crate) async fn delete_ten(connection: &mut Connection, url: &str, handles: &[Value]) -> Result<(), Failure> {
    let entry = |(number, handle): (usize, &Value)| json!({ "Id": number.to_string(), "ReceiptHandle": handle });
    let entries: Vec<Value> = handles.iter().enumerate().map(entry).collect();
    let request = json!({ "QueueUrl": url, "Entries": entries });
    call(connection, &format!("{QUEUES}.DeleteMessageBatch"), &request).await.map(drop)
}

/// The visible messages of a queue.
pub(crate) async fn depth(connection: &mut Connection, url: &str) -> Result<usize, Failure> {
    let request = json!({ "QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessages"] });
    let body = call(connection, &format!("{QUEUES}.GetQueueAttributes"), &request).await?;
    let answer: Value = serde_json::from_slice(&body)?;
    let count = answer["Attributes"]["ApproximateNumberOfMessages"].as_str().ok_or("a queue without a depth")?;
    Ok(count.parse()?)
}
