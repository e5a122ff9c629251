//! The files that a model is read from.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};

use camino::{Utf8Path, Utf8PathBuf};
use devenv_document::input;

/// Reads files by their absolute paths.
pub trait Files {
    /// Reads a regular file of at most `limit` bytes.
    fn read(&self, path: &Utf8Path, limit: u64) -> Result<Vec<u8>>;

    /// Whether there is a regular file.
    fn is_file(&self, path: &Utf8Path) -> bool;
}

/// The files on the disk.
#[derive(Debug)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Utf8Path, limit: u64) -> Result<Vec<u8>> {
        input::read(path, limit)
    }

    fn is_file(&self, path: &Utf8Path) -> bool {
        path.is_file()
    }
}

/// Files in memory, by their absolute paths.
#[derive(Debug, Default)]
pub struct Memory(pub BTreeMap<Utf8PathBuf, Vec<u8>>);

impl Files for Memory {
    fn read(&self, path: &Utf8Path, limit: u64) -> Result<Vec<u8>> {
        let content = self.0.get(path).ok_or_else(|| Error::from(ErrorKind::NotFound))?;
        if content.len() as u64 > limit {
            return Err(Error::other(format!("it has more than {limit} bytes")));
        }
        Ok(content.clone())
    }

    fn is_file(&self, path: &Utf8Path) -> bool {
        self.0.contains_key(path)
    }
}
