use rusqlite::Connection;

use crate::{queues, topics};

/// The version of the tables, SQLite's `user_version`. Another version is refused.
pub(crate) const VERSION: i64 = 1;

pub(crate) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Makes the tables of a new file, all or none.
pub(crate) fn create(connection: &Connection) -> rusqlite::Result<()> {
    let (queues, topics) = (queues::schema::SCHEMA, topics::schema::SCHEMA);
    connection
        .execute_batch(&format!("BEGIN IMMEDIATE; {queues} {topics} PRAGMA user_version = {VERSION}; COMMIT;"))?;
    complete(connection)
}

/// Adds what a file of an earlier program with the same tables lacks.
pub(crate) fn complete(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(topics::schema::LATER)
}
