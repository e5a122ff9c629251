//! Files that only their owner may read: Terraform's plans and inputs have the variables of services.

use std::fs::{File, Permissions};
use std::io::{Result, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};

use camino::Utf8Path;

const FOLDER: u32 = 0o700;
const FILE: u32 = 0o600;

/// Creates a folder that only its owner may enter, or makes an existing one private.
pub(crate) fn folder(path: &Utf8Path) -> Result<()> {
    std::fs::create_dir_all(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(FOLDER))
}

/// Writes a new file that only its owner may read.
pub(crate) fn create(path: &Utf8Path, content: &[u8]) -> Result<()> {
    File::options().write(true).create_new(true).mode(FILE).open(path)?.write_all(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_was_open_becomes_private_and_so_are_new_files() {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        let open = Utf8Path::from_path(temporary.path()).expect("UTF-8").join("open");
        std::fs::create_dir(&open).expect("writable");
        std::fs::set_permissions(&open, Permissions::from_mode(0o755)).expect("ours");
        folder(&open).expect("ours");
        create(&open.join("file"), b"secret").expect("writable");
        let mode = |path: &Utf8Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&open), mode(&open.join("file"))), (0o700, 0o600));
        create(&open.join("file"), b"").expect_err("it is there");
    }
}
