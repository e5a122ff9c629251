use axum::Router;
use devenv_messaging::{Messaging, Place};
use reqwest::Client;
use serde_json::{Value, json};

use crate::{
    serving::{Serving, serve},
    sqs::{answer, call},
};

/// SQS in memory, with a queue and its dead letters.
pub struct Queues {
    front: Serving,
    http: Client,
}

/// The name of the queue.
const QUEUE: &str = "reporting";
/// The name of the queue of its dead letters.
const DEAD: &str = "reporting-dead";

impl Queues {
    /// Starts with a queue that moves a message to the dead letters after `receives` receives.
    pub async fn start(receives: u32) -> Self {
        let messaging = Messaging::open(&Place::Memory).expect("messages in memory");
        let front = serve(Router::new().fallback(answer).with_state(messaging)).await;
        let queues = Self { front, http: Client::new() };
        queues.call("CreateQueue", json!({ "QueueName": DEAD })).await;
        let redrive = json!({ "deadLetterTargetArn": format!("arn:aws:sqs:eu-west-1:000000000000:{DEAD}"), "maxReceiveCount": receives });
        let attributes = json!({ "RedrivePolicy": redrive.to_string() });
        queues.call("CreateQueue", json!({ "QueueName": QUEUE, "Attributes": attributes })).await;
        queues
    }

    pub fn url(&self) -> &str {
        &self.front.url
    }

    pub fn queue_url(&self) -> String {
        self.url_of(QUEUE)
    }

    /// Sends messages.
    pub async fn send(&self, bodies: &[String]) {
        for batch in bodies.chunks(10) {
            let entries: Vec<Value> = (0..)
                .zip(batch)
                .map(|(index, body): (usize, _)| json!({ "Id": index.to_string(), "MessageBody": body }))
                .collect();
            let answer =
                self.call("SendMessageBatch", json!({ "QueueUrl": self.queue_url(), "Entries": entries })).await;
            assert!(answer["Failed"].as_array().is_none_or(Vec::is_empty), "{answer}");
        }
    }

    /// Returns the number of messages in the queue, visible or not.
    pub async fn left(&self) -> u64 {
        self.count(QUEUE).await
    }

    /// Returns the number of dead letters.
    pub async fn dead(&self) -> u64 {
        self.count(DEAD).await
    }

    async fn count(&self, queue: &str) -> u64 {
        let request = json!({ "QueueUrl": self.url_of(queue), "AttributeNames": ["All"] });
        let answer = self.call("GetQueueAttributes", request).await;
        ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            .iter()
            .map(|name| answer["Attributes"][name].as_str().expect("a number").parse::<u64>().expect("a number"))
            .sum()
    }

    fn url_of(&self, queue: &str) -> String {
        format!("{}/000000000000/{queue}", self.front.url)
    }

    async fn call(&self, operation: &str, request: Value) -> Value {
        call(&self.http, &self.front.url, operation, &request).await
    }
}
