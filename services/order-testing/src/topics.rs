use axum::Router;
use devenv_messaging::{Messaging, Place};
use order_service::topic::{TopicAddress, TopicArn};
use reqwest::Client;
use serde_json::{Value, json};

use crate::{
    Fault,
    faults::Faults,
    serving::{Serving, serve},
    sqs::{answer, call},
};

const ARN: &str = "arn:aws:sns:eu-west-1:000000000000:order-events";
const QUEUE: &str = "every-event";

/// SNS and SQS in memory, with the topic `order-events` and a queue that gets each of its messages raw.
pub struct Topics {
    faults: Faults,
    front: Serving,
    _server: Serving,
    queue_url: String,
    http: Client,
}

/// A message of the queue.
#[derive(Debug, Clone)]
pub struct Received {
    pub body: Value,
    /// From a name to the attribute's text.
    pub attributes: Value,
}

impl Topics {
    pub async fn start() -> Self {
        let topics = Self::without_topic().await;
        topics.create_topic().await;
        topics
    }

    /// Starts with the queue alone.
    pub async fn without_topic() -> Self {
        let messaging = Messaging::open(&Place::Memory).expect("messages in memory");
        let server = serve(Router::new().fallback(answer).with_state(messaging)).await;
        let faults = Faults::before(format!("{}/", server.url));
        let front = serve(faults.router()).await;
        let queue_url = format!("{}/000000000000/{QUEUE}", front.url);
        let topics = Self { faults, front, _server: server, queue_url, http: Client::new() };
        topics.queues("CreateQueue", json!({ "QueueName": QUEUE })).await;
        topics
    }

    /// Creates the topic, with its subscription.
    pub async fn create_topic(&self) {
        self.topic_call(&[("Action", "CreateTopic"), ("Name", "order-events")]).await;
        self.topic_call(&[
            ("Action", "Subscribe"),
            ("TopicArn", ARN),
            ("Protocol", "sqs"),
            ("Endpoint", &format!("arn:aws:sqs:eu-west-1:000000000000:{QUEUE}")),
            ("Attributes.entry.1.key", "RawMessageDelivery"),
            ("Attributes.entry.1.value", "true"),
        ])
        .await;
    }

    pub fn url(&self) -> &str {
        &self.front.url
    }

    pub fn address(&self) -> TopicAddress {
        TopicAddress { arn: TopicArn::parse(ARN).expect("an ARN"), endpoint: self.front.url.clone() }
    }

    /// Adds a fault for the next `PublishBatch` without one.
    pub fn fail_next(&self, fault: Fault) {
        self.faults.add("PublishBatch", fault);
    }

    /// Returns the number of faults that have not happened yet.
    pub fn faults_left(&self) -> usize {
        self.faults.left()
    }

    /// Takes the messages that are in the queue now, at most ten.
    pub async fn receive(&self) -> Vec<Received> {
        let request =
            json!({ "QueueUrl": self.queue_url, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"] });
        let answer = self.queues("ReceiveMessage", request).await;
        let mut received = Vec::new();
        for message in answer["Messages"].as_array().into_iter().flatten() {
            let body = serde_json::from_str(message["Body"].as_str().expect("a body")).expect("JSON");
            let texts = message["MessageAttributes"].as_object().into_iter().flatten();
            let attributes = texts.map(|(name, value)| (name.clone(), value["StringValue"].clone())).collect();
            received.push(Received { body, attributes });
            let handle = json!({ "QueueUrl": self.queue_url, "ReceiptHandle": message["ReceiptHandle"] });
            self.queues("DeleteMessage", handle).await;
        }
        received
    }

    async fn queues(&self, operation: &str, request: Value) -> Value {
        call(&self.http, &self.front.url, operation, &request).await
    }

    async fn topic_call(&self, parameters: &[(&str, &str)]) {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Version", "2010-03-31").extend_pairs(parameters);
        let answer = self
            .http
            .post(format!("{}/", self.front.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/sns/aws4_request, SignedHeaders=host, Signature=0",
            )
            .body(form.finish())
            .send()
            .await
            .expect("an answer");
        let status = answer.status();
        assert!(status.is_success(), "{parameters:?}: {status} {}", answer.text().await.unwrap_or_default());
    }
}
