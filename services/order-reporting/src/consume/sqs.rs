use std::{fmt, time::Duration};

use aws_config::{SdkConfig, timeout::TimeoutConfig};
use aws_sdk_sqs::{
    Client, Config,
    error::{ProvideErrorMetadata, SdkError},
    types::{ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry},
};
use order_service::causes::innermost;

use super::{
    process::Message,
    queue::{Delivery, MOST_MESSAGES, Queue, QueueError},
};
use crate::config::QueueUrl;

/// The time that SQS waits for a message: its maximum.
const WAIT: Duration = Duration::from_secs(20);

/// The time limit for an answer to a call that waits.
const ANSWER: Duration = Duration::from_secs(25);

/// The attribute with the trace of an event's order.
const TRACE: &str = "traceparent";

/// A queue of SQS.
#[derive(Clone)]
pub struct SqsQueue {
    client: Client,
    url: String,
}

impl SqsQueue {
    pub fn new(aws: &SdkConfig, url: QueueUrl) -> Self {
        Self { client: Client::new(aws), url: url.0 }
    }

    fn failed<E, R>(&self, operation: &'static str, error: &SdkError<E, R>) -> QueueError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: fmt::Debug + 'static,
    {
        let cause = match (error.code(), error.message()) {
            (Some(code), message) => format!("{code}: {}", message.unwrap_or("no message")),
            (None, _) => innermost(error),
        };
        QueueError { operation, queue: self.url.clone(), cause }
    }
}

impl Queue for SqsQueue {
    async fn receive(&self, visibility: Duration) -> Result<Vec<Delivery>, QueueError> {
        let patient = TimeoutConfig::builder().operation_attempt_timeout(ANSWER).operation_timeout(ANSWER).build();
        let answer = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(MOST_MESSAGES)
            .wait_time_seconds(seconds(WAIT))
            .visibility_timeout(seconds(visibility))
            .message_attribute_names(TRACE)
            .customize()
            .config_override(Config::builder().timeout_config(patient))
            .send()
            .await
            .map_err(|error| self.failed("ReceiveMessage", &error))?;
        let messages = answer.messages.unwrap_or_default().into_iter().filter_map(|message| {
            let trace = message.message_attributes.and_then(|mut attributes| attributes.remove(TRACE));
            Some(Delivery {
                message: Message {
                    id: message.message_id.unwrap_or_default(),
                    body: message.body.unwrap_or_default(),
                    trace: trace.and_then(|value| value.string_value),
                },
                handle: message.receipt_handle?,
            })
        });
        Ok(messages.collect())
    }

    async fn delete(&self, deliveries: &[&Delivery]) -> Result<usize, QueueError> {
        let mut call = self.client.delete_message_batch().queue_url(&self.url);
        for (index, delivery) in deliveries.iter().enumerate() {
            let entry =
                DeleteMessageBatchRequestEntry::builder().id(index.to_string()).receipt_handle(&delivery.handle);
            call = call.entries(entry.build().expect("an entry with an id and a handle"));
        }
        let answer = call.send().await.map_err(|error| self.failed("DeleteMessageBatch", &error))?;
        Ok(answer.failed.len())
    }

    async fn keep(&self, deliveries: &[&Delivery], visibility: Duration) -> Result<usize, QueueError> {
        let mut call = self.client.change_message_visibility_batch().queue_url(&self.url);
        for (index, delivery) in deliveries.iter().enumerate() {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(index.to_string())
                .receipt_handle(&delivery.handle)
                .visibility_timeout(seconds(visibility));
            call = call.entries(entry.build().expect("an entry with an id and a handle"));
        }
        let answer = call.send().await.map_err(|error| self.failed("ChangeMessageVisibilityBatch", &error))?;
        Ok(answer.failed.len())
    }
}

fn seconds(duration: Duration) -> i32 {
    duration.as_secs().try_into().unwrap_or(i32::MAX)
}
