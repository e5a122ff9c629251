//! Writes the proposed files.

use std::fs::File;
use std::io::{ErrorKind, Write};

use camino::Utf8PathBuf;

use crate::error::Error;
use crate::proposal::Proposal;

/// Writes every file, and replaces none. Returns their paths.
///
/// # Errors
///
/// A file that is there already, or cannot be written; the files of this call are then removed again.
pub fn write(proposal: &Proposal) -> Result<Vec<Utf8PathBuf>, Error> {
    let mut written: Vec<Utf8PathBuf> = Vec::new();
    for (path, text) in &proposal.files {
        let path = proposal.root.join(path);
        if let Err(error) = create(&path, text) {
            for path in &written {
                drop(std::fs::remove_file(path));
            }
            return Err(error);
        }
        written.push(path);
    }
    Ok(written)
}

fn create(path: &Utf8PathBuf, text: &str) -> Result<(), Error> {
    let failed = |source: std::io::Error| match source.kind() {
        ErrorKind::AlreadyExists => Error::Exists { path: path.clone() },
        _ => Error::Write { path: path.clone(), source },
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(|source| {
        drop(std::fs::remove_file(path));
        Error::Write { path: path.clone(), source }
    })
}
