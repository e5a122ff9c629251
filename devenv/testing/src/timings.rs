//! Times and progress, which a test harness may report as JSON lines in a file.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Seek, SeekFrom};

use camino::Utf8PathBuf;
use devenv_document::input;
use serde::Deserialize;

/// The environment variable that names the file.
pub(crate) const VARIABLE: &str = "DEVENV_TEST_EVENTS";

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Told {
    Started { test: String },
    Finished { test: String, seconds: f64 },
}

pub(crate) struct Timings {
    path: Utf8PathBuf,
    position: u64,
    pub(crate) seconds: BTreeMap<String, f64>,
}

impl Timings {
    pub(crate) fn new(path: Utf8PathBuf) -> Self {
        Self { path, position: 0, seconds: BTreeMap::new() }
    }

    /// Reads the new lines, and returns the tests that have begun since the last call.
    pub(crate) fn news(&mut self) -> Vec<String> {
        let mut started = Vec::new();
        let Ok(mut file) = input::open(&self.path) else {
            return started;
        };
        if file.seek(SeekFrom::Start(self.position)).is_err() {
            return started;
        }
        let mut reader = BufReader::new(file);
        let mut line = String::new();
        while matches!(reader.read_line(&mut line), Ok(read) if read > 0) {
            if !line.ends_with('\n') {
                break;
            }
            self.position += line.len() as u64;
            match serde_json::from_str(&line) {
                Ok(Told::Started { test }) => started.push(test),
                Ok(Told::Finished { test, seconds }) => {
                    self.seconds.insert(test, seconds);
                }
                Err(_) => {}
            }
            line.clear();
        }
        started
    }
}
