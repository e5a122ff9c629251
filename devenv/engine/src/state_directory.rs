//! The layout of `.devenv/`, said once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::manifest::EmulatorKind;
use devenv_model::names::short_digest;
use serde::{Deserialize, Serialize};

use crate::choice::RuntimeKind;
use crate::{Error, input};

/// Raised when a file here changes its shape.
const FORMAT: u64 = 1;

/// A Unix socket's address holds no more (104 bytes on macOS, 108 on Linux, the end mark included).
const SOCKET_PATH_LIMIT: usize = 100;
/// Of the digest that names a socket elsewhere.
const SOCKET_NAME_BYTES: usize = 8;

#[derive(Debug, Clone)]
pub(crate) struct StateDirectory {
    path: Utf8PathBuf,
    lost_files: Arc<Mutex<Option<bool>>>,
}

/// What is remembered between runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    format: u64,
    /// Unit, container port, host port.
    #[serde(default)]
    pub(crate) ports: BTreeMap<String, BTreeMap<u16, u16>>,
    /// What the environment was last started with; absent before the first start.
    #[serde(default)]
    pub(crate) chosen: Option<RememberedChoice>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RememberedChoice {
    pub(crate) runtime: RuntimeKind,
    pub(crate) emulator: EmulatorKind,
    /// Of an emulator that somebody else runs.
    pub(crate) emulator_url: Option<String>,
}

impl StateDirectory {
    pub(crate) fn new(path: &Utf8Path) -> Self {
        Self { path: path.to_owned(), lost_files: Arc::default() }
    }

    /// Makes the folders that are absent, and keeps the whole out of version control.
    pub(crate) fn prepare(&self) -> Result<(), Error> {
        for folder in [self.path.clone(), self.logs(), self.units(), self.data()] {
            std::fs::create_dir_all(&folder).map_err(|source| Error::State { path: folder.clone(), source })?;
        }
        let ignore = self.path.join(".gitignore");
        if !ignore.exists() {
            Self::write(&ignore, b"*\n")?;
        }
        Ok(())
    }

    /// Whether processes of this environment hold files whose names are gone; `None` until somebody has looked.
    pub(crate) fn lost_files(&self) -> MutexGuard<'_, Option<bool>> {
        self.lost_files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    pub(crate) fn logs(&self) -> Utf8PathBuf {
        self.path.join("logs")
    }

    pub(crate) fn log(&self, unit: &str) -> Utf8PathBuf {
        self.logs().join(format!("{unit}.log"))
    }

    pub(crate) fn supervisor_log(&self) -> Utf8PathBuf {
        self.logs().join("supervisor.log")
    }

    pub(crate) fn units(&self) -> Utf8PathBuf {
        self.path.join("units")
    }

    pub(crate) fn unit_lock(&self, unit: &str) -> Utf8PathBuf {
        self.units().join(format!("{unit}.lock"))
    }

    pub(crate) fn data(&self) -> Utf8PathBuf {
        self.path.join("data")
    }

    /// What a promotion to an environment works with.
    pub(crate) fn promotion(&self, environment: &str) -> Utf8PathBuf {
        self.path.join("promote").join(environment)
    }

    pub(crate) fn database(&self) -> Utf8PathBuf {
        self.data().join("dynamodb.sqlite")
    }

    pub(crate) fn failures(&self) -> Utf8PathBuf {
        self.path.join("failures")
    }

    /// What runs of the tests proved, a file each.
    pub(crate) fn evidence(&self) -> Utf8PathBuf {
        self.path.join("evidence")
    }

    /// Environments of test runs, a folder each.
    pub(crate) fn tests(&self) -> Utf8PathBuf {
        self.path.join("test")
    }

    /// Held by the command that runs the tests in this environment.
    pub(crate) fn run_lock(&self) -> Utf8PathBuf {
        self.path.join("run.lock")
    }

    /// There when the environment of a test run was asked to stay.
    pub(crate) fn keep_mark(&self) -> Utf8PathBuf {
        self.path.join("keep")
    }

    /// There while a command asks an engine to make things; left by one that was killed.
    pub(crate) fn engine_mark(&self) -> Utf8PathBuf {
        self.path.join("engine.mark")
    }

