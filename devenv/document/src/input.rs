//! Reads files that other programs and people write: never blocks, and stops at a size limit.

use std::fs::File;
use std::io::{Error, Read, Result};
use std::os::unix::fs::OpenOptionsExt;

use camino::Utf8Path;
use rustix::fs::OFlags;

/// The limit for devenv's own files (state, built artifacts, evidence), in bytes.
pub const KEPT_LIMIT: u64 = 64 * 1024 * 1024;

/// Reads a regular file of at most `limit` bytes.
///
/// Refuses pipes and devices, also behind a link: reading one may block forever, and no signal would end it.
pub fn read(path: &Utf8Path, limit: u64) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    // One byte beyond the limit detects an oversized file, even if its reported length is wrong.
    open(path)?.take(limit.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        return Err(Error::other(format!("it has more than {limit} bytes")));
    }
    Ok(content)
}

/// Opens a regular file for reading.
pub fn open(path: &Utf8Path) -> Result<File> {
    // Without this flag, opening a pipe blocks until a writer opens it.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_file() {
        return Ok(file);
    }
    Err(Error::other(if kind.is_dir() { "it is a folder" } else { "it is a pipe or a device, not a regular file" }))
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("UTF-8");
        (folder, path)
    }

    #[test]
    fn a_pipe_a_device_and_a_folder_are_refused_without_a_wait() {
        let (_kept, folder) = folder();
        let pipe = folder.join("pipe");
        mknodat(CWD, pipe.as_std_path(), FileType::Fifo, Mode::RWXU, 0).expect("a pipe");
        let device = folder.join("device");
        std::os::unix::fs::symlink("/dev/zero", &device).expect("a link");
        for path in [&pipe, &device] {
            assert!(read(path, 10).expect_err("refused").to_string().contains("pipe or a device"), "{path}");
        }
        assert!(read(&folder, 10).expect_err("refused").to_string().contains("folder"));
    }

    #[test]
    fn no_more_is_read_than_allowed() {
        let (_kept, folder) = folder();
        let path = folder.join("file");
        std::fs::write(&path, "0123456789").expect("writable");
        assert_eq!(read(&path, 10).expect("as long as allowed"), b"0123456789");
        assert!(read(&path, 9).expect_err("too long").to_string().contains("more than 9 bytes"));
    }
}
