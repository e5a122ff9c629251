//! The one way into a queue, for `SendMessage` and for topics alike.

use rusqlite::{OptionalExtension, params};

use super::deduplication::{check_standard, group_of, id_of};
use super::errors;
use super::message::NewMessage;
use super::queue::Queue;
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

const LONGEST_DELAY: i64 = 900;

/// A message that is in its queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Enqueued {
    pub(crate) message_id: String,
    /// In FIFO queues.
    pub(crate) sequence: Option<i64>,
}

impl Transaction<'_> {
    /// Puts a message into a queue. A FIFO queue returns the earlier message for one that it has taken within five minutes. After an
    /// error nothing is written, so that a caller may go on with its transaction.
    pub(crate) fn enqueue(&mut self, queue: &Queue, message: &NewMessage) -> Result<Enqueued, ApiError> {
        message.check()?;
        let settings = &queue.settings;
        if message.size() > settings.largest_message {
            let limit = settings.largest_message;
            return Err(ApiError::invalid_parameter(format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes."
            )));
        }
        let visible_at = self.now + delay(queue, message)?;
        if !settings.is_fifo {
            check_standard(message)?;
            return self.insert(queue, message, visible_at, None, None);
        }
        let (group, deduplication) = (group_of(message)?, id_of(queue, message)?);
        if let Some(before) = self.sent_before(queue, group, &deduplication)? {
            return Ok(before);
        }
        let sequence = self.next_sequence()?;
        let enqueued = self.insert(queue, message, visible_at, Some(sequence), Some(&deduplication))?;
        self.join_group(queue, group, self.connection.last_insert_rowid(), visible_at)?;
        self.remember_sent(queue, group, &deduplication, &enqueued)?;
        Ok(enqueued)
    }

    fn insert(
        &mut self,
        queue: &Queue,
        message: &NewMessage,
        visible_at: i64,
        sequence: Option<i64>,
        deduplication: Option<&str>,
    ) -> Result<Enqueued, ApiError> {
        let message_id = self.next_message_id();
        let attributes = (!message.attributes.is_empty()).then(|| serde_json::to_string(&message.attributes));
        let attributes = attributes.transpose().map_err(ApiError::internal)?;
        self.connection
            .prepare_cached(
                "INSERT INTO messages (queue, visible_at, is_received, receives, sent, message_id, sequence, group_id,
                 deduplication_id, trace, attributes, body) VALUES (?1, ?2, 0, 0, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                queue.id,
                visible_at,
                self.now,
                message_id,
                sequence,
                message.group,
                deduplication,
                message.trace,
                attributes,
                message.body
            ])?;
        // A delayed one too: the long polls then know how long to wait for it.
        self.wake(&queue.name);
        Ok(Enqueued { message_id, sequence })
    }

    /// Greater than every sequence number before, in all queues: microseconds since 1970, or one more than the last.
    pub(crate) fn next_sequence(&mut self) -> Result<i64, ApiError> {
        let last = match self.cache.last_sequence {
            Some(last) => last,
            None => {
                let mut statement = self.connection.prepare_cached(
                    "SELECT MAX(sequence) FROM (SELECT MAX(sequence) AS sequence FROM messages WHERE sequence IS NOT NULL
                     UNION ALL SELECT MAX(sequence) FROM deduplications)",
                )?;
                statement.query_row([], |row| row.get(0)).optional()?.flatten().unwrap_or_default()
            }
        };
        let sequence = (last + 1).max(self.now * 1_000);
        self.cache.last_sequence = Some(sequence);
        Ok(sequence)
    }
}

/// Milliseconds until a message may be received.
fn delay(queue: &Queue, message: &NewMessage) -> Result<i64, ApiError> {
    match message.delay {
        None => Ok(queue.settings.delay),
        Some(seconds) if !(0..=LONGEST_DELAY).contains(&seconds) => {
            let reason = "DelaySeconds must be >= 0 and <= 900.";
            Err(ApiError::invalid_value("DelaySeconds", seconds, reason))
        }
        // A FIFO queue has one delay for all, which keeps the order.
        Some(seconds) if queue.settings.is_fifo && seconds > 0 => {
            Err(errors::not_for_this_queue("DelaySeconds", &seconds.to_string()))
        }
        Some(_) if queue.settings.is_fifo => Ok(queue.settings.delay),
        Some(seconds) => Ok(seconds * 1_000),
    }
}
