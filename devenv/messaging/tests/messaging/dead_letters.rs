use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Client, bodies};

const ARN: &str = "arn:aws:sqs:eu-central-1:000000000000:";

/// A queue whose messages are dead after two receives, and its dead-letter queue.
async fn queues(client: &Client, suffix: &str) -> (String, String) {
    let fifo =
        if suffix.is_empty() { json!({}) } else { json!({ "FifoQueue": "true", "ContentBasedDeduplication": "true" }) };
    let dead = client.queue(&format!("dead{suffix}"), fifo.clone()).await;
    let mut attributes = fifo;
    attributes["VisibilityTimeout"] = "0".into();
    attributes["RedrivePolicy"] =
        json!({ "deadLetterTargetArn": format!("{ARN}dead{suffix}"), "maxReceiveCount": 2 }).to_string().into();
    (client.queue(&format!("orders{suffix}"), attributes).await, dead)
}

async fn tasks(client: &Client, suffix: &str) -> Value {
    let listed = json!({ "SourceArn": format!("{ARN}dead{suffix}"), "MaxResults": 10 });
    client.call("ListMessageMoveTasks", listed).await["Results"].clone()
}

/// Waits until the last task of the dead-letter queue has ended, and returns it.
async fn ended(client: &Client, suffix: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let last = tasks(client, suffix).await[0].clone();
        if last["Status"] != "RUNNING" {
            return last;
        }
        assert!(Instant::now() < deadline, "{last}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_message_received_too_often_is_a_dead_letter_and_can_return() {
    let client = Client::in_memory();
    for suffix in ["", ".fifo"] {
        let (url, dead) = queues(&client, suffix).await;
        let mut poison = json!({ "QueueUrl": url, "MessageBody": "poison" });
        if !suffix.is_empty() {
            poison["MessageGroupId"] = "a".into();
        }
        let sent = client.call("SendMessage", poison).await;
        for _ in 0..2 {
            assert_eq!(bodies(&client.receive(&url, json!({})).await), ["poison"]);
        }
        assert_eq!(client.receive(&url, json!({})).await.len(), 0);
        let letters = client.receive(&dead, json!({ "VisibilityTimeout": 0 })).await;
        assert_eq!(bodies(&letters), ["poison"]);
        assert_eq!(letters[0]["MessageId"], sent["MessageId"]);
        assert_eq!(letters[0]["Attributes"]["DeadLetterQueueSourceArn"], format!("{ARN}orders{suffix}"));
        let sources = client.call("ListDeadLetterSourceQueues", json!({ "QueueUrl": dead })).await;
        assert_eq!(sources["queueUrls"], json!([url]));

        let start = json!({ "SourceArn": format!("{ARN}dead{suffix}") });
        client.call("StartMessageMoveTask", start).await;
        let task = ended(&client, suffix).await;
        assert_eq!(task["Status"], "COMPLETED", "{task}");
        assert_eq!(task["ApproximateNumberOfMessagesMoved"], 1);
        let back = client.receive(&url, json!({})).await;
        assert_eq!(bodies(&back), ["poison"]);
        assert_eq!(back[0]["Attributes"]["ApproximateReceiveCount"], "1");
        assert_eq!(client.attribute(&dead, "ApproximateNumberOfMessages").await, "0");
    }
}

#[tokio::test]
async fn a_slow_task_can_be_cancelled_and_is_the_only_one() {
    let client = Client::in_memory();
    let (_url, dead) = queues(&client, "").await;
    for number in 0..10 {
        client.send(&dead, &number.to_string()).await;
    }
    client.queue("elsewhere", json!({})).await;
    let start = json!({
        "SourceArn": format!("{ARN}dead"), "DestinationArn": format!("{ARN}elsewhere"), "MaxNumberOfMessagesPerSecond": 1,
    });
    let started = client.call("StartMessageMoveTask", start.clone()).await;
    assert_eq!(client.refused("StartMessageMoveTask", start).await.0, "InvalidParameterValue");
    assert_eq!(tasks(&client, "").await[0]["TaskHandle"], started["TaskHandle"]);
    let cancelled = client.call("CancelMessageMoveTask", json!({ "TaskHandle": started["TaskHandle"] })).await;
    assert!(cancelled["ApproximateNumberOfMessagesMoved"].as_i64().expect("a number") < 10);
    assert_eq!(tasks(&client, "").await[0]["Status"], "CANCELLED");
    let again = json!({ "TaskHandle": started["TaskHandle"] });
    assert_eq!(client.refused("CancelMessageMoveTask", again).await.0, "ResourceNotFoundException");
}

#[tokio::test]
async fn a_message_without_a_source_stays_and_the_others_return() {
    let client = Client::in_memory();
    let (url, dead) = queues(&client, "").await;
    client.send(&dead, "sent here").await;
    client.send(&url, "poison").await;
    for _ in 0..3 {
        client.receive(&url, json!({})).await;
    }
    client.call("StartMessageMoveTask", json!({ "SourceArn": format!("{ARN}dead") })).await;
    let task = ended(&client, "").await;
    assert_eq!((&task["Status"], &task["FailureReason"]), (&json!("FAILED"), &json!("CouldNotDetermineMessageSource")));
    assert_eq!(bodies(&client.receive(&url, json!({})).await), ["poison"]);
    assert_eq!(bodies(&client.receive(&dead, json!({})).await), ["sent here"]);
}

#[tokio::test]
async fn a_task_ends_with_the_messages_that_it_began_with() {
    let client = Client::in_memory();
    let (_url, dead) = queues(&client, "").await;
    for number in 0..3 {
        client.send(&dead, &number.to_string()).await;
    }
    client.queue("elsewhere", json!({})).await;
    let start = json!({
        "SourceArn": format!("{ARN}dead"), "DestinationArn": format!("{ARN}elsewhere"), "MaxNumberOfMessagesPerSecond": 5,
    });
    client.call("StartMessageMoveTask", start).await;
    for number in 3..9 {
        client.send(&dead, &number.to_string()).await;
    }
    let task = ended(&client, "").await;
    assert_eq!((&task["Status"], &task["ApproximateNumberOfMessagesMoved"]), (&json!("COMPLETED"), &json!(3)));
    assert_eq!(client.attribute(&dead, "ApproximateNumberOfMessages").await, "6");
}

/// Such a queue could be made once.
#[tokio::test]
async fn a_queue_that_is_its_own_dead_letter_queue_keeps_its_messages() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("messages.sqlite");
    let client = Client::reopened(&path);
    let url = client.queue("own", json!({ "VisibilityTimeout": "0" })).await;
    client.send(&url, "poison").await;
    drop(client);
    let policy = json!({ "deadLetterTargetArn": format!("{ARN}own"), "maxReceiveCount": 1 }).to_string();
    let attributes = json!({ "VisibilityTimeout": "0", "RedrivePolicy": policy }).to_string();
    let file = rusqlite::Connection::open(&path).expect("a file of messages");
    file.busy_timeout(Duration::from_secs(20)).expect("a wait");
    file.execute("UPDATE queues SET attributes = ?1", [attributes]).expect("written");
    drop(file);
    let client = Client::reopened(&path);
    for _ in 0..3 {
        let received = tokio::time::timeout(Duration::from_secs(20), client.receive(&url, json!({}))).await;
        assert_eq!(bodies(&received.expect("a receive ends")), ["poison"]);
    }
}

