//! The upkeep of DynamoDB Streams in the database's file, on a connection of its own beside dynoxide's.

use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    let connection = open(path)?;
    match stream_records::schema(&connection)? {
        Schema::Absent | Schema::Known => Ok(()),
        Schema::Other(_) => stream_records::withdraw(&connection),
    }
}

impl Upkeep {
    /// After dynoxide has opened the file. Returns `None` for a schema that this program does not know: streams work there as dynoxide
    /// has them.
    pub(crate) fn start(path: &Path) -> rusqlite::Result<Option<Self>> {
        let connection = open(path)?;
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
        let (stop, stopped) = channel();
        let trimming = move || {
            let mut pause = Duration::ZERO;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                // A failure, such as a full disk, is dynoxide's to report; this removal can wait.
                let more = stream_records::trim(&connection, horizon()).unwrap_or(false);
                pause = if more { BETWEEN_STEPS } else { BETWEEN_LOOKS };
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

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE_AT_START)?;
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
