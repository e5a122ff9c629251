//! What is remembered between runs.

use std::collections::BTreeMap;

use devenv_manifest::input;
use devenv_model::manifest::EmulatorKind;
use devenv_supervisor::files;
use devenv_supervisor::state_directory::StateDirectory;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::runtime::RuntimeKind;

/// Raised when the file changes its shape.
const FORMAT: u64 = 1;

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

impl Remembered {
    pub(crate) fn read(state: &StateDirectory) -> Result<Self, Error> {
        let path = state.memory_file();
        let text = match input::read(&path, input::KEPT_LIMIT) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(Error::ReadFile { path, source }),
        };
        // Nothing here is dear: a file that a crash or a hand has damaged is as good as none.
        let Ok(remembered) = serde_json::from_slice::<Self>(&text) else {
            return Ok(Self::default());
        };
        if remembered.format > FORMAT {
            return Err(Error::StateFormat { path, found: remembered.format, known: FORMAT });
        }
        Ok(remembered)
    }

    /// Not synced: every `up` writes it, and one that is lost costs a choice of ports.
    pub(crate) fn keep(&self, state: &StateDirectory) -> Result<(), Error> {
        let versioned = Self { format: FORMAT, ..self.clone() };
        let text = serde_json::to_vec_pretty(&versioned).expect("what is remembered is plain data");
        let path = state.memory_file();
        files::replace_cache(&path, &text).map_err(|source| Error::State { path, source })
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

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
        remembered.keep(&state).expect("writable");
        assert_eq!(Remembered::read(&state).expect("readable").ports, remembered.ports);
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none_and_a_newer_one_is_refused() {
        let (_folder, state) = directory();
        state.prepare().expect("writable");
        std::fs::write(state.memory_file(), "{\"format\": 1, \"por").expect("writable");
        assert_eq!(Remembered::read(&state).expect("readable"), Remembered::default());
        std::fs::write(state.memory_file(), "{\"format\": 2}").expect("writable");
        assert!(matches!(Remembered::read(&state), Err(Error::StateFormat { found: 2, .. })));
    }

    #[test]
    fn format_1_is_read() {
        let (_folder, state) = directory();
        state.prepare().expect("writable");
        std::fs::write(state.memory_file(), include_str!("../tests/fixtures/state-1.json")).expect("writable");
        let remembered = Remembered::read(&state).expect("readable");
        assert_eq!(remembered.ports["order-api"][&8000], 8001);
    }
}
