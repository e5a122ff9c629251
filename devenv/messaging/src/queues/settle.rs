//! Deleting received messages, and changing how long they stay invisible.

use rusqlite::{OptionalExtension, params};
use serde_json::{Map, Value, json};

use super::dispatch::nothing;
use super::queue::Queue;
use super::receipt::Receipt;
use super::{batch, errors};
use crate::front::call::Call;
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

/// Seconds from a receive to the latest end of its invisibility.
const LONGEST: i64 = 43_200;

pub(crate) fn delete(transaction: &mut Transaction<'_>, call: &Call) -> Result<Value, ApiError> {
    let queue = transaction.queue_at(call.text("QueueUrl").unwrap_or_default())?;
    delete_one(transaction, &queue, &call.parameters)?;
    nothing()
}

pub(crate) fn delete_batch(transaction: &mut Transaction<'_>, call: &Call) -> Result<Value, ApiError> {
    let queue = transaction.queue_at(call.text("QueueUrl").unwrap_or_default())?;
    batch::run(batch::entries(call)?, |entry| delete_one(transaction, &queue, entry).map(|()| json!({})))
}

pub(crate) fn change_visibility(transaction: &mut Transaction<'_>, call: &Call) -> Result<Value, ApiError> {
    let queue = transaction.queue_at(call.text("QueueUrl").unwrap_or_default())?;
    change_one(transaction, &queue, &call.parameters)?;
    nothing()
}

pub(crate) fn change_visibility_batch(transaction: &mut Transaction<'_>, call: &Call) -> Result<Value, ApiError> {
    let queue = transaction.queue_at(call.text("QueueUrl").unwrap_or_default())?;
    batch::run(batch::entries(call)?, |entry| change_one(transaction, &queue, entry).map(|()| json!({})))
}

/// A message as the settlement of a receive sees it.
struct Held {
    row: i64,
    visible_at: i64,
    is_received: bool,
    receives: i64,
    last_received: i64,
    group: Option<String>,
}

fn held(transaction: &Transaction<'_>, receipt: &Receipt) -> Result<Option<Held>, ApiError> {
    let mut statement = transaction.connection.prepare_cached(
        "SELECT visible_at, is_received, receives, last_received, CASE WHEN sequence IS NULL THEN NULL ELSE group_id END
         FROM messages WHERE id = ?1 AND queue = ?2 AND message_id = ?3",
    )?;
    let found = statement.query_row(params![receipt.row, receipt.queue, receipt.message_id], |row| {
        Ok(Held {
            row: receipt.row,
            visible_at: row.get(0)?,
            is_received: row.get(1)?,
            receives: row.get(2)?,
            last_received: row.get::<_, Option<i64>>(3)?.unwrap_or_default(),
            group: row.get(4)?,
        })
    });
    Ok(found.optional()?)
}

/// Deletes a message. A message that is gone already counts as deleted; so does one of a standard queue that was received
/// again since. In a FIFO queue only the receive that still holds the message may delete it.
fn delete_one(
    transaction: &mut Transaction<'_>,
    queue: &Queue,
    parameters: &Map<String, Value>,
) -> Result<(), ApiError> {
    let handle = handle(parameters);
    let receipt = Receipt::decode(handle, queue.id)?;
    let Some(held) = held(transaction, &receipt)? else { return Ok(()) };
    let is_current = held.is_received && held.receives == receipt.receives && held.visible_at > transaction.now;
    if queue.settings.is_fifo && !is_current {
        return Err(ApiError::invalid_value("ReceiptHandle", handle, "The receipt handle has expired."));
    }
    transaction.connection.prepare_cached("DELETE FROM messages WHERE id = ?1")?.execute([held.row])?;
    release(transaction, queue, held.group.as_deref())
}

/// After a message has left its group, or may be received again: the others of a FIFO group may follow.
fn release(transaction: &mut Transaction<'_>, queue: &Queue, group: Option<&str>) -> Result<(), ApiError> {
    if let Some(group) = group {
        transaction.refresh_group(queue.id, group)?;
        transaction.wake(&queue.name);
    }
    Ok(())
}

fn change_one(
    transaction: &mut Transaction<'_>,
    queue: &Queue,
    parameters: &Map<String, Value>,
) -> Result<(), ApiError> {
    let handle = handle(parameters);
    let seconds = parameters.get("VisibilityTimeout").and_then(Value::as_i64);
    let seconds = seconds.ok_or_else(|| ApiError::missing_parameter("VisibilityTimeout"))?;
    if !(0..=LONGEST).contains(&seconds) {
        let reason = "VisibilityTimeout must be an integer between 0 and 43200.";
        return Err(ApiError::invalid_value("VisibilityTimeout", seconds, reason));
    }
    let receipt = Receipt::decode(handle, queue.id)?;
    let Some(held) = held(transaction, &receipt)? else {
        let reason = "Message does not exist or is not available for visibility timeout change.";
        return Err(ApiError::invalid_value("ReceiptHandle", handle, reason));
    };
    if !held.is_received || held.receives != receipt.receives || held.visible_at <= transaction.now {
        return Err(errors::not_in_flight(handle));
    }
    let visible_at = transaction.now + seconds * 1_000;
    if visible_at > held.last_received + LONGEST * 1_000 {
        let reason = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].";
        return Err(ApiError::invalid_value("VisibilityTimeout", seconds, reason));
    }
    transaction
        .connection
        .prepare_cached("UPDATE messages SET visible_at = ?2 WHERE id = ?1")?
        .execute(params![held.row, visible_at])?;
    release(transaction, queue, held.group.as_deref())?;
    transaction.wake(&queue.name);
    Ok(())
}

fn handle(parameters: &Map<String, Value>) -> &str {
    parameters.get("ReceiptHandle").and_then(Value::as_str).unwrap_or_default()
}
