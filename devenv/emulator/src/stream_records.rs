//! What the database's file gets beside dynoxide's own schema, for the records of DynamoDB Streams: an index, the end of records with
//! their stream, and their removal with age.
//!
//! Before each write to a table with a stream, dynoxide looks for the stream's last record. Without an index it reads every record, and
//! it removes none.

use rusqlite::{Connection, OptionalExtension};

/// The version of dynoxide's schema that the statements below are written for.
pub(crate) const SCHEMA: &str = "11";

/// The largest number of records of a step.
const STEP: usize = 200;
/// The largest number of bytes of a step's images: a write waits for a step, and a record has up to 800 KB.
const STEP_BYTES: i64 = 512 * 1024;

/// A space is in no name of a DynamoDB table, and dynoxide calls its SQLite tables by those names.
const ADDED: &str = r#"
    CREATE INDEX IF NOT EXISTS "devenv stream records"
        ON _stream_records (table_name, CAST(sequence_number AS INTEGER), shard_id);
    CREATE TRIGGER IF NOT EXISTS "devenv stream of a deleted table" AFTER DELETE ON _tables BEGIN
        DELETE FROM _stream_records WHERE table_name = OLD.table_name;
    END;
    CREATE TRIGGER IF NOT EXISTS "devenv stream enabled again" AFTER UPDATE OF stream_label ON _tables
        WHEN OLD.stream_label IS NOT NEW.stream_label BEGIN
        DELETE FROM _stream_records WHERE table_name = OLD.table_name;
    END;
"#;

/// Whether dynoxide may have more to do in a file than to read and write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Schema {
    /// The file has no tables yet.
    Absent,
    Known,
    /// Another version wrote the file.
    Other(String),
}

pub(crate) fn schema(connection: &Connection) -> rusqlite::Result<Schema> {
    let has_version = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '_config')";
    if !connection.query_row(has_version, [], |row| row.get::<_, bool>(0))? {
        return Ok(Schema::Absent);
    }
    let version = "SELECT value FROM _config WHERE key = 'schema_version'";
    let version: Option<String> = connection.query_row(version, [], |row| row.get(0)).optional()?;
    Ok(match version {
        Some(version) if version == SCHEMA => Schema::Known,
        other => Schema::Other(other.unwrap_or_else(|| "none".to_owned())),
    })
}

/// Adds what is absent.
pub(crate) fn add(connection: &Connection) -> rusqlite::Result<()> {
    // One transaction: a killed process leaves all of it or nothing.
    connection.execute_batch(&format!("BEGIN IMMEDIATE; {ADDED} COMMIT;"))
}

/// Whether there is any record.
pub(crate) fn any(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM _stream_records)", [], |row| row.get(0))
}

/// Removes what [`add`] added, so that dynoxide migrates a file that is its own.
pub(crate) fn withdraw(connection: &Connection) -> rusqlite::Result<()> {
    let added = "SELECT type, name FROM sqlite_schema WHERE name LIKE 'devenv stream %'";
    let added: Vec<(String, String)> =
        connection.prepare(added)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    added.iter().try_for_each(|(kind, name)| connection.execute_batch(&format!("DROP {kind} \"{name}\"")))
}

/// A record as far as its removal depends on it.
#[derive(Debug, Clone, Copy)]
struct Record {
    id: i64,
    /// Seconds since the Unix epoch.
    created_at: i64,
    bytes: i64,
}

/// Removes the oldest records that were created before `horizon`, at most a step of them. Returns whether there may be more.
pub(crate) fn trim(connection: &Connection, horizon: i64) -> rusqlite::Result<bool> {
    // The look takes no lock that a write waits for.
    let oldest = "SELECT id, created_at, ifnull(octet_length(new_image), 0) + ifnull(octet_length(old_image), 0)
        FROM _stream_records ORDER BY id LIMIT ?1";
    let oldest: Vec<Record> = connection
        .prepare_cached(oldest)?
        .query_map([STEP], |row| Ok(Record { id: row.get(0)?, created_at: row.get(1)?, bytes: row.get(2)? }))?
        .collect::<Result<_, _>>()?;
    let count = of_a_step(&oldest, horizon);
    let Some(last) = oldest[..count].last() else { return Ok(false) };
    // Ids ascend and are never used again, so no younger record is at or before this one.
    connection.prepare_cached("DELETE FROM _stream_records WHERE id <= ?1")?.execute([last.id])?;
    Ok(oldest.get(count).map_or(count == STEP, |next| next.created_at < horizon))
}

/// The number of the records, from the first one on, that one step removes.
fn of_a_step(oldest: &[Record], horizon: i64) -> usize {
    let mut bytes = 0;
    let fits = |record: &&Record| {
        let is_first = bytes == 0;
        bytes += record.bytes.max(1);
        record.created_at < horizon && (is_first || bytes <= STEP_BYTES)
    };
    oldest.iter().take_while(fits).count()
}

#[cfg(test)]
#[path = "stream_records_tests.rs"]
mod tests;
