//! SQS over AwsJson 1.0.

use std::collections::BTreeMap;

use devenv_model::messaging::{queue_arn, queue_url};
use serde_json::{Map, Value, json};

use super::queue_service::{Attributes, MoveState, MoveTask, QueueService};
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::json_wire::{SQS, Wire};
use crate::provider::Answer;

/// The exceptions for an absent queue, in either protocol's spelling.
const ABSENT: [&str; 2] = ["QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"];

#[derive(Debug)]
pub(crate) struct Sqs {
    wire: Wire,
    endpoint: Endpoint,
    region: String,
}

impl Sqs {
    pub(crate) fn new(endpoint: &Endpoint, region: &str, access_key: &str) -> Self {
        let wire = Wire::new(&SQS, endpoint.clone(), region, access_key);
        Self { wire, endpoint: endpoint.clone(), region: region.to_owned() }
    }

    async fn call(&self, operation: &'static str, input: &Value) -> Result<Value, Error> {
        self.wire.call(operation, input).await.map_err(|error| error.or_lacks(&self.endpoint))
    }

    /// An operation on one queue, with the other parameters of its input.
    async fn on(&self, queue: &str, operation: &'static str, mut input: Value) -> Result<Value, Error> {
        input["QueueUrl"] = queue_url(&self.endpoint.to_string(), queue).into();
        self.call(operation, &input).await
    }
}

fn is_absent(error: &Error) -> bool {
    ABSENT.iter().any(|exception| error.is(exception))
}

fn texts(mapping: &Value) -> BTreeMap<String, String> {
    let text = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
    mapping.as_object().into_iter().flatten().filter_map(text).collect()
}

impl QueueService for Sqs {
    fn create<'a>(&'a self, definition: &'a Value) -> Answer<'a, ()> {
        Box::pin(async move { self.call("CreateQueue", definition).await.map(drop) })
    }

    fn attributes<'a>(&'a self, queue: &'a str) -> Answer<'a, Option<Attributes>> {
        Box::pin(async move {
            match self.on(queue, "GetQueueAttributes", json!({ "AttributeNames": ["All"] })).await {
                Ok(answer) => Ok(Some(texts(&answer["Attributes"]))),
                Err(error) if is_absent(&error) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    fn set_attributes<'a>(&'a self, queue: &'a str, attributes: &'a Attributes) -> Answer<'a, ()> {
        let input = json!({ "Attributes": attributes });
        Box::pin(async move { self.on(queue, "SetQueueAttributes", input).await.map(drop) })
    }

    fn tags<'a>(&'a self, queue: &'a str) -> Answer<'a, BTreeMap<String, String>> {
        Box::pin(async move { Ok(texts(&self.on(queue, "ListQueueTags", json!({})).await?["Tags"])) })
    }

    fn tag<'a>(&'a self, queue: &'a str, key: &'a str, value: &'a str) -> Answer<'a, ()> {
        let input = json!({ "Tags": { key: value } });
        Box::pin(async move { self.on(queue, "TagQueue", input).await.map(drop) })
    }

    fn send<'a>(&'a self, queue: &'a str, message: &'a Value) -> Answer<'a, ()> {
        Box::pin(async move { self.on(queue, "SendMessage", message.clone()).await.map(drop) })
    }

    fn receive<'a>(&'a self, queue: &'a str, seconds: u32) -> Answer<'a, Vec<Value>> {
        let input = json!({
            "MaxNumberOfMessages": 10, "VisibilityTimeout": seconds, "WaitTimeSeconds": 0,
            "MessageAttributeNames": ["All"], "MessageSystemAttributeNames": ["All"],
        });
        Box::pin(async move {
            let mut answer = self.on(queue, "ReceiveMessage", input).await?;
            Ok(answer["Messages"].as_array_mut().map(std::mem::take).unwrap_or_default())
        })
    }

    fn release<'a>(&'a self, queue: &'a str, receipt: &'a str) -> Answer<'a, ()> {
        let input = json!({ "ReceiptHandle": receipt, "VisibilityTimeout": 0 });
        Box::pin(async move { self.on(queue, "ChangeMessageVisibility", input).await.map(drop) })
    }

    fn delete<'a>(&'a self, queue: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            match self.on(queue, "DeleteQueue", Value::Object(Map::new())).await {
                Err(error) if !is_absent(&error) => Err(error),
                _ => Ok(()),
            }
        })
    }

    fn purge<'a>(&'a self, queue: &'a str) -> Answer<'a, ()> {
        Box::pin(async move { self.on(queue, "PurgeQueue", Value::Object(Map::new())).await.map(drop) })
    }

    fn start_move<'a>(&'a self, dead_letter: &'a str, destination: Option<&'a str>) -> Answer<'a, ()> {
        let mut input = json!({ "SourceArn": queue_arn(&self.region, dead_letter) });
        if let Some(queue) = destination {
            input["DestinationArn"] = queue_arn(&self.region, queue).into();
        }
        Box::pin(async move { self.call("StartMessageMoveTask", &input).await.map(drop) })
    }

    fn latest_move<'a>(&'a self, dead_letter: &'a str) -> Answer<'a, Option<MoveTask>> {
        let input = json!({ "SourceArn": queue_arn(&self.region, dead_letter), "MaxResults": 1 });
        Box::pin(async move {
            let answer = self.call("ListMessageMoveTasks", &input).await?;
            Ok(answer["Results"].get(0).map(task))
        })
    }
}

fn task(result: &Value) -> MoveTask {
    let moved = result["ApproximateNumberOfMessagesMoved"].as_u64().unwrap_or_default();
    let state = match result["Status"].as_str() {
        Some("COMPLETED") => MoveState::Completed,
        Some("RUNNING" | "CANCELLING") => MoveState::Running,
        other => {
            MoveState::Ended { reason: result["FailureReason"].as_str().or(other).unwrap_or("no status").to_owned() }
        }
    };
    MoveTask { state, moved }
}
