//! The removal of what is too old. Receives pass over expired messages by themselves; this frees their space.

use rusqlite::params;

use super::deduplication::WINDOW;
use super::received::{COLUMNS, Stored};
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

/// Messages that one step looks at: a part of the file, so that no call waits long for it.
const AT_ONCE: usize = 500;

/// Looks at the next messages of the file, and forgets what was sent and received more than five minutes ago.
pub(crate) fn step(transaction: &mut Transaction<'_>) -> Result<(), ApiError> {
    for table in ["deduplications", "receive_attempts"] {
        let statement = format!("DELETE FROM {table} WHERE at <= ?1");
        transaction.connection.prepare_cached(&statement)?.execute([transaction.now - WINDOW])?;
    }
    let mut statement = transaction.connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM messages WHERE id IN (
             SELECT messages.id FROM messages JOIN queues ON queues.id = messages.queue
             WHERE messages.id > ?1 AND messages.id <= ?2
             AND messages.sent + 1000 * COALESCE(json_extract(queues.attributes, '$.MessageRetentionPeriod'), 345600) <= ?3)"
    ))?;
    let last: Option<i64> = transaction
        .connection
        .prepare_cached("SELECT MAX(id) FROM (SELECT id FROM messages WHERE id > ?1 ORDER BY id LIMIT ?2)")?
        .query_row(params![transaction.cache.swept, AT_ONCE], |row| row.get(0))?;
    let Some(last) = last else {
        transaction.cache.swept = 0;
        return Ok(());
    };
    let expired = statement.query_map(params![transaction.cache.swept, last, transaction.now], Stored::read)?;
    let expired: Vec<Stored> = expired.collect::<rusqlite::Result<_>>()?;
    for stored in &expired {
        transaction.remove(stored.row)?;
        transaction.refresh_group_of(stored)?;
    }
    transaction.cache.swept = last;
    Ok(())
}
