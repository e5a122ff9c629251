use std::{collections::HashMap, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use order_service::{Lifecycle, StartError};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::runtime_api::{FunctionError, Invocation, RuntimeApi, RuntimeApiError};
use crate::{
    consume::{Condition, Fate, Message, Patience, ReadModel, process},
    metrics::ConsumerMetrics,
};

/// The attempts after the first one, within an invocation. An outage that is longer returns the messages to the queue.
const MORE_ATTEMPTS: usize = 2;

/// The time that a host of functions may be absent, such as an emulator that starts again.
const ABSENCE: Duration = Duration::from_secs(30);

/// A batch of messages, as an event source mapping of SQS sends it.
#[derive(Deserialize)]
struct SqsEvent {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    message_id: String,
    body: String,
    #[serde(default)]
    message_attributes: HashMap<String, Attribute>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attribute {
    string_value: Option<String>,
}

/// The answer of a mapping with `ReportBatchItemFailures`: the messages that stay in the queue.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    batch_item_failures: Vec<ItemFailure>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemFailure {
    item_identifier: String,
}

/// Takes events from Lambda until the process drains. `start` makes the figures' store; its failure is the function's failure to
/// start.
pub async fn run_function<M: ReadModel>(
    address: &str,
    start: impl FnOnce() -> Result<M, String>,
    metrics: ConsumerMetrics,
    lifecycle: Lifecycle,
) -> Result<(), StartError> {
    let api = RuntimeApi::new(address).map_err(|error| StartError::Other(error.to_string()))?;
    let model = match start() {
        Ok(model) => model,
        Err(message) => {
            let error = FunctionError { kind: "Function.Configuration", message };
            note(api.fail_init(&error).await);
            return Err(StartError::Other(error.message));
        }
    };
    let function = Function { model, metrics, condition: Condition::default() };
    loop {
        let invocation = tokio::select! {
            next = patiently(&api) => next.map_err(|error| StartError::Other(error.to_string()))?,
            () = lifecycle.draining() => return Ok(()),
        };
        let done = match function.handle(&invocation).await {
            Ok(answer) => api.respond(&invocation.id, &answer).await,
            Err(error) => api.fail(&invocation.id, &error).await,
        };
        note(done);
    }
}

/// Waits for an event, and meanwhile for a host that is absent.
async fn patiently(api: &RuntimeApi) -> Result<Invocation, RuntimeApiError> {
    let mut absent_since = Instant::now();
    let mut pauses = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(20))
        .with_max_delay(Duration::from_secs(1))
        .without_max_times()
        .build();
    loop {
        let asked = Instant::now();
        match api.next().await {
            Err(error) if error.unreachable => {
                // A host that was there a moment ago is absent only since then.
                if asked.elapsed() > ABSENCE {
                    absent_since = Instant::now();
                }
                if absent_since.elapsed() > ABSENCE {
                    return Err(error);
                }
                tracing::warn!(%error, "waiting for events");
                tokio::time::sleep(pauses.next().unwrap_or_default()).await;
            }
            next => return next,
        }
    }
}

/// Logs an answer that did not arrive. The messages come again, and count as duplicates.
fn note(done: Result<(), RuntimeApiError>) {
    if let Err(error) = done {
        tracing::warn!(%error, "cannot answer");
    }
}

struct Function<M> {
    model: M,
    metrics: ConsumerMetrics,
    condition: Condition,
}

impl<M: ReadModel> Function<M> {
    async fn handle(&self, invocation: &Invocation) -> Result<Answer, FunctionError> {
        let event: SqsEvent = serde_json::from_slice(&invocation.body).map_err(|error| FunctionError {
            kind: "Function.Event",
            message: format!("the event is not a batch of SQS messages: {error}"),
        })?;
        let messages: Vec<Message> = event.records.into_iter().map(Message::from).collect();
        let all: Vec<&Message> = messages.iter().collect();
        let work = process(&self.model, &all, Patience::Attempts(MORE_ATTEMPTS), &self.metrics, &self.condition);
        let fates = tokio::time::timeout(invocation.time, work).await.unwrap_or_else(|_| {
            tracing::warn!(request_id = invocation.id, "the time of the invocation is over; its messages come again");
            vec![Fate::Left; messages.len()]
        });
        let failed = messages.into_iter().zip(fates).filter(|(_, fate)| *fate != Fate::Counted);
        let batch_item_failures = failed.map(|(message, _)| ItemFailure { item_identifier: message.id }).collect();
        Ok(Answer { batch_item_failures })
    }
}

impl From<Record> for Message {
    fn from(record: Record) -> Self {
        let mut attributes = record.message_attributes;
        let trace = attributes.remove("traceparent").and_then(|attribute| attribute.string_value);
        Self { id: record.message_id, body: record.body, trace }
    }
}
