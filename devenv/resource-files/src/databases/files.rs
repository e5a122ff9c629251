//! Reads all files of databases.

use std::sync::Arc;

use devenv_document::closest::closest;
use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;

use super::database::{self, ReadDatabase};

/// The files that were read.
#[derive(Debug, Default)]
pub struct ReadDatabases {
    pub databases: Vec<ReadDatabase>,
    /// Whether a file was unreadable: a missing name then proves nothing.
    incomplete: bool,
}

/// Reads and checks the files.
pub(crate) fn read(files: &[SourceFile], problems: &mut Vec<Problem>) -> ReadDatabases {
    let before = problems.len();
    let mut read: Vec<ReadDatabase> = Vec::new();
    for file in files {
        let Some(found) = database::read(&Arc::new(file.clone()), problems) else { continue };
        if let Some(other) = read.iter().find(|other| other.database.name == found.database.name) {
            let message = format!("database {} is also defined in {}", found.database.name, other.file.path);
            problems.push(found.problem("database.duplicate", message).help("keep one of the two files"));
        }
        read.push(found);
    }
    ReadDatabases { databases: read, incomplete: problems.len() > before }
}

impl ReadDatabases {
    /// The mistake in a reference to a database, as its remedy; `None` if a file declares the database.
    pub fn unknown(&self, name: &str) -> Option<String> {
        let names = || self.databases.iter().map(|read| read.database.name.as_str());
        if self.incomplete || names().any(|known| known == name) {
            return None;
        }
        Some(match closest(name, names()) {
            Some(meant) => format!("did you mean {meant}?"),
            None if self.databases.is_empty() => {
                "there is no database file; name their folder in devenv.toml: databases = \"...\"".to_owned()
            }
            None => format!("the databases are {}", names().collect::<Vec<_>>().join(", ")),
        })
    }
}
