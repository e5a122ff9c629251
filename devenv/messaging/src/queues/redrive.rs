//! Messages change their queue: dead letters, and dead letters that return.

use rusqlite::params;

use super::queue::Queue;
use super::received::Stored;
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

impl Transaction<'_> {
    /// Removes an expired message, or moves a message that was received too often to the dead-letter queue. Returns whether the message
    /// left its queue.
    pub(crate) fn discard(&mut self, queue: &Queue, stored: &Stored) -> Result<bool, ApiError> {
        if stored.sent + queue.settings.retention <= self.now {
            self.remove(stored.row)?;
            self.refresh_group_of(stored)?;
            return Ok(true);
        }
        let Some(policy) = queue.settings.redrive.as_ref().filter(|policy| stored.receives >= policy.most_receives)
        else {
            return Ok(false);
        };
        // A dead-letter queue that was deleted takes nothing: the message stays and is received again.
        let Some(target) = self.find_queue(&policy.target)? else { return Ok(false) };
        if target.id == queue.id {
            // Buried in its own queue, a message would be found again by the same search, without an end.
            return Ok(false);
        }
        self.bury(queue, &target, stored)?;
        Ok(true)
    }

    /// Moves a message to its dead-letter queue. It keeps its id, its count of receives and, except in a FIFO queue, its age.
    fn bury(&mut self, queue: &Queue, target: &Queue, stored: &Stored) -> Result<(), ApiError> {
        let sent = if target.settings.is_fifo { self.now } else { stored.sent };
        self.connection
            .prepare_cached(
                "INSERT INTO messages (queue, visible_at, is_received, receives, sent, first_received, message_id, sequence,
                 group_id, deduplication_id, dead_letter_source, trace, attributes, body)
                 SELECT ?2, ?3, 0, receives, ?4, first_received, message_id, sequence, group_id, deduplication_id, ?5,
                 trace, attributes, body FROM messages WHERE id = ?1",
            )?
            .execute(params![stored.row, target.id, self.now, sent, queue.arn()])?;
        self.moved(queue.id, target, stored)
    }

    /// Moves a message out of a dead-letter queue, as a new message with a new id.
    pub(crate) fn revive(&mut self, from: &Queue, target: &Queue, stored: &Stored) -> Result<(), ApiError> {
        let sequence = if target.settings.is_fifo { Some(self.next_sequence()?) } else { None };
        let message_id = self.next_message_id();
        let visible_at = self.now + target.settings.delay;
        self.connection
            .prepare_cached(
                "INSERT INTO messages (queue, visible_at, is_received, receives, sent, message_id, sequence, group_id,
                 deduplication_id, trace, attributes, body)
                 SELECT ?2, ?3, 0, 0, ?4, ?5, ?6, group_id, deduplication_id, trace, attributes, body
                 FROM messages WHERE id = ?1",
            )?
            .execute(params![stored.row, target.id, visible_at, self.now, message_id, sequence])?;
        self.moved(from.id, target, stored)
    }

    fn moved(&mut self, from: i64, target: &Queue, stored: &Stored) -> Result<(), ApiError> {
        self.remove(stored.row)?;
        self.refresh_group_in(from, stored)?;
        self.refresh_group_in(target.id, stored)?;
        self.wake(&target.name);
        Ok(())
    }

    pub(crate) fn remove(&mut self, row: i64) -> Result<(), ApiError> {
        self.connection.prepare_cached("DELETE FROM messages WHERE id = ?1")?.execute([row])?;
        Ok(())
    }
}
