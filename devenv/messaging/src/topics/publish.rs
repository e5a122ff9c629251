use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::envelope::Published;
use super::errors::{invalid, unsupported};
use super::fan_out::Subscribers;
use super::message::{LARGEST, Message};
use super::request::{Request, text};
use super::topic::Topic;
use super::{fan_out, repetition};
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

const MOST_ENTRIES: usize = 10;
const LONGEST_ID: usize = 80;

pub(super) fn publish(transaction: &mut Transaction<'_>, request: &Request) -> Result<Value, ApiError> {
    if request.text("PhoneNumber").is_some() {
        return Err(unsupported("PhoneNumber", "text messages", "publish to a topic"));
    }
    let (parameter, arn) = match (request.text("TopicArn"), request.text("TargetArn")) {
        (Some(arn), None) => ("TopicArn", arn),
        (None, Some(arn)) => ("TargetArn", arn),
        _ => return Err(invalid("TopicArn or TargetArn Reason: exactly one is needed")),
    };
    let mut topic = Topic::of(transaction, arn, parameter)?;
    let message = Message::read(&request.parameters, &topic)?;
    let subscribers = Subscribers::of(transaction, &topic)?;
    let published = one(transaction, request, (&mut topic, &subscribers), &message)?;
    Ok(answer(&published))
}

pub(super) fn publish_batch(transaction: &mut Transaction<'_>, request: &Request) -> Result<Value, ApiError> {
    let mut topic = Topic::of(transaction, request.required("TopicArn")?, "TopicArn")?;
    let entries: Vec<&Map<String, Value>> =
        request.list("PublishBatchRequestEntries").iter().filter_map(Value::as_object).collect();
    check_ids(&entries)?;
    let messages: Vec<_> = entries.iter().map(|entry| Message::read(entry, &topic)).collect();
    let size: usize = messages.iter().flatten().map(|message| message.size).sum();
    if size > LARGEST {
        return Err(whole(
            "BatchRequestTooLong",
            "The length of all the messages put together is more than the limit.",
        ));
    }
    let subscribers = Subscribers::of(transaction, &topic)?;
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (entry, message) in entries.iter().zip(messages) {
        let id = text(entry, "Id").unwrap_or_default();
        match message {
            Ok(message) => {
                let mut result = answer(&one(transaction, request, (&mut topic, &subscribers), &message)?);
                result["Id"] = json!(id);
                successful.push(result);
            }
            Err(error) => failed.push(json!({
                "Id": id, "Code": error.query_code, "Message": error.message, "SenderFault": true,
            })),
        }
    }
    Ok(json!({ "Successful": successful, "Failed": failed }))
}

fn check_ids(entries: &[&Map<String, Value>]) -> Result<(), ApiError> {
    if entries.is_empty() {
        return Err(whole("EmptyBatchRequest", "The batch request doesn't contain any entries."));
    }
    if entries.len() > MOST_ENTRIES {
        let reason = format!(
            "The batch request contains more entries than permissible: {}, limit {MOST_ENTRIES}.",
            entries.len()
        );
        return Err(whole("TooManyEntriesInBatchRequest", reason));
    }
    let mut seen = BTreeSet::new();
    for id in entries.iter().map(|entry| text(entry, "Id").unwrap_or_default()) {
        let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if !plain || !(1..=LONGEST_ID).contains(&id.len()) {
            return Err(whole(
                "InvalidBatchEntryId",
                format!("The Id {id:?} of a batch entry doesn't abide by the specification."),
            ));
        }
        if !seen.insert(id) {
            return Err(whole(
                "BatchEntryIdsNotDistinct",
                format!("Two or more batch entries in the request have the same Id: {id}."),
            ));
        }
    }
    Ok(())
}

fn whole(code: &'static str, reason: impl Into<String>) -> ApiError {
    ApiError::sender(code, reason)
}

fn answer(published: &Published) -> Value {
    let mut answer = json!({ "MessageId": published.message_id });
    if let Some(sequence) = &published.sequence {
        answer["SequenceNumber"] = json!(sequence);
    }
    answer
}

/// Publishes to every subscription in the call's transaction. A repetition in a FIFO topic gets the answer of the first.
fn one(
    transaction: &mut Transaction<'_>,
    request: &Request,
    (topic, subscribers): (&mut Topic, &Subscribers),
    message: &Message,
) -> Result<Published, ApiError> {
    let at = transaction.now;
    let message_id = Uuid::new_v4().to_string();
    if !topic.is_fifo {
        let published = Published { message_id, sequence: None, at };
        fan_out::publish(transaction, request, (topic, subscribers), message, None, &published)?;
        return Ok(published);
    }
    let id = repetition::id(message);
    if let Some((message_id, sequence)) = repetition::find(transaction, topic, message, &id)? {
        return Ok(Published { message_id, sequence: Some(in_digits(sequence)), at });
    }
    topic.sequence += 1;
    topic.save(transaction)?;
    repetition::remember(transaction, topic, message, &id, &message_id)?;
    let published = Published { message_id, sequence: Some(in_digits(topic.sequence)), at };
    fan_out::publish(transaction, request, (topic, subscribers), message, Some(&id), &published)?;
    Ok(published)
}

/// A sequence number has 20 digits, so that texts compare as numbers do.
fn in_digits(sequence: i64) -> String {
    format!("1{sequence:019}")
}
