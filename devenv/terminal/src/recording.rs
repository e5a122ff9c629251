//! The journal of the command that runs, beside its output.

use devenv_artifacts::repository;
use devenv_journal::{Error, Journal};
use devenv_model::event::Event;
use devenv_runtime::{Project, ProjectOptions};
use tokio::sync::oneshot;

/// Keeps the events of a run, while git looks for the commit too. `None` if the command is not kept, there is no project, or
/// the journal could not be written.
pub(crate) struct Recording(Option<Kept>);

struct Kept {
    journal: Journal,
    /// `None` once the journal knows it.
    commit: Option<oneshot::Receiver<Option<String>>>,
}

impl Recording {
    pub(crate) fn begin(options: &ProjectOptions, verb: &str, is_recorded: bool) -> Self {
        let place = if is_recorded { Project::place(options) } else { None };
        Self(place.map(|(root, state_dir)| {
            let (sender, commit) = oneshot::channel();
            tokio::spawn(async move { sender.send(repository::head(&root).await) });
            let argv = std::env::args().skip(1).collect();
            Kept { journal: Journal::begin(&state_dir, verb, argv), commit: Some(commit) }
        }))
    }

    /// Adds an event. The journal ends at its first error, which is returned.
    pub(crate) fn add(&mut self, event: &Event) -> Result<(), Error> {
        let Some(kept) = &mut self.0 else {
            return Ok(());
        };
        if let Some(commit) = kept.commit.as_mut().and_then(|commit| commit.try_recv().ok()) {
            kept.journal.set_commit(commit);
            kept.commit = None;
        }
        let written = kept.journal.add(event);
        if written.is_err() {
            self.0 = None;
        }
        written
    }

    /// Writes the end of the run: its exit code, and its error if it failed.
    pub(crate) async fn end(self, exit: u8, error: Option<&str>) -> Result<(), Error> {
        let Some(mut kept) = self.0 else {
            return Ok(());
        };
        if let Some(commit) = kept.commit.take() {
            kept.journal.set_commit(commit.await.ok().flatten());
        }
        kept.journal.end(exit, error)
    }
}

/// A journal that cannot be written never stops a command: the person is told once.
pub(crate) fn unwritten(error: &Error) -> Event {
    Event::Notice { message: format!("devenv runs will not show this run: {error}") }
}
