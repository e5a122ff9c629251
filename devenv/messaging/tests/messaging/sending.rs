use serde_json::{Value, json};

use crate::client::{Client, bodies};

/// From the documented algorithm, computed with Python's hashlib.
const MD5_OF_ATTRIBUTES: &str = "455877423cf7d7c46ee41a257951e6da";

fn attributes() -> Value {
    json!({
        "type": { "DataType": "String", "StringValue": "order.confirmed" },
        "count": { "DataType": "Number.int", "StringValue": "12" },
        "bytes": { "DataType": "Binary", "BinaryValue": "AAEC" },
    })
}

#[tokio::test]
async fn a_message_keeps_its_content_and_both_digests() {
    let client = Client::in_memory();
    let url = client.queue("orders", json!({})).await;
    let sent = client
        .call(
            "SendMessage",
            json!({
                "QueueUrl": url, "MessageBody": "hello", "MessageAttributes": attributes(),
                "MessageSystemAttributes": { "AWSTraceHeader": { "DataType": "String", "StringValue": "Root=1" } },
            }),
        )
        .await;
    assert_eq!(sent["MD5OfMessageBody"], "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(sent["MD5OfMessageAttributes"], MD5_OF_ATTRIBUTES);
    assert_eq!(sent["MD5OfMessageSystemAttributes"], "d6619b3d47b81d3fc72c0db005a70eda");
    let received = client.receive(&url, json!({})).await;
    let message = &received[0];
    assert_eq!(message["Body"], "hello");
    assert_eq!(message["MessageId"], sent["MessageId"]);
    assert_eq!(message["MD5OfBody"], sent["MD5OfMessageBody"]);
    assert_eq!(message["MD5OfMessageAttributes"], MD5_OF_ATTRIBUTES);
    assert_eq!(message["MessageAttributes"], attributes());
    assert_eq!(message["Attributes"]["AWSTraceHeader"], "Root=1");
    assert_eq!(message["Attributes"]["ApproximateReceiveCount"], "1");
    assert!(message["Attributes"]["SentTimestamp"].as_str().expect("a time").len() == 13);
}

#[tokio::test]
async fn only_the_attributes_that_are_asked_for_come_along() {
    let client = Client::in_memory();
    let url = client.queue("orders", json!({ "VisibilityTimeout": "0" })).await;
    let message = json!({ "QueueUrl": url, "MessageBody": "b", "MessageAttributes": {
        "a.one": { "DataType": "String", "StringValue": "1" },
        "a.two": { "DataType": "String", "StringValue": "2" },
        "b": { "DataType": "String", "StringValue": "3" },
    } });
    client.call("SendMessage", message).await;
    for (asked, names) in [
        (json!([]), vec![]),
        (json!(["b"]), vec!["b"]),
        (json!(["a.*"]), vec!["a.one", "a.two"]),
        (json!([".*"]), vec!["a.one", "a.two", "b"]),
        (json!(["absent"]), vec![]),
    ] {
        let more = json!({ "MessageAttributeNames": asked, "MessageSystemAttributeNames": [] });
        let received = client.receive(&url, more).await;
        let found: Vec<&String> =
            received[0]["MessageAttributes"].as_object().map(|found| found.keys().collect()).unwrap_or_default();
        assert_eq!(found, names, "{asked}");
        assert_eq!(received[0].get("Attributes"), None);
        assert_eq!(received[0].get("MD5OfMessageAttributes").is_some(), !names.is_empty());
    }
    let unknown = json!({ "QueueUrl": url, "MessageSystemAttributeNames": ["Colour"] });
    assert_eq!(client.refused("ReceiveMessage", unknown).await.0, "InvalidAttributeName");
}

#[tokio::test]
async fn a_message_that_no_queue_takes_is_refused() {
    let client = Client::in_memory();
    let url = client.queue("orders", json!({ "MaximumMessageSize": "1024" })).await;
    let string = |text: &str| json!({ "a": { "DataType": "String", "StringValue": text } });
    let of_type = |kind: &str| json!({ "a": { "DataType": kind, "StringValue": "1" } });
    for (more, code) in [
        (json!({ "MessageBody": "" }), "MissingParameter"),
        (json!({ "MessageBody": "\u{1}" }), "InvalidMessageContents"),
        (json!({ "MessageBody": "b".repeat(1025) }), "InvalidParameterValue"),
        (json!({ "MessageBody": "b".repeat(1024), "MessageAttributes": string("x") }), "InvalidParameterValue"),
        (json!({ "MessageAttributes": string("") }), "InvalidParameterValue"),
        (json!({ "MessageAttributes": of_type("Colour") }), "InvalidParameterValue"),
        (json!({ "MessageAttributes": of_type("Binary") }), "InvalidParameterValue"),
        (
            json!({ "MessageAttributes": { "a": { "DataType": "Number", "StringValue": "one" } } }),
            "InvalidParameterValue",
        ),
        (
            json!({ "MessageAttributes": { "AWS.a": { "DataType": "String", "StringValue": "1" } } }),
            "InvalidParameterValue",
        ),
        (
            json!({ "MessageAttributes": { "a..b": { "DataType": "String", "StringValue": "1" } } }),
            "InvalidParameterValue",
        ),
        (json!({ "DelaySeconds": 901 }), "InvalidParameterValue"),
        (json!({ "MessageDeduplicationId": "1" }), "InvalidParameterValue"),
        (json!({ "MessageSystemAttributes": string("x") }), "InvalidParameterValue"),
    ] {
        let mut message = json!({ "QueueUrl": url, "MessageBody": "b" });
        for (name, value) in more.as_object().expect("parameters") {
            message[name] = value.clone();
        }
        let (refused, reason) = client.refused("SendMessage", message).await;
        assert_eq!(refused, code, "{more}: {reason}");
    }
    assert_eq!(client.attribute(&url, "ApproximateNumberOfMessages").await, "0");
    client.send(&url, &"b".repeat(1024)).await;
}

#[tokio::test]
async fn delays_of_queues_and_of_messages_hold_messages_back() {
    let client = Client::in_memory();
    let url = client.queue("orders", json!({ "DelaySeconds": "900" })).await;
    client.send(&url, "later").await;
    client.call("SendMessage", json!({ "QueueUrl": url, "MessageBody": "soon", "DelaySeconds": 1 })).await;
    client.call("SendMessage", json!({ "QueueUrl": url, "MessageBody": "now", "DelaySeconds": 0 })).await;
    assert_eq!(bodies(&client.receive(&url, json!({})).await), ["now"]);
    assert_eq!(client.attribute(&url, "ApproximateNumberOfMessagesDelayed").await, "2");
    let waited = client.receive(&url, json!({ "WaitTimeSeconds": 20 })).await;
    assert_eq!(bodies(&waited), ["soon"]);
    assert_eq!(client.attribute(&url, "ApproximateNumberOfMessagesDelayed").await, "1");
    assert_eq!(client.attribute(&url, "ApproximateNumberOfMessagesNotVisible").await, "2");
}
