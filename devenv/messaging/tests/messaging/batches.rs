use serde_json::{Value, json};

use crate::client::{Client, bodies};

fn entry(id: &str, body: &str) -> Value {
    json!({ "Id": id, "MessageBody": body })
}

#[tokio::test]
async fn batches_report_each_entry() {
    let client = Client::in_memory();
    let url = client.queue("orders", json!({ "MaximumMessageSize": "1024" })).await;
    let entries = json!([entry("a", "one"), entry("b", &"b".repeat(1025)), entry("c", "three")]);
    let sent = client.call("SendMessageBatch", json!({ "QueueUrl": url, "Entries": entries })).await;
    let ids = |list: &str, answer: &Value| -> Vec<String> {
        let list = answer[list].as_array().cloned().unwrap_or_default();
        list.iter().map(|entry| entry["Id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!(ids("Successful", &sent), ["a", "c"]);
    assert_eq!(ids("Failed", &sent), ["b"]);
    assert_eq!(sent["Failed"][0]["Code"], "InvalidParameterValue");
    assert_eq!(sent["Failed"][0]["SenderFault"], true);

    let received = client.receive(&url, json!({})).await;
    assert_eq!(bodies(&received), ["one", "three"]);
    let handles = |more: Value| -> Vec<Value> {
        let mut entries: Vec<Value> = received
            .iter()
            .enumerate()
            .map(|(number, message)| json!({ "Id": number.to_string(), "ReceiptHandle": message["ReceiptHandle"] }))
            .collect();
        entries.push(json!({ "Id": "wrong", "ReceiptHandle": "invented" }));
        for entry in &mut entries {
            entry.as_object_mut().expect("an entry").extend(more.as_object().expect("parameters").clone());
        }
        entries
    };
    let change = json!({ "QueueUrl": url, "Entries": handles(json!({ "VisibilityTimeout": 60 })) });
    let changed = client.call("ChangeMessageVisibilityBatch", change).await;
    assert_eq!(ids("Successful", &changed), ["0", "1"]);
    assert_eq!(changed["Failed"][0]["Code"], "ReceiptHandleIsInvalid");
    let deleted = client.call("DeleteMessageBatch", json!({ "QueueUrl": url, "Entries": handles(json!({})) })).await;
    assert_eq!(ids("Successful", &deleted), ["0", "1"]);
    assert_eq!(ids("Failed", &deleted), ["wrong"]);
    assert_eq!(client.attribute(&url, "ApproximateNumberOfMessagesNotVisible").await, "0");
}

#[tokio::test]
async fn a_batch_as_a_whole_has_limits() {
    let client = Client::in_memory();
    let url = client.queue("orders", json!({})).await;
    let eleven: Vec<Value> = (0..11).map(|number| entry(&number.to_string(), "b")).collect();
    let halves = json!([entry("a", &"b".repeat(600_000)), entry("b", &"b".repeat(600_000))]);
    for (entries, code) in [
        (json!([]), "EmptyBatchRequest"),
        (json!(eleven), "TooManyEntriesInBatchRequest"),
        (json!([entry("a", "b"), entry("a", "b")]), "BatchEntryIdsNotDistinct"),
        (json!([entry("a b", "b")]), "InvalidBatchEntryId"),
        (json!([entry("", "b")]), "InvalidBatchEntryId"),
        (halves, "BatchRequestTooLong"),
    ] {
        let (refused, _) = client.refused("SendMessageBatch", json!({ "QueueUrl": url, "Entries": entries })).await;
        assert_eq!(refused, format!("AWS.SimpleQueueService.{code}"));
    }
    assert_eq!(client.attribute(&url, "ApproximateNumberOfMessages").await, "0");
}
