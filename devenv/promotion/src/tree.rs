//! The Terraform files of a release: packed into its record, and unpacked to apply them.

use std::collections::BTreeMap;
use std::io::Read;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_artifacts::repository;
use devenv_model::evidence::tree_digest;
use devenv_testing::evidence::{TERRAFORM, contents};
use tar::{Archive, Builder, EntryType, Header};

use crate::error::Error;
use crate::private;

/// More bytes than any tree of Terraform files has.
const LIMIT: u64 = 64 * 1024 * 1024;

/// Files by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree(BTreeMap<String, File>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct File {
    /// As git writes it, such as `0o100644`.
    mode: u32,
    content: Vec<u8>,
}

/// The mode of a file that is not executable.
const PLAIN: u32 = 0o100_644;
/// The mode of a symbolic link; its content is its target.
const LINK: u32 = 0o120_000;

impl Tree {
    /// The tracked files of the project's Terraform folder, none without that folder; `None` outside a repository.
    pub(crate) async fn of(root: &Utf8Path) -> Result<Option<Self>, Error> {
        let Some(tracked) = repository::tracked(root, TERRAFORM).await else {
            return Ok(None);
        };
        let files = contents(root, &tracked)?.into_iter();
        Ok(Some(Self(files.map(|(path, mode, content)| (path, File { mode, content })).collect())))
    }

    /// These files and more.
    pub(crate) fn with(mut self, files: impl IntoIterator<Item = (String, String)>) -> Self {
        self.0.extend(files.into_iter().map(|(path, text)| (path, File { mode: PLAIN, content: text.into_bytes() })));
        self
    }

    /// Whether this folder has files of Terraform.
    pub(crate) fn has_root(&self, folder: &Utf8Path) -> bool {
        let is_of_root = |path: &Utf8Path| {
            path.parent() == Some(folder) && (path.extension() == Some("tf") || path.as_str().ends_with(".tf.json"))
        };
        self.0.keys().any(|path| is_of_root(Utf8Path::new(path)))
    }

    pub(crate) fn content(&self, path: &Utf8Path) -> Option<&[u8]> {
        Some(&self.0.get(path.as_str())?.content)
    }

    pub(crate) fn digest(&self) -> String {
        tree_digest(self.0.iter().map(|(path, file)| (path.as_str(), file.mode, file.content.as_slice())))
    }

    pub(crate) fn pack(&self) -> std::io::Result<Vec<u8>> {
        let mut builder = Builder::new(Vec::new());
        for (path, file) in &self.0 {
            let mut header = Header::new_ustar();
            header.set_mtime(0);
            header.set_mode(file.mode & 0o777);
            if file.mode & 0o170_000 == LINK {
                header.set_entry_type(EntryType::Symlink);
                header.set_size(0);
                builder.append_link(&mut header, path, String::from_utf8_lossy(&file.content).as_ref())?;
            } else {
                header.set_entry_type(EntryType::Regular);
                header.set_size(file.content.len() as u64);
                builder.append_data(&mut header, path, file.content.as_slice())?;
            }
        }
        builder.into_inner()
    }

    pub(crate) fn unpack(archive: &[u8]) -> std::io::Result<Self> {
        let mut files = BTreeMap::new();
        let mut reader = Archive::new(archive.take(LIMIT));
        for entry in reader.entries()? {
            let mut entry = entry?;
            let path = entry.path()?.to_string_lossy().into_owned();
            let (mode, content) = if entry.header().entry_type() == EntryType::Symlink {
                let target = entry.link_name()?.map(|name| name.to_string_lossy().into_owned().into_bytes());
                (LINK, target.unwrap_or_default())
            } else {
                let mut content = Vec::new();
                entry.read_to_end(&mut content)?;
                (0o100_000 | entry.header().mode()?, content)
            };
            files.insert(path, File { mode, content });
        }
        Ok(Self(files))
    }

    /// Writes the files below `folder` and removes any others there. They have the variables of services, so only their owner may
    /// read them.
    pub(crate) fn write(&self, folder: &Utf8Path) -> std::io::Result<()> {
        match std::fs::remove_dir_all(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        private::folder(folder)?;
        for (path, file) in &self.0 {
            let path = within(folder, path)?;
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            if file.mode & 0o170_000 == LINK {
                std::os::unix::fs::symlink(String::from_utf8_lossy(&file.content).as_ref(), &path)?;
            } else {
                private::create(&path, &file.content)?;
            }
        }
        Ok(())
    }
}

/// An archive must not write outside the folder.
fn within(folder: &Utf8Path, path: &str) -> std::io::Result<Utf8PathBuf> {
    let path = Utf8Path::new(path);
    let plain = path.components().all(|part| matches!(part, camino::Utf8Component::Normal(_)));
    if plain { Ok(folder.join(path)) } else { Err(std::io::Error::other(format!("{path} leads outside the folder"))) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn tree() -> Tree {
        let file = |mode, content: &str| File { mode, content: content.as_bytes().to_vec() };
        Tree(
            [
                ("terraform/envs/dev/release/main.tf", file(0o100_644, "# one")),
                ("terraform/checks/run", file(0o100_755, "#!/bin/sh")),
                ("terraform/link", file(0o120_000, "envs/dev")),
            ]
            .map(|(path, file)| (path.to_owned(), file))
            .into(),
        )
    }

    #[test]
    fn what_was_packed_is_unpacked_with_the_same_digest() {
        let packed = tree().pack().expect("in memory");
        assert_eq!(packed, tree().pack().expect("in memory"), "the same tree is the same archive");
        let unpacked = Tree::unpack(&packed).expect("an archive");
        assert_eq!(unpacked.digest(), tree().digest());
        let folder = tempfile::tempdir().expect("a temporary directory");
        let folder = Utf8Path::from_path(folder.path()).expect("UTF-8").join("tree");
        for _ in 0..2 {
            unpacked.write(&folder).expect("writable");
        }
        assert_eq!(std::fs::read_to_string(folder.join("terraform/link/release/main.tf")).expect("a link"), "# one");
        let mode = |path: &Utf8Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("terraform/checks/run"))), (0o700, 0o600));
    }

    #[test]
    fn an_archive_that_leads_elsewhere_is_refused() {
        for path in ["../outside", "/etc/outside", "a/../../outside"] {
            assert!(within(Utf8Path::new("/tmp/tree"), path).is_err(), "{path}");
        }
    }
}
