//! The groups of FIFO queues. A group has a row while it has messages: its first message, and when the group can be received from.

use rusqlite::{OptionalExtension, params};

use super::queue::Queue;
use super::received::Stored;
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

impl Transaction<'_> {
    /// Adds a sent message to its group. Only the first message of a group matters for the row.
    pub(crate) fn join_group(&mut self, queue: &Queue, group: &str, message: i64, at: i64) -> Result<(), ApiError> {
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO message_groups VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![queue.id, group, message, at])?;
        Ok(())
    }

    pub(crate) fn refresh_group_of(&mut self, stored: &Stored) -> Result<(), ApiError> {
        self.refresh_group_in(stored.queue, stored)
    }

    /// Refreshes the group that a message has, or had, in a queue; nothing where the message is of a standard queue.
    pub(crate) fn refresh_group_in(&mut self, queue: i64, stored: &Stored) -> Result<(), ApiError> {
        match (&stored.group, stored.sequence) {
            (Some(group), Some(_)) => self.refresh_group(queue, group),
            _ => Ok(()),
        }
    }

    /// Brings a group's row up to date after a message was received, deleted, moved or made visible.
    pub(crate) fn refresh_group(&mut self, queue: i64, group: &str) -> Result<(), ApiError> {
        let mut first = self.connection.prepare_cached(
            "SELECT id, visible_at FROM messages
             WHERE queue = ?1 AND group_id = ?2 AND sequence IS NOT NULL ORDER BY id LIMIT 1",
        )?;
        let first = first.query_row(params![queue, group], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
        let Some((head, visible_at)) = first.optional()? else {
            self.connection
                .prepare_cached("DELETE FROM message_groups WHERE queue = ?1 AND name = ?2")?
                .execute(params![queue, group])?;
            return Ok(());
        };
        // A group waits for all its messages in flight.
        let mut last = self.connection.prepare_cached(
            "SELECT MAX(visible_at) FROM messages
             WHERE queue = ?1 AND group_id = ?2 AND sequence IS NOT NULL AND is_received = 1",
        )?;
        let in_flight: Option<i64> = last.query_row(params![queue, group], |row| row.get(0))?;
        let available_at = in_flight.unwrap_or(visible_at).max(visible_at);
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO message_groups VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![queue, group, head, available_at])?;
        Ok(())
    }
}
