use std::{
    io::Write,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use camino::Utf8PathBuf;
use serde_json::{Value, json};

/// Reports the running tests and their times to `devenv test`: Rust's test harness reports neither.
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

    /// Appends an event in one write, so that lines of several tests do not mix. A failed write does not fail the test.
    fn tell(&self, event: &Value) {
        let Some(path) = &self.file else { return };
        if let Ok(mut file) = fs_err::OpenOptions::new().create(true).append(true).open(path) {
            let _ = file.write_all(format!("{event}\n").as_bytes());
        }
    }
}
