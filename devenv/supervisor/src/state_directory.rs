//! The layout of `.devenv/`, in one place.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::names::short_digest;

use crate::error::Error;
use crate::files;
use crate::lock::{has_ended_in_order, is_held};
use crate::runtime_directory::{RuntimeDirectory, RuntimeVariables, SOCKET_PATH_LIMIT, roots};

/// The bytes of the digest that named a socket outside of the state directory before there were runtime directories.
const SOCKET_NAME_BYTES: usize = 8;

/// An environment's files: its data, logs and evidence here, its locks and sockets in its runtime directory.
#[derive(Debug, Clone)]
pub struct StateDirectory {
    path: Utf8PathBuf,
    runtime: RuntimeDirectory,
    /// Further runtime directories, of runs with other variables; only processes left there are looked for.
    others: Vec<RuntimeDirectory>,
    lost_files: Arc<Mutex<Option<bool>>>,
}

impl StateDirectory {
    pub fn new(path: &Utf8Path) -> Self {
        Self::within(path, &roots(&RuntimeVariables::read()))
    }

    /// With its runtime directory in the first of `roots`, unless its supervisor lives in another.
    pub fn within(path: &Utf8Path, roots: &[Utf8PathBuf]) -> Self {
        let (runtime, others) = RuntimeDirectory::of(path, linked(path).as_deref(), roots);
        Self { path: path.to_owned(), runtime, others, lost_files: Arc::default() }
    }

    /// Makes the absent folders, and keeps the state directory out of version control.
    pub fn prepare(&self) -> Result<(), Error> {
        self.prepare_runtime()?;
        for folder in [self.path.clone(), self.logs(), self.data()] {
            std::fs::create_dir_all(&folder).map_err(|source| Error::Write { path: folder.clone(), source })?;
        }
        ignore(&self.path).map_err(|source| Error::Write { path: self.path.clone(), source })
    }

    /// Makes the runtime directory. Leaves a mark in it if a killed supervisor's was removed: processes may hold locks without names.
    pub fn prepare_runtime(&self) -> Result<(), Error> {
        let failed = |source| Error::Read { path: self.supervisor_anchor(), source };
        let is_lost = !self.runtime.path().exists() && self.is_killed().map_err(failed)?;
        self.runtime.prepare()?;
        if is_lost {
            let mark = self.runtime.lost_mark();
            std::fs::write(&mark, b"").map_err(|source| Error::Write { path: mark, source })?;
        }
        Ok(())
    }

    /// Whether the last supervisor was killed: its anchor still has its id, and nobody holds it.
    pub(crate) fn is_killed(&self) -> std::io::Result<bool> {
        let anchor = self.supervisor_anchor();
        Ok(anchor.exists() && !has_ended_in_order(&anchor) && !is_held(&anchor)?)
    }

    pub fn runtime(&self) -> &RuntimeDirectory {
        &self.runtime
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
        self.runtime.units()
    }

    pub fn unit_lock(&self, unit: &str) -> Utf8PathBuf {
        self.runtime.unit_lock(unit)
    }

    /// Every folder in which a run may have left locks of units, the current one first. Version 0.1.0 kept them in the state
    /// directory.
    pub(crate) fn all_units(&self) -> Vec<Utf8PathBuf> {
        let trusted = Some(&self.runtime).filter(|runtime| runtime.check().is_ok());
        let runtimes = trusted.into_iter().chain(&self.others).map(RuntimeDirectory::units);
        runtimes.chain([self.path.join("units")]).collect()
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

    /// The data of a PostgreSQL server that runs as a process.
    pub fn postgres(&self, unit: &str) -> Utf8PathBuf {
        self.data().join("postgresql").join(unit)
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
        self.runtime.command_lock()
    }

    /// The lock of a changing command in the state directory: it also excludes commands with another runtime directory, and
    /// those of version 0.1.0.
    pub fn command_anchor(&self) -> Utf8PathBuf {
        self.path.join("command.lock")
    }

    pub fn supervisor_lock(&self) -> Utf8PathBuf {
        self.runtime.supervisor_lock()
    }

    /// The supervisor's second lock, in the state directory: it identifies a supervisor whose runtime directory was removed, or
    /// has another place, and is the only lock of version 0.1.0.
    pub fn supervisor_anchor(&self) -> Utf8PathBuf {
        self.path.join("supervisor.lock")
    }

    /// Whether a supervisor of this environment lives.
    pub fn is_supervised(&self) -> std::io::Result<bool> {
        Ok(is_held(&self.supervisor_lock())? || is_held(&self.supervisor_anchor())?)
    }

    pub fn socket(&self) -> Utf8PathBuf {
        self.runtime.socket()
    }

    /// The link to the supervisor's socket. Version 0.1.0 had the socket itself here.
    pub fn link(&self) -> Utf8PathBuf {
        self.path.join("control.sock")
    }

    /// The socket of a supervisor that the current runtime directory does not show: the target of the link, or a socket of
    /// version 0.1.0.
    pub(crate) fn anchored_socket(&self) -> Utf8PathBuf {
        if let Some(target) = linked(&self.path) {
            return target;
        }
        let beside = self.link();
        if beside.as_str().len() <= SOCKET_PATH_LIMIT {
            return beside;
        }
        let name = short_digest(self.path.as_str(), SOCKET_NAME_BYTES);
        let user = rustix::process::geteuid().as_raw();
        Utf8PathBuf::from(format!("/tmp/devenv-{user}/{name}.sock"))
    }

    /// Removes the environment's runtime directory. The caller knows that nothing of the environment runs.
    pub fn remove_runtime(&self) -> std::io::Result<()> {
        match std::fs::remove_dir_all(self.runtime.path()) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
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

fn linked(state: &Utf8Path) -> Option<Utf8PathBuf> {
    state.join("control.sock").read_link_utf8().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_of_the_previous_version_is_looked_for_in_its_place() {
        let long = StateDirectory::new(Utf8Path::new(&format!("/{}", "a".repeat(120))));
        assert!(long.anchored_socket().as_str().starts_with("/tmp/devenv-"));
        let short = StateDirectory::new(Utf8Path::new("/project/.devenv"));
        assert_eq!(short.anchored_socket(), "/project/.devenv/control.sock");
    }

    #[test]
    fn a_long_path_has_a_short_socket() {
        let long = StateDirectory::within(Utf8Path::new(&format!("/{}", "a".repeat(220))), &["/tmp/devenv-7".into()]);
        assert!(long.socket().as_str().len() <= SOCKET_PATH_LIMIT, "{}", long.socket());
    }
}
