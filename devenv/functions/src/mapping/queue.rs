//! What a mapping asks of a queue, over SQS's own protocol: any emulator will do.

use std::fmt;
use std::time::Duration;

use devenv_model::messaging::queue_url;
use devenv_resources::endpoint::{DUMMY, Endpoint};
use devenv_resources::json_wire::{SQS, Wire};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

/// SQS's limit for one request.
pub(crate) const BATCH: usize = 10;

pub(crate) type Answer<'a, T> = BoxFuture<'a, Result<T, String>>;

pub(crate) trait Queue: fmt::Debug + Send + Sync {
    /// Up to ten messages as `ReceiveMessage` has them; waits at most `wait` for the first, in whole seconds.
    fn receive(&self, count: usize, wait: Duration) -> Answer<'_, Vec<Value>>;
    /// Deletes received messages, at most ten.
    fn delete<'a>(&'a self, receipts: &'a [String]) -> Answer<'a, ()>;
    /// Makes received messages visible again, at most ten.
    fn release<'a>(&'a self, receipts: &'a [String]) -> Answer<'a, ()>;
}

#[derive(Debug)]
pub(crate) struct SqsQueue {
    wire: Wire,
    url: String,
}

impl SqsQueue {
    pub(crate) fn new(endpoint: &Endpoint, region: &str, queue: &str) -> Self {
        Self { wire: Wire::new(&SQS, endpoint.clone(), region, DUMMY), url: queue_url(&endpoint.to_string(), queue) }
    }

    async fn on_each(
        &self,
        operation: &'static str,
        receipts: &[String],
        more: Option<(&str, Value)>,
    ) -> Result<(), String> {
        let entry = |(index, receipt): (usize, &String)| {
            let mut entry = json!({ "Id": index.to_string(), "ReceiptHandle": receipt });
            if let Some((key, value)) = &more {
                entry[*key] = value.clone();
            }
            entry
        };
        let entries: Vec<Value> = receipts.iter().enumerate().map(entry).collect();
        let input = json!({ "QueueUrl": self.url, "Entries": entries });
        self.wire.call(operation, &input).await.map(drop).map_err(|error| error.to_string())
    }
}

impl Queue for SqsQueue {
    fn receive(&self, count: usize, wait: Duration) -> Answer<'_, Vec<Value>> {
        let input = json!({
            "QueueUrl": self.url, "MaxNumberOfMessages": count.min(BATCH), "WaitTimeSeconds": wait.as_secs().min(20),
            "MessageAttributeNames": ["All"], "MessageSystemAttributeNames": ["All"],
        });
        Box::pin(async move {
            let mut answer = self.wire.call("ReceiveMessage", &input).await.map_err(|error| error.to_string())?;
            Ok(answer["Messages"].as_array_mut().map(std::mem::take).unwrap_or_default())
        })
    }

    fn delete<'a>(&'a self, receipts: &'a [String]) -> Answer<'a, ()> {
        Box::pin(self.on_each("DeleteMessageBatch", receipts, None))
    }

    fn release<'a>(&'a self, receipts: &'a [String]) -> Answer<'a, ()> {
        Box::pin(self.on_each("ChangeMessageVisibilityBatch", receipts, Some(("VisibilityTimeout", 0.into()))))
    }
}
