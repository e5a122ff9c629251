use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::dispatch::nothing;
use super::queue::Queue;
use crate::front::call::Call;
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

const MOST: usize = 50;
/// In characters.
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

/// Adds tags; one with the same key is replaced.
pub(crate) fn merge(tags: &mut BTreeMap<String, String>, given: &Map<String, Value>) -> Result<(), ApiError> {
    for (key, value) in given {
        let value = value.as_str().unwrap_or_default();
        let refused = |reason: &str| Err(ApiError::invalid_parameter(format!("The tag {key} {reason}")));
        match (key.chars().count(), value.chars().count()) {
            (0, _) => return refused("has no key."),
            (length, _) if length > LONGEST_KEY => return refused("has a key of more than 128 characters."),
            (_, length) if length > LONGEST_VALUE => return refused("has a value of more than 256 characters."),
            _ if key.starts_with("aws:") => return refused("has the reserved prefix aws:."),
            _ => {}
        }
        tags.insert(key.clone(), value.to_owned());
    }
    if tags.len() > MOST {
        return Err(ApiError::invalid_parameter(format!("Too many tags: a queue can have {MOST}.")));
    }
    Ok(())
}

pub(crate) fn add(transaction: &mut Transaction<'_>, call: &Call) -> Result<Value, ApiError> {
    let queue = transaction.queue_at(call.text("QueueUrl").unwrap_or_default())?;
    let mut changed = Queue::clone(&queue);
    if let Some(given) = call.parameters.get("Tags").and_then(Value::as_object) {
        merge(&mut changed.tags, given)?;
    }
    transaction.save_queue(&changed)?;
    nothing()
}

pub(crate) fn remove(transaction: &mut Transaction<'_>, call: &Call) -> Result<Value, ApiError> {
    let queue = transaction.queue_at(call.text("QueueUrl").unwrap_or_default())?;
    let mut changed = Queue::clone(&queue);
    for key in call.texts("TagKeys") {
        changed.tags.remove(key);
    }
    transaction.save_queue(&changed)?;
    nothing()
}

pub(crate) fn list(transaction: &mut Transaction<'_>, call: &Call) -> Result<Value, ApiError> {
    let queue = transaction.queue_at(call.text("QueueUrl").unwrap_or_default())?;
    if queue.tags.is_empty() { nothing() } else { Ok(json!({ "Tags": queue.tags })) }
}
