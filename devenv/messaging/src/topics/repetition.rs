//! The deduplication of FIFO topics.

use rusqlite::{OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::message::Message;
use super::topic::Topic;
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

/// Milliseconds in which SNS recognizes a repetition.
const INTERVAL: i64 = 5 * 60 * 1000;

/// The message's id for deduplication: the given one, or a digest of its body.
pub(super) fn id(message: &Message) -> String {
    let digest = || format!("{:x}", Sha256::digest(message.body("default")));
    message.deduplication.clone().unwrap_or_else(digest)
}

/// The id and the sequence number of the message that this one repeats.
pub(super) fn find(
    transaction: &Transaction<'_>,
    topic: &Topic,
    message: &Message,
    id: &str,
) -> Result<Option<(String, i64)>, ApiError> {
    let old = transaction.now - INTERVAL;
    transaction.connection.prepare_cached("DELETE FROM published WHERE at <= ?1")?.execute([old])?;
    let query = "SELECT message_id, sequence FROM published WHERE topic = ?1 AND scope = ?2 AND id = ?3";
    let mut statement = transaction.connection.prepare_cached(query)?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    Ok(statement.query_row(params![topic.name, scope(topic, message), id], read).optional()?)
}

pub(super) fn remember(
    transaction: &Transaction<'_>,
    topic: &Topic,
    message: &Message,
    id: &str,
    message_id: &str,
) -> Result<(), ApiError> {
    let insert = "INSERT INTO published (topic, scope, id, message_id, sequence, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let values = params![topic.name, scope(topic, message), id, message_id, topic.sequence, transaction.now];
    transaction.connection.prepare_cached(insert)?.execute(values)?;
    Ok(())
}

fn scope<'a>(topic: &Topic, message: &'a Message) -> &'a str {
    let is_group = topic.attribute("FifoThroughputScope") == Some("MessageGroup");
    message.group.as_deref().filter(|_| is_group).unwrap_or_default()
}
