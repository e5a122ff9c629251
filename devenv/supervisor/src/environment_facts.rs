//! The description of an environment in its runtime directory, for commands on all environments of this machine.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::files;
use crate::runtime_directory::RuntimeDirectory;

/// Raised when the file changes its shape. A newer file is not read: its environment is listed by its locks alone.
const FORMAT: u64 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentFacts {
    format: u64,
    pub name: String,
    /// The folder of `devenv.toml`.
    pub root: Utf8PathBuf,
    pub state: Utf8PathBuf,
}

impl EnvironmentFacts {
    pub fn new(name: String, root: Utf8PathBuf, state: Utf8PathBuf) -> Self {
        Self { format: FORMAT, name, root, state }
    }

    /// `None` if the file is absent, damaged, or of a newer devenv.
    pub fn read(runtime: &RuntimeDirectory) -> Option<Self> {
        let text = std::fs::read(runtime.facts_file()).ok()?;
        serde_json::from_slice::<Self>(&text).ok().filter(|facts| facts.format <= FORMAT)
    }

    /// Writes the file if it differs.
    pub fn keep(&self, runtime: &RuntimeDirectory) -> std::io::Result<()> {
        if Self::read(runtime).as_ref() == Some(self) {
            return Ok(());
        }
        let text = serde_json::to_vec_pretty(self).expect("the facts are plain data");
        files::replace_private(&runtime.facts_file(), &text)
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::*;

    #[test]
    fn facts_come_back_and_a_newer_file_is_not_misread() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8").join("run");
        let runtime = RuntimeDirectory::new(&root, "id");
        runtime.prepare().expect("writable");
        assert_eq!(EnvironmentFacts::read(&runtime), None);
        let facts = EnvironmentFacts::new("shop-1a2b3c".to_owned(), "/shop".into(), "/shop/.devenv".into());
        facts.keep(&runtime).expect("writable");
        assert_eq!(EnvironmentFacts::read(&runtime), Some(facts.clone()));
        for unreadable in
            ["{", "{\"format\": 2, \"name\": \"shop\", \"root\": \"/shop\", \"state\": \"/shop/.devenv\"}"]
        {
            std::fs::write(runtime.facts_file(), unreadable).expect("writable");
            assert_eq!(EnvironmentFacts::read(&runtime), None, "{unreadable}");
        }
    }
}
