//! A tar archive that depends on names, modes and contents alone.

use std::fs::{self, File};
use std::io::Result;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tar::{Builder, EntryType, Header};

/// The time of every entry: 1980, since some programs read no earlier one.
const TIME: u64 = 315_532_800;

/// Writes `folder` with its name and all below it, sorted, with fixed times and owners.
pub(crate) fn write(folder: &Path, file: &Path) -> Result<()> {
    let name = folder.file_name().ok_or_else(|| std::io::Error::other("the folder has no name"))?;
    let mut archive = Builder::new(File::create(file)?);
    add(&mut archive, folder, Path::new(name))?;
    archive.into_inner()?.sync_all()
}

fn add(archive: &mut Builder<File>, path: &Path, name: &Path) -> Result<()> {
    let facts = fs::metadata(path)?;
    let mut header = Header::new_gnu();
    header.set_mtime(TIME);
    header.set_uid(0);
    header.set_gid(0);
    if facts.is_dir() {
        header.set_entry_type(EntryType::Directory);
        header.set_mode(0o755);
        header.set_size(0);
        archive.append_data(&mut header, name, std::io::empty())?;
        let mut entries = fs::read_dir(path)?.collect::<Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            add(archive, &entry.path(), &name.join(entry.file_name()))?;
        }
        return Ok(());
    }
    let is_program = facts.permissions().mode() & 0o100 != 0;
    header.set_mode(if is_program { 0o755 } else { 0o644 });
    header.set_size(facts.len());
    archive.append_data(&mut header, name, File::open(path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_written_later_and_in_another_order_are_the_same_archive() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let of = |place: &str, names: [&str; 3]| {
            let root = folder.path().join(place).join("devenv-1");
            fs::create_dir_all(root.join("man")).expect("writable");
            for name in names {
                fs::write(root.join(name), name).expect("writable");
            }
            fs::set_permissions(root.join("devenv"), fs::Permissions::from_mode(0o700)).expect("ours");
            let file = folder.path().join(format!("{place}.tar"));
            write(&root, &file).expect("writable");
            fs::read(file).expect("readable")
        };
        let first = of("a", ["devenv", "README.md", "man/devenv.1"]);
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!(first == of("b", ["man/devenv.1", "README.md", "devenv"]));
        let mut archive = tar::Archive::new(first.as_slice());
        let entries: Vec<_> = archive
            .entries()
            .expect("an archive")
            .map(|entry| entry.expect("an entry"))
            .map(|entry| (entry.path().expect("UTF-8").display().to_string(), entry.header().mode().expect("a number")))
            .collect();
        let expected = [
            ("devenv-1", 0o755),
            ("devenv-1/README.md", 0o644),
            ("devenv-1/devenv", 0o755),
            ("devenv-1/man", 0o755),
            ("devenv-1/man/devenv.1", 0o644),
        ];
        let read: Vec<_> = entries.iter().map(|(name, mode)| (name.trim_end_matches('/'), *mode)).collect();
        assert_eq!(read, expected);
    }
}
