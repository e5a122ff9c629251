use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::{Client, bodies};

#[tokio::test]
async fn a_received_message_is_invisible_until_its_timeout() {
    let client = Client::in_memory();
    let url = client.queue("orders", json!({ "VisibilityTimeout": "1" })).await;
    client.send(&url, "one").await;
    let first = client.receive(&url, json!({})).await;
    assert_eq!(client.receive(&url, json!({})).await.len(), 0);
    assert_eq!(client.attribute(&url, "ApproximateNumberOfMessagesNotVisible").await, "1");
    let again = client.receive(&url, json!({ "WaitTimeSeconds": 20 })).await;
    assert_eq!(again[0]["Attributes"]["ApproximateReceiveCount"], "2");
    let first_received =
        |message: &serde_json::Value| message["Attributes"]["ApproximateFirstReceiveTimestamp"].clone();
    assert_eq!(first_received(&again[0]), first_received(&first[0]));
    assert_ne!(again[0]["ReceiptHandle"], first[0]["ReceiptHandle"]);
    client.delete(&url, &again[0]).await;
    // A second deletion is one of a message that is gone.
    client.delete(&url, &again[0]).await;
    assert_eq!(client.attribute(&url, "ApproximateNumberOfMessagesNotVisible").await, "0");
}

#[tokio::test]
async fn the_timeout_of_one_message_changes() {
    let client = Client::in_memory();
    let url = client.queue("orders", json!({})).await;
    client.send(&url, "one").await;
    let message = client.receive(&url, json!({})).await.remove(0);
    let change = |seconds: i64| json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": seconds });
    client.call("ChangeMessageVisibility", change(100)).await;
    assert_eq!(client.receive(&url, json!({})).await.len(), 0);
    assert_eq!(client.refused("ChangeMessageVisibility", change(43_201)).await.0, "InvalidParameterValue");
    client.call("ChangeMessageVisibility", change(0)).await;
    let (code, _) = client.refused("ChangeMessageVisibility", change(10)).await;
    assert_eq!(code, "AWS.SimpleQueueService.MessageNotInflight");
    let again = client.receive(&url, json!({})).await;
    assert_eq!(bodies(&again), ["one"]);
    client.delete(&url, &again[0]).await;
    assert_eq!(client.refused("ChangeMessageVisibility", change(10)).await.0, "InvalidParameterValue");
}

#[tokio::test]
async fn handles_of_other_queues_and_inventions_are_refused() {
    let client = Client::in_memory();
    let (url, other) = (client.queue("orders", json!({})).await, client.queue("others", json!({})).await);
    client.send(&url, "one").await;
    let message = client.receive(&url, json!({})).await.remove(0);
    for (queue, handle) in
        [(&other, message["ReceiptHandle"].as_str().expect("a text")), (&url, "invented"), (&url, "")]
    {
        let parameters = json!({ "QueueUrl": queue, "ReceiptHandle": handle });
        assert_eq!(client.refused("DeleteMessage", parameters).await.0, "ReceiptHandleIsInvalid", "{handle}");
    }
}

#[tokio::test]
async fn a_long_poll_ends_with_the_first_message() {
    let client = Client::in_memory();
    let url = client.queue("orders", json!({ "ReceiveMessageWaitTimeSeconds": "20" })).await;
    let polls: Vec<_> = (0..3)
        .map(|_| {
            let (client, url) = (client.clone(), url.clone());
            tokio::spawn(async move { client.receive(&url, json!({ "MaxNumberOfMessages": 1 })).await })
        })
        .collect();
    let began = Instant::now();
    for number in 0..3 {
        client.send(&url, &number.to_string()).await;
    }
    let mut received = Vec::new();
    for poll in polls {
        received.extend(poll.await.expect("no panic"));
    }
    let mut bodies = bodies(&received);
    bodies.sort_unstable();
    assert_eq!(bodies, ["0", "1", "2"]);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_long_poll_without_messages_ends_in_time_and_a_drain_ends_it_at_once() {
    let client = Client::in_memory();
    let url = client.queue("orders", json!({})).await;
    let began = Instant::now();
    assert_eq!(client.receive(&url, json!({ "WaitTimeSeconds": 1 })).await.len(), 0);
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    let poll = {
        let (client, url) = (client.clone(), url.clone());
        tokio::spawn(async move { client.receive(&url, json!({ "WaitTimeSeconds": 20 })).await })
    };
    client.0.drain();
    let ended = tokio::time::timeout(Duration::from_secs(10), poll).await.expect("at once").expect("no panic");
    assert_eq!(ended.len(), 0);
}

#[tokio::test]
async fn a_long_poll_that_was_given_up_takes_no_message() {
    let client = Client::in_memory();
    let url = client.queue("orders", json!({})).await;
    let given_up = client.receive(&url, json!({ "WaitTimeSeconds": 20 }));
    assert!(tokio::time::timeout(Duration::from_millis(50), given_up).await.is_err(), "there is no message");
    client.send(&url, "one").await;
    assert_eq!(bodies(&client.receive(&url, json!({})).await), ["one"]);
}

#[tokio::test]
async fn parameters_out_of_range_are_refused() {
    let client = Client::in_memory();
    let url = client.queue("orders", json!({})).await;
    for more in [
        json!({ "MaxNumberOfMessages": 0 }),
        json!({ "MaxNumberOfMessages": 11 }),
        json!({ "VisibilityTimeout": -1 }),
        json!({ "VisibilityTimeout": 43201 }),
        json!({ "WaitTimeSeconds": 21 }),
        json!({ "ReceiveRequestAttemptId": "1" }),
    ] {
        let mut parameters = more.clone();
        parameters["QueueUrl"] = url.clone().into();
        assert_eq!(client.refused("ReceiveMessage", parameters).await.0, "InvalidParameterValue", "{more}");
    }
}

#[tokio::test]
async fn a_purge_removes_what_is_visible_and_what_is_not() {
    let client = Client::in_memory();
    let url = client.queue("orders", json!({ "VisibilityTimeout": "0" })).await;
    for body in ["one", "two"] {
        client.send(&url, body).await;
    }
    client.receive(&url, json!({ "MaxNumberOfMessages": 1, "VisibilityTimeout": 30 })).await;
    client.call("PurgeQueue", json!({ "QueueUrl": url })).await;
    for name in ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] {
        assert_eq!(client.attribute(&url, name).await, "0");
    }
}