    pub(crate) fn command_lock(&self) -> Utf8PathBuf {
        self.path.join("command.lock")
    }

    pub(crate) fn supervisor_lock(&self) -> Utf8PathBuf {
        self.path.join("supervisor.lock")
    }

    /// Beside the rest, or in a folder of this user's own when the path is too long for a socket's address.
    pub(crate) fn socket(&self) -> Utf8PathBuf {
        let beside = self.path.join("control.sock");
        if beside.as_str().len() <= SOCKET_PATH_LIMIT {
            return beside;
        }
        let name = short_digest(self.path.as_str(), SOCKET_NAME_BYTES);
        let user = rustix::process::geteuid().as_raw();
        Utf8PathBuf::from(format!("/tmp/devenv-{user}/{name}.sock"))
    }

    pub(crate) fn memory_file(&self) -> Utf8PathBuf {
        self.path.join("state.json")
    }

    pub(crate) fn remembered(&self) -> Result<Remembered, Error> {
        let path = self.memory_file();
        let text = match input::read(&path, input::KEPT_LIMIT) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Remembered::default()),
            Err(source) => return Err(Error::ReadFile { path, source }),
        };
        // Nothing here is dear: a file that a crash or a hand has damaged is as good as none.
        let Ok(remembered) = serde_json::from_slice::<Remembered>(&text) else {
            return Ok(Remembered::default());
        };
        if remembered.format > FORMAT {
            return Err(Error::StateFormat { path, found: remembered.format, known: FORMAT });
        }
        Ok(remembered)
    }

    pub(crate) fn remember(&self, remembered: &Remembered) -> Result<(), Error> {
        let versioned = Remembered { format: FORMAT, ..remembered.clone() };
        let text = serde_json::to_vec_pretty(&versioned).expect("what is remembered is plain data");
        Self::write(&self.memory_file(), &text)
    }

    /// Replaces the file whole, so that a reader never sees half of it.
    fn write(path: &Utf8Path, bytes: &[u8]) -> Result<(), Error> {
        let failed = |source| Error::State { path: path.to_owned(), source };
        let draft = path.with_extension(format!("draft-{}", std::process::id()));
        std::fs::write(&draft, bytes).and_then(|()| std::fs::rename(&draft, path)).map_err(|source| {
            let _ = std::fs::remove_file(&draft);
            failed(source)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> (tempfile::TempDir, StateDirectory) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8Path::from_path(folder.path()).expect("UTF-8").join(".devenv");
        (folder, StateDirectory::new(&path))
    }

    #[test]
    fn what_is_remembered_comes_back() {
        let (_folder, state) = directory();
        state.prepare().expect("writable");
        let mut remembered = Remembered::default();
        remembered.ports.entry("order-api".to_owned()).or_default().insert(8000, 8001);
        state.remember(&remembered).expect("writable");
        assert_eq!(state.remembered().expect("readable").ports, remembered.ports);
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none_and_a_newer_one_is_refused() {
        let (_folder, state) = directory();
        state.prepare().expect("writable");
        std::fs::write(state.memory_file(), "{\"format\": 1, \"por").expect("writable");
        assert_eq!(state.remembered().expect("readable"), Remembered::default());
        std::fs::write(state.memory_file(), "{\"format\": 2}").expect("writable");
        assert!(matches!(state.remembered(), Err(Error::StateFormat { found: 2, .. })));
    }

    #[test]
    fn format_1_is_read() {
        let (_folder, state) = directory();
        state.prepare().expect("writable");
        std::fs::write(state.memory_file(), include_str!("../tests/fixtures/state-1.json")).expect("writable");
        let remembered = state.remembered().expect("readable");
        assert_eq!(remembered.ports["order-api"][&8000], 8001);
    }

    #[test]
    fn a_long_path_moves_the_socket() {
        let long = StateDirectory::new(Utf8Path::new(&format!("/{}", "a".repeat(120))));
        assert!(long.socket().as_str().len() <= SOCKET_PATH_LIMIT);
        let short = StateDirectory::new(Utf8Path::new("/project/.devenv"));
        assert_eq!(short.socket(), "/project/.devenv/control.sock");
    }
}
