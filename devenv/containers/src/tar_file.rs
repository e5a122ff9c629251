//! Writes tar archives with fixed times and owners: the same files give the same bytes.

use tar::{EntryType, Header};

pub(crate) type Archive = tar::Builder<Vec<u8>>;

pub(crate) fn add_folder(archive: &mut Archive, path: &str, mode: u32, owner: u64) -> std::io::Result<()> {
    let mut header = header(EntryType::Directory, mode, 0);
    header.set_uid(owner);
    header.set_gid(owner);
    archive.append_data(&mut header, path, std::io::empty())
}

pub(crate) fn add(archive: &mut Archive, path: &str, mode: u32, content: &[u8]) -> std::io::Result<()> {
    let mut header = header(EntryType::Regular, mode, content.len());
    archive.append_data(&mut header, path, content)
}

/// The owner of a file, by numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) uid: u64,
    pub(crate) gid: u64,
}

pub(crate) fn add_owned(
    archive: &mut Archive,
    path: &str,
    mode: u32,
    owner: Owner,
    content: &[u8],
) -> std::io::Result<()> {
    let mut header = header(EntryType::Regular, mode, content.len());
    header.set_uid(owner.uid);
    header.set_gid(owner.gid);
    archive.append_data(&mut header, path, content)
}

fn header(kind: EntryType, mode: u32, size: usize) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size as u64);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// Returns every file by its path.
#[cfg(test)]
pub(crate) fn contents(archive: &[u8]) -> std::collections::BTreeMap<String, Vec<u8>> {
    use std::io::Read;

    let mut files = std::collections::BTreeMap::new();
    for entry in tar::Archive::new(archive).entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("memory is readable");
        files.insert(entry.path().expect("a path").display().to_string(), content);
    }
    files
}
