//! Atomic replacement of files: a reader, also after a crash, sees either the old content or the new.

use std::fs::File;
use std::io::{ErrorKind, Result, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use camino::Utf8Path;
use tempfile::NamedTempFile;

/// How the names of drafts begin: a kill leaves one behind.
pub const DRAFT: &str = ".draft-";
/// The default mode of a new file, before the user's umask.
const MODE: u32 = 0o666;
const PRIVATE: u32 = 0o600;

/// Replaces a file that cannot be regenerated: content and name are synced to disk when this returns.
pub fn replace(path: &Utf8Path, content: &[u8]) -> Result<()> {
    let folder = folder_of(path);
    let draft = draft(folder, content, MODE)?;
    draft.as_file().sync_all()?;
    draft.persist(path)?;
    match File::open(folder)?.sync_all() {
        // Some file systems cannot sync a folder.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// Replaces a file that only saves work. Not synced: a power cut costs that work, and a sync takes longer than the rest of
/// `up` on some disks.
pub fn replace_cache(path: &Utf8Path, content: &[u8]) -> Result<()> {
    draft(folder_of(path), content, MODE)?.persist(path)?;
    Ok(())
}

/// Replaces a file that only its owner may read. Not synced: a lost file is made again.
pub fn replace_private(path: &Utf8Path, content: &[u8]) -> Result<()> {
    draft(folder_of(path), content, PRIVATE)?.persist(path)?;
    Ok(())
}

/// Checks that `path` can be replaced: makes a draft beside it, and removes the draft.
pub fn can_replace(path: &Utf8Path) -> Result<()> {
    draft(folder_of(path), b"", MODE).map(drop)
}

/// Writes a draft beside the file: a rename works within one file system only. Dropping the draft removes it.
///
/// The draft is opened and written here, so that an error keeps its errno.
fn draft(folder: &Utf8Path, content: &[u8], mode: u32) -> Result<NamedTempFile> {
    let open = |path: &Path| File::options().write(true).create_new(true).mode(mode).open(path);
    let mut draft = tempfile::Builder::new().prefix(DRAFT).make_in(folder, open)?;
    draft.as_file_mut().write_all(content)?;
    Ok(draft)
}

fn folder_of(path: &Utf8Path) -> &Utf8Path {
    path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8Path::from_path(folder.path()).expect("UTF-8").join("file");
        can_replace(&path).expect("writable");
        assert!(!path.exists(), "nothing is changed");
        for (number, write) in [replace, replace_cache, replace_private].into_iter().enumerate() {
            let content = format!("content {number}");
            write(&path, content.as_bytes()).expect("writable");
            assert_eq!(std::fs::read_to_string(&path).expect("readable"), content);
            assert_eq!(std::fs::read_dir(&folder).expect("readable").count(), 1);
        }
    }

    #[test]
    fn a_file_that_cannot_be_put_in_its_place_leaves_no_draft() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8Path::from_path(folder.path()).expect("UTF-8").join("folder");
        std::fs::create_dir_all(path.join("inner")).expect("writable");
        replace(&path, b"content").expect_err("a folder that holds something stays");
        assert_eq!(std::fs::read_dir(&folder).expect("readable").count(), 1);
    }

    #[test]
    fn an_error_keeps_its_number() {
        let error = replace(Utf8Path::new("/nonexistent/file"), b"").expect_err("there is no such folder");
        assert_eq!(error.raw_os_error(), Some(rustix::io::Errno::NOENT.raw_os_error()));
    }

    #[test]
    fn others_may_read_it_as_the_users_mask_allows_unless_it_is_private() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let mode = |name: &str| std::fs::metadata(path.join(name)).expect("there").permissions().mode();
        std::fs::write(path.join("plain"), "").expect("writable");
        replace(&path.join("replaced"), b"").expect("writable");
        assert_eq!(mode("replaced"), mode("plain"));
        replace_private(&path.join("private"), b"").expect("writable");
        assert_eq!(mode("private") & 0o777, 0o600);
    }
}
