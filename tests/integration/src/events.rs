use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value, json};

/// Tells `devenv test` when a test begins and ends, and keeps what a failing one knows.
#[derive(Debug)]
pub(crate) struct Events {
    test: String,
    began: Instant,
}

impl Events {
    pub(crate) fn begin(test: &str) -> Self {
        tell(&json!({ "event": "started", "test": test }));
        Self { test: test.to_owned(), began: Instant::now() }
    }

    /// Leaves `what` beside the logs of a failed run.
    pub(crate) fn keep(&self, name: &str, what: &Value) {
        if let Some(folder) = std::env::var_os("DEVENV_TEST_BUNDLE") {
            let file = format!("{}-{name}.json", self.test.replace("::", "."));
            let _ = std::fs::write(PathBuf::from(folder).join(file), what.to_string());
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        tell(&json!({ "event": "finished", "test": self.test, "seconds": self.began.elapsed().as_secs_f64() }));
    }
}

/// One line in one write, so that tests which run side by side do not mix theirs.
fn tell(event: &Value) {
    if let Some(path) = std::env::var_os("DEVENV_TEST_EVENTS")
        && let Ok(mut file) = File::options().append(true).create(true).open(path)
    {
        let _ = file.write_all(format!("{event}\n").as_bytes());
    }
}
