use serde_json::{Map, Value, json};

use super::attributes::LARGEST_MESSAGE;
use super::message::{NewMessage, check_attributes, md5_of_attributes, md5_of_body};
use super::queue::Queue;
use super::{batch, errors, message};
use crate::front::call::Call;
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

const TRACE: &str = "AWSTraceHeader";

pub(crate) fn one(transaction: &mut Transaction<'_>, call: &Call) -> Result<Value, ApiError> {
    let queue = transaction.queue_at(call.text("QueueUrl").unwrap_or_default())?;
    send(transaction, &queue, &call.parameters)
}

pub(crate) fn batch(transaction: &mut Transaction<'_>, call: &Call) -> Result<Value, ApiError> {
    let queue = transaction.queue_at(call.text("QueueUrl").unwrap_or_default())?;
    let none = Map::new();
    let size = |entry: &Map<String, Value>| {
        let attributes = entry.get("MessageAttributes").and_then(Value::as_object).unwrap_or(&none);
        message::size(entry.get("MessageBody").and_then(Value::as_str).unwrap_or_default(), attributes)
    };
    let entries = batch::entries(call)?;
    let size: usize = entries.iter().map(|(_, entry)| size(entry)).sum();
    let limit = usize::try_from(LARGEST_MESSAGE).unwrap_or(usize::MAX);
    if size > limit {
        return Err(errors::batch_too_long(limit, size));
    }
    batch::run(entries, |entry| send(transaction, &queue, entry))
}

fn send(transaction: &mut Transaction<'_>, queue: &Queue, parameters: &Map<String, Value>) -> Result<Value, ApiError> {
    let message = read(parameters)?;
    let enqueued = transaction.enqueue(queue, &message)?;
    let mut sent = json!({ "MessageId": enqueued.message_id, "MD5OfMessageBody": md5_of_body(&message.body) });
    if !message.attributes.is_empty() {
        sent["MD5OfMessageAttributes"] = md5_of_attributes(&message.attributes).into();
    }
    if let Some(system) =
        parameters.get("MessageSystemAttributes").and_then(Value::as_object).filter(|it| !it.is_empty())
    {
        sent["MD5OfMessageSystemAttributes"] = md5_of_attributes(system).into();
    }
    if let Some(sequence) = enqueued.sequence {
        sent["SequenceNumber"] = sequence_number(sequence).into();
    }
    Ok(sent)
}

/// Sequence numbers have 20 digits, so that their order is the order of their texts.
pub(crate) fn sequence_number(sequence: i64) -> String {
    format!("{sequence:020}")
}

fn read(parameters: &Map<String, Value>) -> Result<NewMessage, ApiError> {
    let text = |name: &str| parameters.get(name).and_then(Value::as_str).map(str::to_owned);
    let object = |name: &str| parameters.get(name).and_then(Value::as_object);
    Ok(NewMessage {
        body: text("MessageBody").unwrap_or_default(),
        attributes: object("MessageAttributes").cloned().unwrap_or_default(),
        trace: object("MessageSystemAttributes").map(trace).transpose()?.flatten(),
        group: text("MessageGroupId"),
        deduplication: text("MessageDeduplicationId"),
        delay: parameters.get("DelaySeconds").and_then(Value::as_i64),
    })
}

/// The one system attribute that a sender may set.
fn trace(system: &Map<String, Value>) -> Result<Option<String>, ApiError> {
    check_attributes(system)?;
    if let Some(unknown) = system.keys().find(|name| *name != TRACE) {
        return Err(ApiError::invalid_parameter(format!("Message system attribute name '{unknown}' is invalid.")));
    }
    let Some(value) = system.get(TRACE) else { return Ok(None) };
    match (value.get("DataType").and_then(Value::as_str), value.get("StringValue").and_then(Value::as_str)) {
        (Some("String"), Some(text)) => Ok(Some(text.to_owned())),
        _ => Err(ApiError::invalid_parameter(format!("Message system attribute '{TRACE}' must be a String."))),
    }
}
