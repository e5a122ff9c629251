//! Copies of data directories.

use std::os::unix::fs::{DirBuilderExt, chown};

use camino::Utf8Path;

use crate::owner::Owner;

/// Makes an empty folder that only its owner may enter.
pub(crate) fn folder(folder: &Utf8Path, owner: Option<Owner>) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    give(folder, owner)
}

/// Copies the content of a folder into an existing one. PostgreSQL has files and folders only.
pub(crate) fn content(from: &Utf8Path, to: &Utf8Path, owner: Option<Owner>) -> std::io::Result<()> {
    for entry in from.read_dir_utf8()? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            folder(&target, owner)?;
            content(entry.path(), &target, owner)?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), &target)?;
            give(&target, owner)?;
        }
    }
    Ok(())
}

fn give(path: &Utf8Path, owner: Option<Owner>) -> std::io::Result<()> {
    owner.map_or(Ok(()), |Owner { user, group }| chown(path, Some(user), Some(group)))
}
