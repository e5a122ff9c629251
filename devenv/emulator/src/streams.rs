//! The upkeep of DynamoDB Streams in the database's file, on a connection of its own beside dynoxide's.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dynoxide::Database;
use dynoxide::actions::list_streams::ListStreamsRequest;
use rusqlite::Connection;

use crate::stream_records::{self, SCHEMA, Schema};

/// The time that AWS keeps a record.
const RETENTION: Duration = Duration::from_hours(24);
/// The time between two looks for old records.
const BETWEEN_LOOKS: Duration = Duration::from_mins(1);
/// The time between two steps of a removal: a write that waited for one has taken place before the next.
const BETWEEN_STEPS: Duration = Duration::from_millis(20);
/// The wait for a write of dynoxide's.
const PATIENCE: Duration = Duration::from_millis(100);
/// The wait at the start, as dynoxide's own: another process may have the file open, and may be ending.
const PATIENCE_AT_START: Duration = Duration::from_secs(30);

/// Removes old records until it is dropped.
pub(crate) struct Upkeep {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Before dynoxide opens the file: takes back the additions to a file that dynoxide is about to migrate.
pub(crate) fn prepare(path: &Path) -> rusqlite::Result<()> {
    let connection = open(path, PATIENCE_AT_START)?;
    match stream_records::schema(&connection)? {
        Schema::Absent | Schema::Known => Ok(()),
        Schema::Other(_) => stream_records::withdraw(&connection),
    }
}

impl Upkeep {
    /// After dynoxide has opened the file as `database`. Returns `None` for a schema that this program does not know: streams work there as
    /// dynoxide has them.
    pub(crate) fn start(path: &Path, database: Database) -> rusqlite::Result<Option<Self>> {
        let connection = open(path, PATIENCE_AT_START)?;
        match stream_records::schema(&connection)? {
            Schema::Known => {}
            Schema::Absent => return Ok(None),
            Schema::Other(version) => {
                warn(&format!(
                    "the tables' file has schema version {version}, the upkeep of streams knows {SCHEMA}: writes to tables with a \
                     stream get slower with each record, and no record is removed"
                ));
                return Ok(None);
            }
        }
        stream_records::add(&connection)?;
        connection.busy_timeout(PATIENCE)?;
        let connection = stream_records::any(&connection)?.then_some(connection);
        let mut removal = Removal { path: path.to_owned(), database, connection };
        let (stop, stopped) = channel();
        let trimming = move || {
            let mut pause = if removal.connection.is_some() { Duration::ZERO } else { BETWEEN_LOOKS };
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                pause = if removal.step() { BETWEEN_STEPS } else { BETWEEN_LOOKS };
            }
        };
        // Without a thread there is no removal, which is no reason to serve no tables.
        let thread = std::thread::Builder::new().name("streams".to_owned()).spawn(trimming).ok();
        Ok(Some(Self { stop: Some(stop), thread }))
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The removal of old records, which needs no connection before there is a stream.
struct Removal {
    path: PathBuf,
    database: Database,
    connection: Option<Connection>,
}

impl Removal {
    /// Removes some. Returns whether there may be more. A failure, such as a full disk, is dynoxide's to report; this removal can wait.
    fn step(&mut self) -> bool {
        if self.connection.is_none() && self.has_stream() {
            self.connection = open(&self.path, PATIENCE).ok();
        }
        let trim = |connection| stream_records::trim(connection, horizon()).unwrap_or(false);
        self.connection.as_ref().is_some_and(trim)
    }

    fn has_stream(&self) -> bool {
        let listed = self.database.list_streams(ListStreamsRequest::default());
        listed.is_ok_and(|listed| !listed.streams.is_empty())
    }
}

fn open(path: &Path, patience: Duration) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(patience)?;
    // As dynoxide's connection: a checkpoint is flushed, a commit is not. The cache is small, as few pages are read.
    connection.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA cache_size = -256;")?;
    Ok(connection)
}

/// Records created before it have served their time. In seconds since the Unix epoch.
fn horizon() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.saturating_sub(RETENTION).as_secs()).unwrap_or_default()
}

#[expect(clippy::print_stderr, reason = "the unit's log is the place to look")]
fn warn(message: &str) {
    eprintln!("devenv-emulator: {message}");
}
