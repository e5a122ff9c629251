//! The layout of `.devenv/`, in one place.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::names::short_digest;

use crate::error::Error;
use crate::files;

/// Bytes; the limit of a Unix socket's address is 104 on macOS and 108 on Linux, with the final zero.
const SOCKET_PATH_LIMIT: usize = 100;
/// The bytes of the digest that names a socket outside of the state directory.
const SOCKET_NAME_BYTES: usize = 8;

#[derive(Debug, Clone)]
pub struct StateDirectory {
    path: Utf8PathBuf,
    lost_files: Arc<Mutex<Option<bool>>>,
}

impl StateDirectory {
    pub fn new(path: &Utf8Path) -> Self {
        Self { path: path.to_owned(), lost_files: Arc::default() }
    }

    /// Makes the absent folders, and keeps the state directory out of version control.
    pub fn prepare(&self) -> Result<(), Error> {
        for folder in [self.path.clone(), self.logs(), self.units(), self.data()] {
            std::fs::create_dir_all(&folder).map_err(|source| Error::Write { path: folder.clone(), source })?;
        }
        ignore(&self.path).map_err(|source| Error::Write { path: self.path.clone(), source })
    }

    /// Whether processes of this environment hold locks of removed files; `None` before the first search.
    pub fn lost_files(&self) -> MutexGuard<'_, Option<bool>> {
        self.lost_files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    pub fn logs(&self) -> Utf8PathBuf {
        self.path.join("logs")
    }

    pub fn log(&self, unit: &str) -> Utf8PathBuf {
        self.logs().join(format!("{unit}.log"))
    }

    pub fn supervisor_log(&self) -> Utf8PathBuf {
        self.logs().join("supervisor.log")
    }

    pub fn units(&self) -> Utf8PathBuf {
        self.path.join("units")
    }

    pub fn unit_lock(&self, unit: &str) -> Utf8PathBuf {
        self.units().join(format!("{unit}.lock"))
    }

    /// Names the run of a container that a command stopped: its exit code does not show it.
    pub fn stopped_mark(&self, unit: &str) -> Utf8PathBuf {
        self.units().join(format!("{unit}.stopped"))
    }

    /// The name under which the processes of a unit's health check hold a lock. No service has such a name.
    pub(crate) fn check_of(unit: &str) -> String {
        format!("{unit}+check")
    }

    pub fn data(&self) -> Utf8PathBuf {
        self.path.join("data")
    }

    /// The working folder of promotions to a target.
    pub fn promotion(&self, environment: &str) -> Utf8PathBuf {
        self.path.join("promote").join(environment)
    }

    pub fn database(&self) -> Utf8PathBuf {
        self.data().join("dynamodb.sqlite")
    }

    pub fn failures(&self) -> Utf8PathBuf {
        self.path.join("failures")
    }

    /// Evidence files, one per test run.
    pub fn evidence(&self) -> Utf8PathBuf {
        self.path.join("evidence")
    }

    /// Environments of test runs, one folder each.
    pub fn tests(&self) -> Utf8PathBuf {
        self.path.join("test")
    }

    /// Held by the command that runs the tests in this environment.
    pub fn run_lock(&self) -> Utf8PathBuf {
        self.path.join("run.lock")
    }

    /// Exists if the environment of a test run must be kept.
    pub fn keep_mark(&self) -> Utf8PathBuf {
        self.path.join("keep")
    }

    /// Exists while a command makes things in an engine; a killed command leaves it.
    pub fn engine_mark(&self) -> Utf8PathBuf {
        self.path.join("engine.mark")
    }

    pub fn command_lock(&self) -> Utf8PathBuf {
        self.path.join("command.lock")
    }

    pub fn supervisor_lock(&self) -> Utf8PathBuf {
        self.path.join("supervisor.lock")
    }

    /// The socket in the state directory, or in a private folder of this user if that path is too long for a socket's address.
    pub fn socket(&self) -> Utf8PathBuf {
        let beside = self.path.join("control.sock");
        if beside.as_str().len() <= SOCKET_PATH_LIMIT {
            return beside;
        }
        let name = short_digest(self.path.as_str(), SOCKET_NAME_BYTES);
        let user = rustix::process::geteuid().as_raw();
        Utf8PathBuf::from(format!("/tmp/devenv-{user}/{name}.sock"))
    }

    /// The memory of commands between runs.
    pub fn memory_file(&self) -> Utf8PathBuf {
        self.path.join("state.json")
    }
}

/// Makes a folder that version control ignores, if it is absent.
pub fn ignored_folder(folder: &Utf8Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    ignore(folder)
}

fn ignore(folder: &Utf8Path) -> std::io::Result<()> {
    let list = folder.join(".gitignore");
    if list.exists() { Ok(()) } else { files::replace_cache(&list, b"*\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_moves_the_socket() {
        let long = StateDirectory::new(Utf8Path::new(&format!("/{}", "a".repeat(120))));
        assert!(long.socket().as_str().len() <= SOCKET_PATH_LIMIT);
        let short = StateDirectory::new(Utf8Path::new("/project/.devenv"));
        assert_eq!(short.socket(), "/project/.devenv/control.sock");
    }
}
