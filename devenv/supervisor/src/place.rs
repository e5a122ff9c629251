//! The files by which commands find a supervisor.

use std::io::ErrorKind;

use camino::Utf8Path;

use crate::door::Door;
use crate::error::Error;
use crate::files;
use crate::lock::{HeldLock, LockAttempt, try_hold_at};
use crate::state_directory::StateDirectory;

/// The supervisor's locks and socket. The kernel keeps them while the supervisor lives, even if somebody removes their files.
#[derive(Debug)]
pub(crate) struct Place {
    state: StateDirectory,
    /// In the runtime directory.
    lock: HeldLock,
    /// In the state directory.
    anchor: HeldLock,
    pub(crate) door: Door,
    /// The content of the environment's description, which a command wrote.
    facts: Option<Vec<u8>>,
}

impl Place {
    /// Takes the locks and opens the socket. Fails if another supervisor has this environment.
    pub(crate) fn take(state: &StateDirectory) -> Result<Self, Error> {
        state.prepare()?;
        let lock = hold(&state.supervisor_lock())?;
        let anchor = hold(&state.supervisor_anchor())?;
        let door = open_door(state)?;
        link(state)?;
        let facts = std::fs::read(state.runtime().facts_file()).ok();
        // What an earlier run lost is no longer there, or was ended by the command that starts this supervisor.
        let _ = std::fs::remove_file(state.runtime().lost_mark());
        Ok(Self { state: state.clone(), lock, anchor, door, facts })
    }

    /// Makes removed files again. Changes nothing if no file was removed.
    pub(crate) fn restore(&mut self, memory: Option<&[u8]>) -> Result<(), Error> {
        self.restore_runtime()?;
        // A checkout that was removed as a whole stays removed.
        if self.state.path().parent().is_some_and(Utf8Path::exists) { self.restore_state(memory) } else { Ok(()) }
    }

    /// Makes the runtime directory again, if something cleaned it away.
    pub(crate) fn restore_runtime(&mut self) -> Result<(), Error> {
        let runtime = self.state.runtime();
        let lock = runtime.supervisor_lock();
        if !self.lock.is_at(&lock) {
            runtime.prepare()?;
            self.lock = hold(&lock)?;
            // The files of the running units' locks were removed too.
            *self.state.lost_files() = Some(true);
            keep(&runtime.lost_mark(), b"")?;
        }
        if !self.door.is_at(&runtime.socket()) {
            self.door = open_door(&self.state)?;
        }
        let file = runtime.facts_file();
        match &self.facts {
            Some(facts) if !file.exists() => keep(&file, facts),
            _ => Ok(()),
        }
    }

    fn restore_state(&mut self, memory: Option<&[u8]>) -> Result<(), Error> {
        let anchor = self.state.supervisor_anchor();
        if !self.anchor.is_at(&anchor) {
            self.state.prepare()?;
            self.anchor = hold(&anchor)?;
        }
        link(&self.state)?;
        let file = self.state.memory_file();
        match memory {
            Some(memory) if !file.exists() => keep(&file, memory),
            _ => Ok(()),
        }
    }

    /// Removes the socket, and marks the locks for the next command: the supervisor left nothing behind.
    pub(crate) fn leave(self) {
        let socket = self.state.socket();
        if self.door.is_at(&socket) {
            let _ = std::fs::remove_file(&socket);
            let _ = std::fs::remove_file(self.state.link());
        }
        self.lock.end_in_order();
        self.anchor.end_in_order();
    }
}

fn keep(path: &Utf8Path, content: &[u8]) -> Result<(), Error> {
    files::replace_cache(path, content).map_err(|source| Error::Write { path: path.to_owned(), source })
}

fn hold(path: &Utf8Path) -> Result<HeldLock, Error> {
    match try_hold_at(path).map_err(|source| Error::Write { path: path.to_owned(), source })? {
        LockAttempt::Held(held) => Ok(held),
        LockAttempt::Taken { pid } => Err(Error::Locked { pid }),
    }
}

fn open_door(state: &StateDirectory) -> Result<Door, Error> {
    let socket = state.socket();
    Door::open(&socket).map_err(|source| Error::Write { path: socket, source })
}

