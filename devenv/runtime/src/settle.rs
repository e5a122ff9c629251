//! The work that an engine still does for a killed command.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::emitter::Emitter;
use crate::error::Error;

/// The wait for pending requests: an engine makes a network or a container even after its client was killed, and does not
/// list such requests. Longer than it takes on a busy machine.
const SETTLES: Duration = Duration::from_secs(2);

/// A mark file that exists while a command makes things in an engine. A killed command leaves it.
#[derive(Debug)]
pub struct Making(Utf8PathBuf);

impl Making {
    pub fn begin(path: Utf8PathBuf) -> Result<Self, Error> {
        std::fs::write(&path, b"").map_err(|source| Error::State { path: path.clone(), source })?;
        Ok(Self(path))
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Waits until the requests of a killed command are finished; returns at once if there is no mark.
pub async fn settle(mark: &Utf8Path, emitter: &Emitter) {
    if !mark.exists() {
        return;
    }
    emitter.notice("the last command was killed; waiting two seconds for the engine to finish its requests");
    tokio::time::sleep(SETTLES).await;
    let _ = std::fs::remove_file(mark);
}

#[cfg(test)]
mod tests {
    use devenv_model::event::Event;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_the_mark_of_a_killed_command_is_waited_for_and_only_once() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mark = Utf8Path::from_path(folder.path()).expect("UTF-8").join("engine.mark");
        let settled = async || {
            let (emitter, mut events) = Emitter::channel();
            let begin = tokio::time::Instant::now();
            settle(&mark, &emitter).await;
            drop(emitter);
            (begin.elapsed(), matches!(events.recv().await, Some(Event::Notice { .. })))
        };
        assert_eq!(settled().await, (Duration::ZERO, false), "nothing was ever made");
        drop(Making::begin(mark.clone()).expect("writable"));
        assert_eq!(settled().await, (Duration::ZERO, false), "it was made in order");
        // A killed command does not run `drop`.
        std::mem::forget(Making::begin(mark.clone()).expect("writable"));
        assert_eq!(settled().await, (SETTLES, true));
        assert_eq!(settled().await, (Duration::ZERO, false), "it has settled");
    }
}
