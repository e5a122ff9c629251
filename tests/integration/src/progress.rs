use std::{
    io::Write,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use camino::Utf8PathBuf;
use serde_json::{Value, json};

/// Tells `devenv test` which tests run and how long they took: the test harness of Rust tells neither.
pub(crate) struct Progress {
    file: Option<Utf8PathBuf>,
    test: String,
    started: Instant,
}

impl Progress {
    pub(crate) fn begin(file: Option<Utf8PathBuf>, test: &str) -> Self {
        let progress = Self { file, test: test.to_owned(), started: Instant::now() };
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let at_ms = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
        progress.tell(&json!({ "event": "started", "test": test, "at_ms": at_ms }));
        progress
    }

    pub(crate) fn end(self) {
        let seconds = self.started.elapsed().as_secs_f64();
        self.tell(&json!({ "event": "finished", "test": self.test, "seconds": seconds }));
    }

    /// One write each to a file in append mode, so that lines of several tests do not mix. A test is not failed for a
    /// progress line that cannot be written.
    fn tell(&self, event: &Value) {
        let Some(path) = &self.file else { return };
        if let Ok(mut file) = fs_err::OpenOptions::new().create(true).append(true).open(path) {
            let _ = file.write_all(format!("{event}\n").as_bytes());
        }
    }
}
