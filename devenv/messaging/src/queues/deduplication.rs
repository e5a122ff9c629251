//! The memory of FIFO queues for what was sent in the last five minutes.

use rusqlite::{OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::enqueue::Enqueued;
use super::errors;
use super::message::NewMessage;
use super::queue::Queue;
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

/// Milliseconds in which an equal message is the same one.
pub(crate) const WINDOW: i64 = 5 * 60 * 1_000;
const LONGEST_ID: usize = 128;

/// Whether a text can be a group's or a deduplication id: up to 128 letters, digits and signs.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The deduplication id of a message: its own, or the SHA-256 of its body where the queue asks for that.
pub(crate) fn id_of(queue: &Queue, message: &NewMessage) -> Result<String, ApiError> {
    match &message.deduplication {
        Some(id) if is_id(id) => Ok(id.clone()),
        Some(id) => Err(ApiError::invalid_value(
            "MessageDeduplicationId",
            id,
            "MessageDeduplicationId can only include alphanumeric and punctuation characters. 1 to 128 in length.",
        )),
        None if queue.settings.deduplicates_content => Ok(format!("{:x}", Sha256::digest(&message.body))),
        None => Err(ApiError::invalid_parameter(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        )),
    }
}

/// The group of a message of a FIFO queue.
pub(crate) fn group_of(message: &NewMessage) -> Result<&str, ApiError> {
    let group = message.group.as_deref().ok_or_else(|| ApiError::missing_parameter("MessageGroupId"))?;
    if is_id(group) { Ok(group) } else { Err(invalid_group(group)) }
}

pub(crate) fn invalid_group(group: &str) -> ApiError {
    ApiError::invalid_value(
        "MessageGroupId",
        group,
        "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.",
    )
}

/// Refuses in a standard queue what only a FIFO queue takes. A group is taken: it makes a queue fair.
pub(crate) fn check_standard(message: &NewMessage) -> Result<(), ApiError> {
    if let Some(id) = &message.deduplication {
        return Err(errors::not_for_this_queue("MessageDeduplicationId", id));
    }
    match message.group.as_deref() {
        Some(group) if !is_id(group) => Err(invalid_group(group)),
        _ => Ok(()),
    }
}

impl Transaction<'_> {
    /// The message of the last five minutes that has this deduplication id.
    pub(crate) fn sent_before(&mut self, queue: &Queue, group: &str, id: &str) -> Result<Option<Enqueued>, ApiError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT message_id, sequence FROM deduplications WHERE queue = ?1 AND scope = ?2 AND id = ?3 AND at > ?4",
        )?;
        let since = self.now - WINDOW;
        let found = statement.query_row(params![queue.id, scope(queue, group), id, since], |row| {
            Ok(Enqueued { message_id: row.get(0)?, sequence: row.get(1)? })
        });
        Ok(found.optional()?)
    }

    pub(crate) fn remember_sent(
        &mut self,
        queue: &Queue,
        group: &str,
        id: &str,
        enqueued: &Enqueued,
    ) -> Result<(), ApiError> {
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO deduplications VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![queue.id, scope(queue, group), id, self.now, enqueued.message_id, enqueued.sequence])?;
        Ok(())
    }
}

fn scope<'a>(queue: &Queue, group: &'a str) -> &'a str {
    if queue.settings.deduplicates_by_group { group } else { "" }
}
