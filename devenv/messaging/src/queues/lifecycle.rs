//! Queues come, change and go.

use std::collections::BTreeMap;

use rusqlite::params;
use serde_json::{Map, Value, json};

use super::attributes::{self, Attributes};
use super::dispatch::nothing;
use super::queue::{Queue, write};
use super::redrive_policy::RedrivePolicy;
use super::{errors, name, tags};
use crate::front::call::Call;
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

pub(crate) fn create(transaction: &mut Transaction<'_>, call: &Call) -> Result<Value, ApiError> {
    let name = call.text("QueueName").unwrap_or_default();
    let none = Map::new();
    let given = call.parameters.get("Attributes").and_then(Value::as_object).unwrap_or(&none);
    let is_fifo = given.get("FifoQueue").and_then(Value::as_str) == Some("true");
    check_name(name, is_fifo)?;
    let mut attributes = Attributes::new();
    attributes::change(&mut attributes, given, is_fifo)?;
    let answer = json!({ "QueueUrl": name::url(&call.base, name) });
    if let Some(queue) = transaction.find_queue(name)? {
        return match difference(&queue, given) {
            Some(attribute) => Err(errors::queue_exists(attribute)),
            None => Ok(answer),
        };
    }
    transaction.check_dead_letters(name, &attributes)?;
    let mut tags = BTreeMap::new();
    if let Some(given) = call.parameters.get("tags").and_then(Value::as_object) {
        tags::merge(&mut tags, given)?;
    }
    transaction
        .connection
        .prepare_cached(
            "INSERT INTO queues (name, region, created, modified, attributes, tags) VALUES (?1, ?2, ?3, ?3, ?4, ?5)",
        )?
        .execute(params![name, call.region, transaction.now, write(&attributes), write(&tags)])?;
    Ok(answer)
}

fn check_name(name: &str, is_fifo: bool) -> Result<(), ApiError> {
    let kind = if is_fifo { "The name of a FIFO queue can" } else { "Can" };
    if !name::is_valid(name) || name::is_fifo(name) != is_fifo {
        let suffix = if is_fifo { ", end with the .fifo suffix" } else { "" };
        return Err(ApiError::invalid_parameter(format!(
            "{kind} only include alphanumeric characters, hyphens, or underscores{suffix} and be 1 to 80 in length"
        )));
    }
    Ok(())
}

/// The first of the given attributes that the queue has with another value.
fn difference<'a>(queue: &Queue, given: &'a Map<String, Value>) -> Option<&'a str> {
    let differs = |(name, value): &(&String, &Value)| {
        let has = attributes::value(&queue.attributes, name, queue.settings.is_fifo).unwrap_or_default();
        let text = value.as_str().unwrap_or_default();
        // A policy may be written in several ways.
        let as_json = |text: &str| serde_json::from_str::<Value>(text).ok();
        has != text && !(as_json(has).is_some() && as_json(has) == as_json(text))
    };
    given.iter().find(differs).map(|(name, _)| name.as_str())
}

pub(crate) fn url(transaction: &mut Transaction<'_>, call: &Call) -> Result<Value, ApiError> {
    let name = call.text("QueueName").unwrap_or_default();
    if call.text("QueueOwnerAWSAccountId").is_some_and(|account| account != name::ACCOUNT) {
        return Err(errors::no_queue());
    }
    match transaction.find_queue(name)? {
        Some(_) => Ok(json!({ "QueueUrl": name::url(&call.base, name) })),
        None => Err(errors::no_queue()),
    }
}

pub(crate) fn set_attributes(transaction: &mut Transaction<'_>, call: &Call) -> Result<Value, ApiError> {
    let queue = transaction.queue_at(call.text("QueueUrl").unwrap_or_default())?;
    let none = Map::new();
    let given = call.parameters.get("Attributes").and_then(Value::as_object).unwrap_or(&none);
    let mut changed = Queue::clone(&queue);
    attributes::change(&mut changed.attributes, given, queue.settings.is_fifo)?;
    if given.contains_key("RedrivePolicy") {
        transaction.check_dead_letters(&queue.name, &changed.attributes)?;
    }
    transaction.save_queue(&changed)?;
    nothing()
}

pub(crate) fn delete(transaction: &mut Transaction<'_>, call: &Call) -> Result<Value, ApiError> {
    let queue = transaction.queue_at(call.text("QueueUrl").unwrap_or_default())?;
    transaction.remove_messages(queue.id)?;
    for table in ["deduplications", "receive_attempts"] {
        transaction.connection.execute(&format!("DELETE FROM {table} WHERE queue = ?1"), [queue.id])?;
    }
    transaction.connection.execute("DELETE FROM queues WHERE id = ?1", [queue.id])?;
    transaction.cache.queues.remove(&queue.name);
    transaction.cache.budgets.remove(&queue.id);
    // Long polls find that their queue is gone.
    transaction.wake(&queue.name);
    nothing()
}

pub(crate) fn purge(transaction: &mut Transaction<'_>, call: &Call) -> Result<Value, ApiError> {
    let queue = transaction.queue_at(call.text("QueueUrl").unwrap_or_default())?;
    transaction.remove_messages(queue.id)?;
    nothing()
}

impl Transaction<'_> {
    fn remove_messages(&mut self, queue: i64) -> Result<(), ApiError> {
        for table in ["messages", "message_groups"] {
            self.connection.execute(&format!("DELETE FROM {table} WHERE queue = ?1"), [queue])?;
        }
        Ok(())
    }

    /// Refuses a redrive policy whose target is absent, of the other kind, or does not take this queue's dead letters.
    fn check_dead_letters(&mut self, name: &str, attributes: &Attributes) -> Result<(), ApiError> {
        let Some(text) = attributes.get("RedrivePolicy") else { return Ok(()) };
        let policy = RedrivePolicy::parse(text)?;
        let invalid = |reason: &str| Err(ApiError::invalid_value("RedrivePolicy", text, reason));
        if policy.target == name {
            return invalid("The dead-letter queue must be another queue.");
        }
        let Some(target) = self.find_queue(&policy.target)? else {
            return invalid("Dead letter target does not exist.");
        };
        if target.settings.is_fifo != name::is_fifo(name) {
            return invalid("Dead-letter queue must be same type of queue as the source.");
        }
        if !target.settings.redrive_allow.allows(name) {
            return invalid(&format!("Queue {name} does not have permission to use dead letter target."));
        }
        Ok(())
    }
}
