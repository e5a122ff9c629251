use serde_json::{Value, json};

use crate::client::{Client, bodies};

async fn queue(client: &Client, more: Value) -> String {
    let mut attributes = json!({ "FifoQueue": "true", "ContentBasedDeduplication": "true" });
    attributes.as_object_mut().expect("attributes").extend(more.as_object().expect("attributes").clone());
    client.queue("orders.fifo", attributes).await
}

#[tokio::test]
async fn a_group_keeps_its_order_and_waits_for_its_messages_in_flight() {
    let client = Client::in_memory();
    let url = queue(&client, json!({})).await;
    for (group, body) in [("a", "a1"), ("b", "b1"), ("a", "a2"), ("a", "a3")] {
        client.send_to_group(&url, group, body).await;
    }
    let first = client.receive(&url, json!({ "MaxNumberOfMessages": 2 })).await;
    assert_eq!(bodies(&first), ["a1", "a2"]);
    let other = client.receive(&url, json!({})).await;
    assert_eq!(bodies(&other), ["b1"]);
    assert_eq!(client.receive(&url, json!({})).await.len(), 0);
    client.delete(&url, &first[0]).await;
    assert_eq!(client.receive(&url, json!({})).await.len(), 0);
    // What returns comes before what follows it.
    let visible = json!({ "QueueUrl": url, "ReceiptHandle": first[1]["ReceiptHandle"], "VisibilityTimeout": 0 });
    client.call("ChangeMessageVisibility", visible).await;
    assert_eq!(bodies(&client.receive(&url, json!({})).await), ["a2", "a3"]);
}

#[tokio::test]
async fn the_next_of_a_group_ends_a_long_poll() {
    let client = Client::in_memory();
    let url = queue(&client, json!({})).await;
    for body in ["1", "2"] {
        client.send_to_group(&url, "a", body).await;
    }
    let first = client.receive(&url, json!({ "MaxNumberOfMessages": 1 })).await;
    let poll = {
        let (client, url) = (client.clone(), url.clone());
        tokio::spawn(async move { client.receive(&url, json!({ "WaitTimeSeconds": 20 })).await })
    };
    client.delete(&url, &first[0]).await;
    let ended = tokio::time::timeout(std::time::Duration::from_secs(10), poll).await.expect("at once");
    assert_eq!(bodies(&ended.expect("no panic")), ["2"]);
}

#[tokio::test]
async fn a_repeated_message_is_the_first_one() {
    let client = Client::in_memory();
    let url = queue(&client, json!({})).await;
    let first = client.send_to_group(&url, "a", "one").await;
    let again = client.send_to_group(&url, "b", "one").await;
    assert_eq!(again["MessageId"], first["MessageId"]);
    assert_eq!(again["SequenceNumber"], first["SequenceNumber"]);
    let id = json!({ "QueueUrl": url, "MessageBody": "one", "MessageGroupId": "a", "MessageDeduplicationId": "1" });
    let own = client.call("SendMessage", id.clone()).await;
    assert_ne!(own["MessageId"], first["MessageId"]);
    assert!(own["SequenceNumber"].as_str() > first["SequenceNumber"].as_str());
    assert_eq!(client.attribute(&url, "ApproximateNumberOfMessages").await, "2");
    // Even after its deletion.
    let received = client.receive(&url, json!({})).await;
    assert_eq!(received[0]["Attributes"]["MessageGroupId"], "a");
    assert_eq!(received[0]["Attributes"]["SequenceNumber"], first["SequenceNumber"]);
    for message in &received {
        client.delete(&url, message).await;
    }
    assert_eq!(client.call("SendMessage", id).await["MessageId"], own["MessageId"]);
    assert_eq!(client.attribute(&url, "ApproximateNumberOfMessages").await, "0");
}

#[tokio::test]
async fn deduplication_can_be_by_group() {
    let client = Client::in_memory();
    let url =
        queue(&client, json!({ "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId" }))
            .await;
    for group in ["a", "b", "a"] {
        client.send_to_group(&url, group, "one").await;
    }
    assert_eq!(client.attribute(&url, "ApproximateNumberOfMessages").await, "2");
}

#[tokio::test]
async fn what_a_fifo_queue_needs_or_refuses() {
    let client = Client::in_memory();
    let url = queue(&client, json!({ "ContentBasedDeduplication": "false" })).await;
    for (more, code) in [
        (json!({ "MessageDeduplicationId": "1" }), "MissingParameter"),
        (json!({ "MessageGroupId": "a" }), "InvalidParameterValue"),
        (json!({ "MessageGroupId": "a b", "MessageDeduplicationId": "1" }), "InvalidParameterValue"),
        (json!({ "MessageGroupId": "a", "MessageDeduplicationId": "1", "DelaySeconds": 1 }), "InvalidParameterValue"),
    ] {
        let mut message = json!({ "QueueUrl": url, "MessageBody": "b" });
        message.as_object_mut().expect("a message").extend(more.as_object().expect("parameters").clone());
        assert_eq!(client.refused("SendMessage", message).await.0, code, "{more}");
    }
}

#[tokio::test]
async fn a_repeated_attempt_receives_the_same_messages() {
    let client = Client::in_memory();
    let url = queue(&client, json!({})).await;
    for (group, body) in [("a", "a1"), ("b", "b1")] {
        client.send_to_group(&url, group, body).await;
    }
    let attempt = json!({ "ReceiveRequestAttemptId": "1", "MaxNumberOfMessages": 1 });
    let first = client.receive(&url, attempt.clone()).await;
    let again = client.receive(&url, attempt.clone()).await;
    assert_eq!(bodies(&first), ["a1"]);
    assert_eq!(again[0]["ReceiptHandle"], first[0]["ReceiptHandle"]);
    client.delete(&url, &again[0]).await;
    assert_eq!(bodies(&client.receive(&url, attempt).await), ["b1"]);
}

#[tokio::test]
async fn an_expired_handle_deletes_nothing() {
    let client = Client::in_memory();
    let url = queue(&client, json!({})).await;
    client.send_to_group(&url, "a", "one").await;
    let first = client.receive(&url, json!({ "VisibilityTimeout": 0 })).await;
    let parameters = json!({ "QueueUrl": url, "ReceiptHandle": first[0]["ReceiptHandle"] });
    let (code, message) = client.refused("DeleteMessage", parameters).await;
    assert_eq!(code, "InvalidParameterValue");
    assert!(message.contains("expired"), "{message}");
    assert_eq!(bodies(&client.receive(&url, json!({})).await), ["one"]);
}
