//! Receives of FIFO queues that are repeated with the same attempt id: they return the same messages again.

use rusqlite::{OptionalExtension, params};
use serde_json::Value;

use super::deduplication::WINDOW;
use super::queue::Queue;
use super::receive;
use super::received::{COLUMNS, Stored};
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

/// Receives as [`receive::receive`], unless the attempt id was used within five minutes and all its messages are still held.
pub(crate) fn receive(
    transaction: &mut Transaction<'_>,
    queue: &Queue,
    attempt: &str,
    most: usize,
    visibility: i64,
) -> Result<Vec<Stored>, ApiError> {
    let again = repeated(transaction, queue, attempt)?;
    if !again.is_empty() {
        let visible_at = transaction.now + visibility;
        for stored in &again {
            transaction
                .connection
                .prepare_cached("UPDATE messages SET visible_at = ?2 WHERE id = ?1")?
                .execute(params![stored.row, visible_at])?;
            transaction.refresh_group_of(stored)?;
        }
        return Ok(again);
    }
    let received = receive::receive(transaction, queue, most, visibility)?;
    if !received.is_empty() {
        let receipts: Vec<Value> =
            received.iter().map(|stored| [stored.row, stored.receives].to_vec().into()).collect();
        transaction
            .connection
            .prepare_cached("INSERT OR REPLACE INTO receive_attempts VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![queue.id, attempt, transaction.now, Value::from(receipts).to_string()])?;
    }
    Ok(received)
}

/// The messages of an earlier attempt, none unless all of them are still held by it.
fn repeated(transaction: &Transaction<'_>, queue: &Queue, attempt: &str) -> Result<Vec<Stored>, ApiError> {
    let mut statement = transaction
        .connection
        .prepare_cached("SELECT receipts FROM receive_attempts WHERE queue = ?1 AND id = ?2 AND at > ?3")?;
    let since = transaction.now - WINDOW;
    let receipts: Option<String> =
        statement.query_row(params![queue.id, attempt, since], |row| row.get(0)).optional()?;
    let receipts: Vec<Value> = receipts.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let mut statement = transaction.connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM messages WHERE id = ?1 AND queue = ?2 AND receives = ?3 AND is_received = 1 AND visible_at > ?4"
    ))?;
    let mut held = Vec::new();
    for receipt in receipts {
        let (row, receives) = (receipt[0].as_i64(), receipt[1].as_i64());
        let found = statement.query_row(params![row, queue.id, receives, transaction.now], Stored::read).optional()?;
        match found {
            Some(stored) => held.push(stored),
            None => return Ok(Vec::new()),
        }
    }
    Ok(held)
}
