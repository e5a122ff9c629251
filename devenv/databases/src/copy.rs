//! Copies of data directories.

use std::fs::File;
use std::os::unix::fs::{DirBuilderExt, chown};

use camino::{Utf8Path, Utf8PathBuf};

use crate::owner::Owner;

/// Threads that wait for the disk: one alone takes seconds for the thousand files of an empty database, all together a tenth of that.
const SYNCS: usize = 16;

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

/// Syncs a folder and its content.
pub(crate) fn sync(folder: &Utf8Path) -> std::io::Result<()> {
    let mut paths = vec![folder.to_owned()];
    add_content(folder, &mut paths)?;
    let synced = |path: &Utf8PathBuf| Ok(rustix::fs::fsync(File::open(path)?)?);
    std::thread::scope(|scope| {
        let shares = paths.chunks(paths.len().div_ceil(SYNCS));
        let threads: Vec<_> = shares.map(|share| scope.spawn(move || share.iter().try_for_each(synced))).collect();
        let ended = |thread: std::thread::ScopedJoinHandle<'_, std::io::Result<()>>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().try_for_each(ended)
    })
}

fn add_content(folder: &Utf8Path, paths: &mut Vec<Utf8PathBuf>) -> std::io::Result<()> {
    for entry in folder.read_dir_utf8()? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            add_content(entry.path(), paths)?;
        }
        if kind.is_dir() || kind.is_file() {
            paths.push(entry.into_path());
        }
    }
    Ok(())
}

fn give(path: &Utf8Path, owner: Option<Owner>) -> std::io::Result<()> {
    owner.map_or(Ok(()), |Owner { user, group }| chown(path, Some(user), Some(group)))
}