#[tokio::test]
async fn wrong_policies_and_tasks_are_refused() {
    let client = Client::in_memory();
    client.queue("dead.fifo", json!({ "FifoQueue": "true" })).await;
    client
        .queue("closed", json!({ "RedriveAllowPolicy": json!({ "redrivePermission": "denyAll" }).to_string() }))
        .await;
    let by_queue = json!({ "redrivePermission": "byQueue", "sourceQueueArns": [format!("{ARN}friend")] }).to_string();
    client.queue("private", json!({ "RedriveAllowPolicy": by_queue })).await;
    let policy =
        |target: &str, most: Value| json!({ "deadLetterTargetArn": format!("{ARN}{target}"), "maxReceiveCount": most });
    for (policy, part) in [
        (policy("absent", json!(1)), "does not exist"),
        (policy("dead.fifo", json!(1)), "same type"),
        (policy("closed", json!(1)), "permission"),
        (policy("private", json!(1)), "permission"),
        (policy("private", json!(0)), "maxReceiveCount"),
        (json!({ "maxReceiveCount": 1 }), "deadLetterTargetArn"),
    ] {
        let parameters = json!({ "QueueName": "orders", "Attributes": { "RedrivePolicy": policy.to_string() } });
        let (code, message) = client.refused("CreateQueue", parameters).await;
        assert_eq!(code, "InvalidParameterValue");
        assert!(message.contains(part), "{message}");
    }
    let friend = json!({ "RedrivePolicy": policy("private", json!("3")).to_string() });
    client.queue("friend", friend).await;
    let url = client.queue("own", json!({})).await;
    let own = json!({ "QueueUrl": url, "Attributes": { "RedrivePolicy": policy("own", json!(1)).to_string() } });
    let (code, message) = client.refused("SetQueueAttributes", own).await;
    assert_eq!(code, "InvalidParameterValue");
    assert!(message.contains("another queue"), "{message}");
    let absent = json!({ "SourceArn": format!("{ARN}absent") });
    assert_eq!(client.refused("StartMessageMoveTask", absent).await.0, "ResourceNotFoundException");
    let no_dead_letters = json!({ "SourceArn": format!("{ARN}friend") });
    assert_eq!(client.refused("StartMessageMoveTask", no_dead_letters).await.0, "InvalidParameterValue");
}
