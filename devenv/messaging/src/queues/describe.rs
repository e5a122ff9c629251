use rusqlite::params;
use serde_json::{Map, Value, json};

use super::attributes::{self, COMPUTED};
use super::errors;
use super::queue::Queue;
use crate::front::call::Call;
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

pub(crate) fn attributes(transaction: &mut Transaction<'_>, call: &Call) -> Result<Value, ApiError> {
    let queue = transaction.queue_at(call.text("QueueUrl").unwrap_or_default())?;
    let asked: Vec<&str> = call.texts("AttributeNames").collect();
    let known = || attributes::settable().chain(COMPUTED);
    if let Some(unknown) = asked.iter().find(|name| **name != "All" && !known().any(|known| known == **name)) {
        return Err(errors::unknown_attribute(unknown));
    }
    let mut found = Map::new();
    for name in known().filter(|name| asked.contains(&"All") || asked.contains(name)) {
        let value = match attributes::value(&queue.attributes, name, queue.settings.is_fifo) {
            Some(value) => Some(value.to_owned()),
            None => computed(transaction, &queue, name)?,
        };
        if let Some(value) = value {
            found.insert(name.to_owned(), value.into());
        }
    }
    if found.is_empty() { Ok(json!({})) } else { Ok(json!({ "Attributes": found })) }
}

fn computed(transaction: &Transaction<'_>, queue: &Queue, name: &str) -> Result<Option<String>, ApiError> {
    let count = |condition: &str| -> Result<i64, ApiError> {
        let statement = format!("SELECT COUNT(*) FROM messages WHERE queue = ?1 AND {condition}");
        let mut statement = transaction.connection.prepare_cached(&statement)?;
        Ok(statement.query_row(params![queue.id, transaction.now], |row| row.get(0))?)
    };
    Ok(Some(match name {
        "QueueArn" => queue.arn(),
        "CreatedTimestamp" => (queue.created / 1_000).to_string(),
        "LastModifiedTimestamp" => (queue.modified / 1_000).to_string(),
        "ApproximateNumberOfMessages" => count("visible_at <= ?2")?.to_string(),
        "ApproximateNumberOfMessagesNotVisible" => count("visible_at > ?2 AND is_received = 1")?.to_string(),
        "ApproximateNumberOfMessagesDelayed" => count("visible_at > ?2 AND is_received = 0")?.to_string(),
        _ => return Ok(None),
    }))
}
