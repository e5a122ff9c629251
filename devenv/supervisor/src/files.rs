//! How a file of ours is replaced whole: a reader, and a devenv that comes after a crash, meets the old content or the new one.

use std::fs::{File, Permissions};
use std::io::{Result, Write};
use std::os::unix::fs::PermissionsExt;

use camino::Utf8Path;

/// What a file is given that any program makes; the user's mask takes from it.
const MODE: u32 = 0o666;

/// Replaces a file that nobody could make again: the content and its name are on the disk when this returns.
pub fn replace(path: &Utf8Path, content: &[u8]) -> Result<()> {
    let folder = folder_of(path);
    let draft = draft(folder, content)?;
    draft.as_file().sync_all()?;
    draft.persist(path)?;
    File::open(folder)?.sync_all()
}

/// Replaces a file that only saves work, whose loss in a power cut costs nothing but that work. It is not synced: on some
/// disks that takes longer than all else that `up` does.
pub fn replace_cache(path: &Utf8Path, content: &[u8]) -> Result<()> {
    draft(folder_of(path), content)?.persist(path)?;
    Ok(())
}

/// Beside the file, since a name moves within one file system only. It is removed when it is not made the file.
fn draft(folder: &Utf8Path, content: &[u8]) -> Result<tempfile::NamedTempFile> {
    let mut draft =
        tempfile::Builder::new().prefix(".draft-").permissions(Permissions::from_mode(MODE)).tempfile_in(folder)?;
    draft.write_all(content)?;
    Ok(draft)
}

fn folder_of(path: &Utf8Path) -> &Utf8Path {
    path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8Path::from_path(folder.path()).expect("UTF-8").join("file");
        for (number, write) in [replace, replace_cache].into_iter().enumerate() {
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
    fn others_may_read_it_as_the_users_mask_allows() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let mode = |name: &str| std::fs::metadata(path.join(name)).expect("there").permissions().mode();
        std::fs::write(path.join("plain"), "").expect("writable");
        replace(&path.join("replaced"), b"").expect("writable");
        assert_eq!(mode("replaced"), mode("plain"));
    }
}
