//! The digests of the archives, in the format of `sha256sum`.

use std::fmt::Write;
use std::fs;
use std::io::Result;
use std::path::Path;

use sha2::{Digest, Sha256};

const NAME: &str = "SHA256SUMS";

/// Writes `SHA256SUMS` over the other files of `folder`, sorted.
pub(crate) fn write(folder: &Path) -> Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>>>()?;
    entries.retain(|entry| entry.path().is_file() && entry.file_name() != NAME);
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut text = String::new();
    for entry in entries {
        let digest = Sha256::digest(fs::read(entry.path())?);
        for byte in digest {
            let _ = write!(text, "{byte:02x}");
        }
        let _ = writeln!(text, "  {}", entry.file_name().display());
    }
    fs::write(folder.join(NAME), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_its_digest_but_the_list_itself() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        fs::write(folder.path().join("b.tar.gz"), "").expect("writable");
        fs::write(folder.path().join("a.tar.gz"), "abc").expect("writable");
        for _ in 0..2 {
            write(folder.path()).expect("writable");
        }
        let text = fs::read_to_string(folder.path().join(NAME)).expect("written");
        assert_eq!(
            text,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a.tar.gz\n\
             e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b.tar.gz\n"
        );
    }
}
