//! A data directory, as a server reaches it.

use std::fs::File;
use std::os::fd::AsRawFd;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::io::FdFlags;

use crate::error::Error;
use crate::owner::Owner;

/// An existing data directory. Another user may own it and be barred from the folders above it, such as `/root`: that user's
/// programs reach it by the open file, which they inherit.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) folder: Utf8PathBuf,
    pub(crate) owner: Option<Owner>,
    open: Option<File>,
}

impl Data {
    pub(crate) fn open(folder: &Utf8Path, owner: Option<Owner>) -> Result<Self, Error> {
        let open = owner.map(|_| {
            let file = File::open(folder)?;
            rustix::io::fcntl_setfd(&file, FdFlags::empty())?;
            Ok(file)
        });
        let open = open.transpose().map_err(Error::file("open", folder))?;
        Ok(Self { folder: folder.to_owned(), owner, open })
    }

    /// The path of the directory for a program of its owner.
    pub(crate) fn seen(&self) -> String {
        match &self.open {
            Some(file) => format!("/proc/self/fd/{}", file.as_raw_fd()),
            None => self.folder.to_string(),
        }
    }
}

/// The major version in a data directory; `None` if it holds no data.
pub fn major(folder: &Utf8Path) -> Option<u16> {
    std::fs::read_to_string(folder.join("PG_VERSION")).ok()?.trim().parse().ok()
}
