//! The writer of one run's file.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::event::Event;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::error::Error;
use crate::limits::{DETAIL_BYTES, KEPT_RUNS, LINE_BYTES, RUN_BYTES};
use crate::reader;
use crate::run::{Ended, Started, VERSION, file_name, new_id};

/// A run that is being written. Its lines wait in memory until the commit is known and the environment's state directory exists: a
/// command without an environment leaves no file.
#[derive(Debug)]
pub struct Journal {
    state_dir: Utf8PathBuf,
    started: Started,
    began: Instant,
    /// Counts what waits and what is written.
    bytes: u64,
    left_out: u64,
    output: Output,
}

#[derive(Debug)]
enum Output {
    Waiting {
        lines: Vec<u8>,
        knows_commit: bool,
    },
    Open {
        path: Utf8PathBuf,
        file: File,
    },
    /// After the first error, which the writer has returned.
    Failed,
}

impl Journal {
    /// Writes nothing yet.
    pub fn begin(state_dir: &Utf8Path, verb: &str, argv: Vec<String>) -> Self {
        let started = Started {
            version: VERSION,
            run: new_id(),
            at: Timestamp::now(),
            verb: verb.to_owned(),
            argv,
            commit: None,
            devenv: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let output = Output::Waiting { lines: Vec::new(), knows_commit: false };
        Self { state_dir: state_dir.to_owned(), started, began: Instant::now(), bytes: 0, left_out: 0, output }
    }

    /// Tells the commit that is checked out, or that there is none.
    pub fn set_commit(&mut self, commit: Option<String>) {
        self.started.commit = commit;
        if let Output::Waiting { knows_commit, .. } = &mut self.output {
            *knows_commit = true;
        }
    }

    /// Adds an event, with its time since the run began. Lines of units' logs are left out: they have files of their own.
    pub fn add(&mut self, event: &Event) -> Result<(), Error> {
        if matches!(event, Event::Log { .. }) {
            return Ok(());
        }
        let limit = if is_detail(event) { DETAIL_BYTES } else { RUN_BYTES };
        let mut line = serde_json::to_value(event).unwrap_or_default();
        line["at_ms"] = json!(self.elapsed_ms());
        let line = text(&line);
        if self.bytes + line.len() as u64 > limit || line.len() > LINE_BYTES {
            self.left_out += 1;
            return Ok(());
        }
        self.write(&line)
    }

    /// Writes the last line.
    pub fn end(mut self, exit: u8, error: Option<&str>) -> Result<(), Error> {
        let error = error.and_then(|error| error.lines().next()).map(str::to_owned);
        let ended = Ended { exit, elapsed_ms: self.elapsed_ms(), error, left_out: self.left_out };
        self.write(&text(&tagged("run_ended", &ended)))
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn write(&mut self, line: &str) -> Result<(), Error> {
        self.bytes += line.len() as u64;
        if matches!(self.output, Output::Waiting { knows_commit: true, .. }) && self.state_dir.is_dir() {
            self.open()?;
        }
        match &mut self.output {
            Output::Waiting { lines, .. } => lines.extend_from_slice(line.as_bytes()),
            Output::Failed => {}
            // One write a line: a reader, also after a kill, sees whole lines.
            Output::Open { path, file } => {
                if let Err(source) = file.write_all(line.as_bytes()) {
                    let path = path.clone();
                    self.output = Output::Failed;
                    return Err(Error::Write { path, source });
                }
            }
        }
        Ok(())
    }

    fn open(&mut self) -> Result<(), Error> {
        let Output::Waiting { lines, .. } = std::mem::replace(&mut self.output, Output::Failed) else {
            return Ok(());
        };
        let folder = reader::folder(&self.state_dir);
        let (path, mut file) = self.create(&folder)?;
        let begin = text(&tagged("run_started", &self.started));
        let written = file.write_all(&[begin.as_bytes(), &lines].concat());
        written.map_err(|source| Error::Write { path: path.clone(), source })?;
        self.output = Output::Open { path, file };
        remove_oldest(&folder)
    }

    /// Makes the run's file, which only its owner may read, and locks it: as long as the lock is held, the run runs.
    fn create(&mut self, folder: &Utf8Path) -> Result<(Utf8PathBuf, File), Error> {
        let failed = |path: &Utf8Path| {
            let path = path.to_owned();
            |source| Error::Write { path, source }
        };
        match std::fs::DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(folder)(error)),
            _ => {}
        }
        loop {
            let path = folder.join(file_name(self.started.at, &self.started.verb, &self.started.run));
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(file) => {
                    file.lock().map_err(failed(&path))?;
                    return Ok((path, file));
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => self.started.run = new_id(),
                Err(error) => return Err(failed(&path)(error)),
            }
        }
    }
}

/// Whether the event is a line of another program, of which there may be any number.
fn is_detail(event: &Event) -> bool {
    matches!(event, Event::StepProgress { .. } | Event::TestOutput { .. } | Event::StageProgress { .. })
}

fn tagged(event: &str, fields: &impl serde::Serialize) -> Value {
    let mut object = serde_json::to_value(fields).unwrap_or_default();
    object["event"] = json!(event);
    object
}

fn text(object: &Value) -> String {
    format!("{object}\n")
}

/// Keeps the newest runs. A run that another command removes at the same time is gone as well.
fn remove_oldest(folder: &Utf8Path) -> Result<(), Error> {
    let names = reader::names(folder)?;
    for name in names.iter().skip(KEPT_RUNS) {
        let path = folder.join(name);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != ErrorKind::NotFound => return Err(Error::Write { path, source }),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
