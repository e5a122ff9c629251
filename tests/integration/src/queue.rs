use std::time::Duration;

use reqwest_tls::Client;
use serde_json::{Value, json};

use crate::{Settings, signed};

/// Time limit of a request, longer than a poll.
pub(crate) const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// The largest number of messages of one request.
const MOST: usize = 10;

/// A queue of the environment, over the wire protocol of SQS.
#[derive(Debug, Clone)]
pub struct Queue {
    http: Client,
    endpoint: String,
    url: String,
    region: String,
}

/// A received message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub body: String,
    /// The value of the attribute `type`.
    pub kind: Option<String>,
    receipt: String,
}

/// The messages of a queue, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    pub visible: u64,
    /// Received, and neither deleted nor visible again.
    pub in_flight: u64,
    pub delayed: u64,
}

impl Depth {
    pub const NONE: Self = Self { visible: 0, in_flight: 0, delayed: 0 };
}

impl Queue {
    /// # Panics
    /// When the environment has no queues.
    pub fn new(settings: &Settings, name: &str) -> Self {
        let endpoint = settings.sqs.clone().expect("AWS_ENDPOINT_URL_SQS is set: run `cargo devenv test`");
        let http = Client::builder().no_proxy().timeout(ANSWER_LIMIT).build().expect("a plain HTTP client can be made");
        // The account of every emulator.
        let url = format!("{endpoint}/000000000000/{name}");
        Self { http, endpoint, url, region: settings.region.clone() }
    }

    /// Creates a queue of a test's own.
    ///
    /// # Panics
    /// When the environment has no queues, or refuses this one.
    pub async fn create(settings: &Settings, name: &str) -> Self {
        let queue = Self::new(settings, name);
        queue.call("CreateQueue", json!({ "QueueName": name })).await.unwrap_or_else(|reason| panic!("{reason}"));
        queue
    }

    /// Deletes the queue.
    ///
    /// # Errors
    /// When the emulator does not answer.
    pub async fn remove(self) -> Result<(), String> {
        self.call("DeleteQueue", json!({})).await.map(drop)
    }

    /// # Errors
    /// When the emulator does not answer.
    pub async fn depth(&self) -> Result<Depth, String> {
        const NAMES: [&str; 3] = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ];
        let answer = self.call("GetQueueAttributes", json!({ "AttributeNames": NAMES })).await?;
        let number = |name: &str| {
            let text = answer["Attributes"][name].as_str();
            text.and_then(|text| text.parse().ok()).ok_or_else(|| format!("no {name} in {answer}"))
        };
        Ok(Depth { visible: number(NAMES[0])?, in_flight: number(NAMES[1])?, delayed: number(NAMES[2])? })
    }

    /// # Errors
    /// When the emulator does not answer.
    pub async fn send(&self, body: &str) -> Result<(), String> {
        self.call("SendMessage", json!({ "MessageBody": body })).await.map(drop)
    }

    /// Receives up to ten messages, which are visible again at once unless they are deleted within `hidden` seconds.
    ///
    /// # Errors
    /// When the emulator does not answer.
    pub async fn receive(&self, hidden: u32) -> Result<Vec<Received>, String> {
        let input = json!({
            "MaxNumberOfMessages": MOST, "VisibilityTimeout": hidden, "WaitTimeSeconds": 0,
            "MessageAttributeNames": ["All"],
        });
        let answer = self.call("ReceiveMessage", input).await?;
        let read = |message: &Value| {
            let text = |value: &Value| value.as_str().map(str::to_owned);
            Some(Received {
                body: text(&message["Body"])?,
                kind: text(&message["MessageAttributes"]["type"]["StringValue"]),
                receipt: text(&message["ReceiptHandle"])?,
            })
        };
        let messages = answer["Messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        messages.iter().map(|message| read(message).ok_or_else(|| format!("this is no message: {message}"))).collect()
    }

    /// # Errors
    /// When the emulator does not answer, or keeps one of them.
    pub async fn delete(&self, messages: &[Received]) -> Result<(), String> {
        for some in messages.chunks(MOST) {
            let entry = |(index, message): (usize, &Received)| json!({ "Id": index.to_string(), "ReceiptHandle": message.receipt });
            let entries: Vec<Value> = some.iter().enumerate().map(entry).collect();
            let answer = self.call("DeleteMessageBatch", json!({ "Entries": entries })).await?;
            if answer["Failed"].as_array().is_some_and(|failed| !failed.is_empty()) {
                return Err(format!("messages are not deleted: {answer}"));
            }
        }
        Ok(())
    }

    /// Receives and deletes what is visible.
    ///
    /// # Errors
    /// When the emulator does not answer.
    pub async fn drain(&self) -> Result<Vec<Received>, String> {
        let mut all = Vec::new();
        loop {
            let received = self.receive(30).await?;
            if received.is_empty() {
                return Ok(all);
            }
            self.delete(&received).await?;
            all.extend(received);
        }
    }

    async fn call(&self, operation: &str, mut input: Value) -> Result<Value, String> {
        if operation != "CreateQueue" {
            input["QueueUrl"] = self.url.clone().into();
        }
        let request = self
            .http
            .post(&self.endpoint)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("AmazonSQS.{operation}"))
            .body(input.to_string());
        let body = signed::send(request, "sqs", &self.region, operation).await?;
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&body).map_err(|error| format!("{operation}: {error}: {body}"))
    }
}
