//! What happens after minutes or days, and with very many messages: the tests change the file while no program has it open.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Client, bodies};

struct Store {
    _folder: tempfile::TempDir,
    file: PathBuf,
}

impl Store {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("messages.sqlite");
        Self { _folder: folder, file }
    }

    fn open(&self) -> Client {
        Client::reopened(&self.file)
    }

    /// Closes the client's store, and changes the file.
    fn change(&self, client: Client, statements: &str) -> Client {
        drop(client);
        // Its thread closes the file a moment later.
        drop(Client::reopened(&self.file));
        let deadline = Instant::now() + Duration::from_secs(20);
        while let Err(error) = execute(&self.file, statements) {
            assert!(Instant::now() < deadline, "{error}");
            std::thread::sleep(Duration::from_millis(2));
        }
        self.open()
    }
}

fn execute(file: &Path, statements: &str) -> rusqlite::Result<()> {
    rusqlite::Connection::open(file)?.execute_batch(&format!("BEGIN IMMEDIATE; {statements}; COMMIT;"))
}

async fn eventually(client: &Client, url: &str, name: &str, value: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while client.attribute(url, name).await != value {
        assert!(Instant::now() < deadline, "{name} is {}", client.attribute(url, name).await);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn an_expired_message_is_neither_received_nor_kept() {
    let store = Store::new();
    let client = store.open();
    let url = client.queue("orders", json!({ "MessageRetentionPeriod": "60" })).await;
    for body in ["old", "new"] {
        client.send(&url, body).await;
    }
    let client = store.change(client, "UPDATE messages SET sent = sent - 60000 WHERE body = 'old'");
    assert_eq!(bodies(&client.receive(&url, json!({ "VisibilityTimeout": 0 })).await), ["new"]);
    let client = store.change(client, "UPDATE messages SET sent = sent - 60000");
    eventually(&client, &url, "ApproximateNumberOfMessages", "0").await;
}

#[tokio::test]
async fn a_fifo_message_is_another_one_after_five_minutes() {
    let store = Store::new();
    let client = store.open();
    let attributes = json!({ "FifoQueue": "true", "ContentBasedDeduplication": "true" });
    let url = client.queue("orders.fifo", attributes).await;
    let first = client.send_to_group(&url, "a", "one").await;
    let client = store.change(client, "UPDATE deduplications SET at = at - 299000");
    assert_eq!(client.send_to_group(&url, "a", "one").await["MessageId"], first["MessageId"]);
    let client = store.change(client, "UPDATE deduplications SET at = at - 1000");
    let again = client.send_to_group(&url, "a", "one").await;
    assert_ne!(again["MessageId"], first["MessageId"]);
    assert!(again["SequenceNumber"].as_str() > first["SequenceNumber"].as_str());
}

#[tokio::test]
async fn messages_in_flight_have_a_limit() {
    let store = Store::new();
    let client = store.open();
    let url = client.queue("orders", json!({ "VisibilityTimeout": "600" })).await;
    for body in ["one", "two"] {
        client.send(&url, body).await;
    }
    let in_flight = "INSERT INTO messages (queue, visible_at, is_received, receives, sent, message_id, body)
        WITH RECURSIVE counter(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < 119999)
        SELECT (SELECT id FROM queues), sent + 600000, 1, 1, sent, message_id, 'b' FROM counter, messages WHERE body = 'one'";
    let client = store.change(client, in_flight);
    let received = client.receive(&url, json!({})).await;
    assert_eq!(received.len(), 1);
    let receive = json!({ "QueueUrl": url });
    assert_eq!(client.refused("ReceiveMessage", receive).await.0, "OverLimit");
    client.delete(&url, &received[0]).await;
    assert_eq!(client.receive(&url, json!({})).await.len(), 1);
}

#[tokio::test]
async fn a_move_task_goes_on_after_a_crash() {
    let store = Store::new();
    let client = store.open();
    let arn = |name: &str| format!("arn:aws:sqs:eu-central-1:000000000000:{name}");
    let dead = client.queue("dead", json!({})).await;
    let policy = json!({ "deadLetterTargetArn": arn("dead"), "maxReceiveCount": 1 }).to_string();
    let url = client.queue("orders", json!({ "RedrivePolicy": policy })).await;
    for number in 0..10 {
        client.send(&dead, &number.to_string()).await;
    }
    let start = json!({ "SourceArn": arn("dead"), "DestinationArn": arn("orders"), "MaxNumberOfMessagesPerSecond": 1 });
    client.call("StartMessageMoveTask", start).await;
    let client = store.change(client, "UPDATE move_tasks SET per_second = NULL");
    eventually(&client, &url, "ApproximateNumberOfMessages", "10").await;
    let tasks: Value = client.call("ListMessageMoveTasks", json!({ "SourceArn": arn("dead") })).await;
    assert_eq!(tasks["Results"][0]["ApproximateNumberOfMessagesMoved"], 10, "{tasks}");
}
