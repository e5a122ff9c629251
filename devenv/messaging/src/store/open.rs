use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::schema;
use super::sqlite_file::examine;

/// Prepared statements that stay compiled: every statement of this crate, with room to spare.
const STATEMENTS: usize = 128;

/// The wait for a file that another process has open: it may be ending.
const PATIENCE: Duration = Duration::from_millis(500);

/// Where messages are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// They end with the process.
    Memory,
    /// A SQLite file, created if absent. One process can have it open.
    File(PathBuf),
}

/// The reason messages cannot be kept at a place.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot open the file of messages {path}: {cause}")]
    File { path: PathBuf, cause: String },
    #[error(
        "the file of messages {path} has format {found}, this program knows format {known}; update devenv, or remove the file with devenv down --volumes"
    )]
    Version { path: PathBuf, found: i64, known: i64 },
    #[error("cannot keep messages in memory: {cause}")]
    Memory { cause: String },
    #[error("cannot start the thread that writes messages: {0}")]
    Thread(std::io::Error),
}

pub(crate) fn open(place: &Place) -> Result<Connection, OpenError> {
    let connection = match place {
        Place::Memory => in_memory().map_err(|error| OpenError::Memory { cause: error.to_string() })?,
        Place::File(path) => file(path)?,
    };
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

fn in_memory() -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    schema::create(&connection)?;
    Ok(connection)
}

fn file(path: &Path) -> Result<Connection, OpenError> {
    let failed = |cause: String| OpenError::File { path: path.to_owned(), cause };
    examine(path).map_err(failed)?;
    let connection = Connection::open(path).map_err(|error| failed(explained(&error)))?;
    configure(&connection).map_err(|error| failed(explained(&error)))?;
    let found = schema::version(&connection).map_err(|error| failed(explained(&error)))?;
    match found {
        schema::VERSION => schema::complete(&connection).map_err(|error| failed(explained(&error)))?,
        0 => schema::create(&connection).map_err(|error| failed(explained(&error)))?,
        found => return Err(OpenError::Version { path: path.to_owned(), found, known: schema::VERSION }),
    }
    Ok(connection)
}

/// As durable as the tables' file: a write-ahead log, flushed at checkpoints. A crash of the process loses no answered
/// message; a power loss may lose the last ones. The lock is exclusive, because the writer keeps queues in memory.
fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE;")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA cache_size = -2000; PRAGMA temp_store = MEMORY;")
}

fn explained(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
            "another process has it open; end that one first".to_owned()
        }
        Some(rusqlite::ErrorCode::DiskFull | rusqlite::ErrorCode::SystemIoFailure) => {
            format!("{error} (is the disk full?)")
        }
        _ => error.to_string(),
    }
}