/// Links the state directory to the socket. The caller holds the supervisor's locks, so another file there is of a run that is
/// over.
fn link(state: &StateDirectory) -> Result<(), Error> {
    let (link, socket) = (state.link(), state.socket());
    if link.read_link_utf8().is_ok_and(|target| target == socket) {
        return Ok(());
    }
    let failed = |source| Error::Write { path: link.clone(), source };
    match std::fs::remove_file(&link) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    std::os::unix::fs::symlink(&socket, &link).map_err(failed)
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;
    use crate::lock::is_held;

    fn state(name: &str) -> (tempfile::TempDir, StateDirectory) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8Path::from_path(folder.path()).expect("UTF-8").to_owned();
        let state = StateDirectory::within(&path.join(name), &[path.join("run")]);
        (folder, state)
    }

    fn remove(path: &Utf8Path) {
        let _ = std::fs::remove_dir_all(path).or_else(|_| std::fs::remove_file(path));
    }

    #[tokio::test]
    async fn what_was_removed_is_there_again() {
        let (_folder, state) = state(".devenv");
        let mut place = Place::take(&state).expect("nobody else has it");
        let places: [Utf8PathBuf; 6] = [
            state.path().to_owned(),
            state.socket(),
            state.supervisor_lock(),
            state.supervisor_anchor(),
            state.runtime().path(),
            state.link(),
        ];
        for removed in places {
            remove(&removed);
            place.restore(Some(b"{}")).expect("writable");
            for lock in [state.supervisor_lock(), state.supervisor_anchor()] {
                assert!(is_held(&lock).expect("readable"), "{lock} after the removal of {removed}");
            }
            assert!(state.socket().exists() && state.link().exists(), "{removed}");
            assert!(state.memory_file().exists() && state.units().exists(), "{removed}");
        }
        let socket = place.door.is_at(&state.socket());
        assert!(socket && Place::take(&state).is_err(), "there is one supervisor only");
        place.leave();
        assert!(!state.socket().exists() && !state.link().exists());
        assert!(!state.is_supervised().expect("readable"));
    }

    #[tokio::test]
    async fn another_runtime_directory_makes_no_second_supervisor() {
        let (folder, state) = state(".devenv");
        let place = Place::take(&state).expect("nobody else has it");
        let elsewhere = Utf8Path::from_path(folder.path()).expect("UTF-8").join("elsewhere");
        let second = StateDirectory::within(state.path(), &[elsewhere]);
        assert_eq!(second.socket(), state.socket(), "the link leads to it");
        std::fs::remove_file(state.link()).expect("it is there");
        let second = StateDirectory::within(state.path(), &[second.path().parent().expect("one").join("x")]);
        assert!(matches!(Place::take(&second), Err(Error::Locked { .. })));
        drop(place);
    }

    #[tokio::test]
    async fn a_checkout_that_was_removed_is_not_made_again() {
        let (folder, state) = state("project/.devenv");
        let mut place = Place::take(&state).expect("nobody else has it");
        let project = Utf8Path::from_path(folder.path()).expect("UTF-8").join("project");
        std::fs::remove_dir_all(&project).expect("it is there");
        place.restore(Some(b"{}")).expect("writable");
        assert!(!project.exists() && state.socket().exists());
    }

    #[tokio::test]
    async fn the_description_of_the_environment_is_kept() {
        let (_folder, state) = state(".devenv");
        state.prepare().expect("writable");
        std::fs::write(state.runtime().facts_file(), "{}").expect("writable");
        let mut place = Place::take(&state).expect("nobody else has it");
        remove(&state.runtime().path());
        place.restore_runtime().expect("writable");
        assert!(state.runtime().facts_file().exists());
    }

    #[tokio::test]
    async fn a_path_too_long_for_an_address_is_no_obstacle() {
        let (_folder, state) = state(&"x".repeat(120));
        let place = Place::take(&state).expect("nobody else has it");
        assert!(state.socket().exists());
        place.leave();
        assert!(!state.socket().exists());
    }
}
