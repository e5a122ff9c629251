//! The files by which commands find a supervisor.

use camino::Utf8Path;

use crate::door::Door;
use crate::error::Error;
use crate::files;
use crate::lock::{HeldLock, LockAttempt, try_hold};
use crate::state_directory::StateDirectory;
use crate::trust::prepare_folder;

/// The supervisor's lock and socket. The kernel keeps both while the supervisor lives, even if somebody removes their files.
#[derive(Debug)]
pub(crate) struct Place {
    state: StateDirectory,
    lock: HeldLock,
    pub(crate) door: Door,
}

impl Place {
    /// Takes the lock and opens the socket. Fails if another supervisor has this environment.
    pub(crate) fn take(state: &StateDirectory) -> Result<Self, Error> {
        state.prepare()?;
        let lock = hold(&state.supervisor_lock())?;
        Ok(Self { state: state.clone(), lock, door: open_door(state)? })
    }

    /// Makes removed files again. Changes nothing if no file was removed.
    pub(crate) fn restore(&mut self, memory: Option<&[u8]>) -> Result<(), Error> {
        self.state.prepare()?;
        let lock = self.state.supervisor_lock();
        if !self.lock.is_at(&lock) {
            self.lock = hold(&lock)?;
            // The files of the running units' locks were removed too.
            *self.state.lost_files() = Some(true);
        }
        if !self.door.is_at(&self.state.socket()) {
            self.door = open_door(&self.state)?;
        }
        let file = self.state.memory_file();
        if let Some(memory) = memory.filter(|_| !file.exists()) {
            files::replace_cache(&file, memory).map_err(|source| Error::Write { path: file, source })?;
        }
        Ok(())
    }

    /// Removes the socket, and marks the lock for the next command: the supervisor left nothing behind.
    pub(crate) fn leave(self) {
        let socket = self.state.socket();
        if self.door.is_at(&socket) {
            let _ = std::fs::remove_file(&socket);
        }
        self.lock.end_in_order();
    }
}

fn hold(path: &Utf8Path) -> Result<HeldLock, Error> {
    match try_hold(path).map_err(|source| Error::Write { path: path.to_owned(), source })? {
        LockAttempt::Held(held) => Ok(held),
        LockAttempt::Taken { pid } => Err(Error::Locked { pid }),
    }
}

fn open_door(state: &StateDirectory) -> Result<Door, Error> {
    prepare_folder(state)?;
    let socket = state.socket();
    Door::open(&socket).map_err(|source| Error::Write { path: socket, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::is_held;

    fn state(name: &str) -> (tempfile::TempDir, StateDirectory) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8Path::from_path(folder.path()).expect("UTF-8").join(name);
        (folder, StateDirectory::new(&path))
    }

    #[tokio::test]
    async fn what_was_removed_is_there_again() {
        let (_folder, state) = state(".devenv");
        let mut place = Place::take(&state).expect("nobody else has it");
        for removed in [state.path().to_owned(), state.socket(), state.supervisor_lock()] {
            let _ = std::fs::remove_dir_all(&removed).or_else(|_| std::fs::remove_file(&removed));
            place.restore(Some(b"{}")).expect("writable");
            assert!(is_held(&state.supervisor_lock()).expect("readable") && state.socket().exists(), "{removed}");
            assert!(state.memory_file().exists() && state.units().exists(), "{removed}");
        }
        let socket = place.door.is_at(&state.socket());
        assert!(socket && Place::take(&state).is_err(), "there is one supervisor only");
        place.leave();
        assert!(!state.socket().exists() && !is_held(&state.supervisor_lock()).expect("readable"));
    }

    #[tokio::test]
    async fn a_path_too_long_for_an_address_has_its_socket_elsewhere() {
        let (_folder, state) = state(&"x".repeat(120));
        let place = Place::take(&state).expect("nobody else has it");
        assert!(state.socket().exists() && state.socket().parent() != Some(state.path()));
        place.leave();
        assert!(!state.socket().exists());
    }
}
