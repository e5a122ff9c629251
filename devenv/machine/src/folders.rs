//! The folders that environments belong to.

use std::fmt;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;

use camino::Utf8Path;
use serde::Serialize;

/// Whether an environment's folder exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    There,
    Gone,
    /// This user may not look, or the folder is on the machine of a remote container engine.
    Unknown,
}

/// The file system, as far as it decides what belongs to whom.
pub trait Folders: Send + Sync + fmt::Debug {
    fn presence(&self, folder: &Utf8Path) -> Presence;
    /// The owner of the folder, or of the nearest folder above it that exists; `None` if this user may not look.
    fn owner(&self, folder: &Utf8Path) -> Option<u32>;
    /// This user.
    fn user(&self) -> u32;
}

#[derive(Debug)]
pub struct LocalFolders;

impl Folders for LocalFolders {
    fn presence(&self, folder: &Utf8Path) -> Presence {
        match folder.metadata() {
            Ok(_) => Presence::There,
            Err(error) if error.kind() == ErrorKind::NotFound => Presence::Gone,
            Err(_) => Presence::Unknown,
        }
    }

    fn owner(&self, folder: &Utf8Path) -> Option<u32> {
        for part in folder.ancestors() {
            match part.metadata() {
                Ok(facts) => return Some(facts.uid()),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(_) => return None,
            }
        }
        None
    }

    fn user(&self) -> u32 {
        devenv_supervisor::trust::own_user()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_gone_belongs_to_the_owner_of_the_folder_above() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8Path::from_path(place.path()).expect("UTF-8");
        assert_eq!(LocalFolders.presence(path), Presence::There);
        let gone = path.join("was/here");
        assert_eq!(LocalFolders.presence(&gone), Presence::Gone);
        assert_eq!(LocalFolders.owner(&gone), Some(LocalFolders.user()));
        std::fs::write(path.join("file"), "").expect("writable");
        assert_eq!(LocalFolders.presence(&path.join("file/below")), Presence::Unknown, "neither there nor gone");
    }
}
