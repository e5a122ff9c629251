//! State that commands remember between runs.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use devenv_document::input;
use devenv_manifest::compose_model::ComposeOptions;
use devenv_model::intent::{Binding, Ports};
use devenv_model::manifest::EmulatorKind;
use devenv_supervisor::files;
use devenv_supervisor::state_directory::StateDirectory;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::request::RuntimeKind;

/// Raised when the file changes its shape.
const FORMAT: u64 = 1;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    format: u64,
    /// Unit, container port, host port; only the first host port of each container port.
    #[serde(default)]
    ports: BTreeMap<String, BTreeMap<u16, u16>>,
    /// The further host ports: unit, container port, host ports.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    more_ports: BTreeMap<String, BTreeMap<u16, Vec<u16>>>,
    /// The choice of the last start; absent before the first.
    #[serde(default)]
    pub chosen: Option<RememberedChoice>,
    /// The Compose files, profiles and files of variables of the last start; empty where they were those of the project.
    #[serde(default, skip_serializing_if = "ComposeOptions::is_open")]
    pub compose: ComposeOptions,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedChoice {
    pub runtime: RuntimeKind,
    pub emulator: EmulatorKind,
    /// The URL of an emulator outside the environment.
    pub emulator_url: Option<String>,
}

impl Remembered {
    pub fn read(state: &StateDirectory) -> Result<Self, Error> {
        READS.set(READS.get() + 1);
        let path = state.memory_file();
        let text = match input::read(&path, input::KEPT_LIMIT) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(Error::ReadFile { path, source }),
        };
        // A damaged file is ignored: its loss costs a choice of ports and runtime.
        let Ok(remembered) = serde_json::from_slice::<Self>(&text) else {
            return Ok(Self::default());
        };
        if remembered.format > FORMAT {
            return Err(Error::StateFormat { path, found: remembered.format, known: FORMAT });
        }
        Ok(remembered)
    }

    /// The host ports of one container port, in the order of the Compose file.
    pub fn ports(&self, unit: &str, container: u16) -> Vec<u16> {
        let first = self.ports.get(unit).and_then(|ports| ports.get(&container));
        let more = self.more_ports.get(unit).and_then(|ports| ports.get(&container));
        first.into_iter().chain(more.into_iter().flatten()).copied().collect()
    }

    /// Every port of a unit: container port and host port.
    pub fn all_ports(&self, unit: &str) -> impl Iterator<Item = (u16, u16)> {
        let first = self.ports.get(unit).into_iter().flatten().map(|(container, port)| (*container, *port));
        let more = self.more_ports.get(unit).into_iter().flatten();
        first.chain(more.flat_map(|(container, ports)| ports.iter().map(|port| (*container, *port))))
    }

    pub fn set_ports(&mut self, chosen: &Ports) {
        self.ports.clear();
        self.more_ports.clear();
        for (unit, bindings) in chosen {
            for Binding { container, host, .. } in bindings {
                match self.ports.entry(unit.clone()).or_default().entry(*container) {
                    Entry::Vacant(first) => {
                        first.insert(host.port());
                    }
                    Entry::Occupied(_) => {
                        let more = self.more_ports.entry(unit.clone()).or_default();
                        more.entry(*container).or_default().push(host.port());
                    }
                }
            }
        }
    }

    /// Not synced: its loss costs a choice of ports and runtime.
    pub fn keep(&self, state: &StateDirectory) -> Result<(), Error> {
        let versioned = Self { format: FORMAT, ..self.clone() };
        let text = serde_json::to_vec_pretty(&versioned).expect("the memory is plain data");
        let path = state.memory_file();
        files::replace_cache(&path, &text).map_err(|source| Error::State { path, source })
    }
}

/// The choice of every start before choices were remembered.
impl Default for RememberedChoice {
    fn default() -> Self {
        Self { runtime: RuntimeKind::Process, emulator: EmulatorKind::Embedded, emulator_url: None }
    }
}

thread_local! {
    static READS: Cell<usize> = const { Cell::new(0) };
}

/// How often this thread has read a memory: a test limits the reads of a command.
pub fn reads() -> usize {
    READS.get()
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::*;

    fn directory() -> (tempfile::TempDir, StateDirectory) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let state = StateDirectory::within(&path.join(".devenv"), &[path.join("run")]);
        (folder, state)
    }

    #[test]
    fn what_is_remembered_comes_back() {
        let (_folder, state) = directory();
        state.prepare().expect("writable");
        let mut remembered = Remembered::default();
        let bindings = [(8000, 8001), (9000, 9001), (8000, 8002)].map(|(one, other)| Binding::on_loopback(one, other));
        remembered.set_ports(&[("order-api".to_owned(), bindings.into())].into());
        remembered.keep(&state).expect("writable");
        let read = Remembered::read(&state).expect("readable");
        assert_eq!(read.ports("order-api", 8000), [8001, 8002]);
        assert_eq!(read.ports("order-api", 9000), [9001]);
        assert_eq!(read.ports("order-api", 1), [0; 0]);
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
        assert_eq!(remembered.ports("order-api", 8000), [8001]);
    }
}
