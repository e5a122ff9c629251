//! Trust: both ends of the socket accept only processes and folders of this user.

use std::fs::Metadata;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};

use camino::Utf8Path;
use tokio::net::UnixStream;

use crate::error::Error;

/// The permission bits of group and others.
const OTHERS: u32 = 0o077;

/// Makes a folder for this user only, or checks the existing one.
pub(crate) fn make(folder: &Utf8Path) -> Result<(), Error> {
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(Error::Write { path: folder.to_owned(), source: error })
        }
        _ => check(folder),
    }
}

/// Refuses a folder in which another user could have made the socket.
pub(crate) fn check(folder: &Utf8Path) -> Result<(), Error> {
    let metadata = folder.symlink_metadata().map_err(|source| Error::Read { path: folder.to_owned(), source })?;
    let Some(Objection { why, is_mode }) = objection(&Facts::of(&metadata), own_user()) else {
        return Ok(());
    };
    let remedy = if is_mode {
        format!("chmod 700 {folder}")
    } else {
        format!("rm -r {folder} (as its owner), or name another folder: export DEVENV_RUNTIME_DIR=DIR")
    };
    Err(Error::Untrusted { path: folder.to_owned(), why, remedy })
}

/// Whether `folder` is a folder of this user that nobody else may enter.
pub fn is_private(folder: &Utf8Path) -> bool {
    folder.symlink_metadata().is_ok_and(|metadata| objection(&Facts::of(&metadata), own_user()).is_none())
}

/// The checked facts of a folder; of a symbolic link itself, not of its target.
struct Facts {
    is_folder: bool,
    owner: u32,
    mode: u32,
}

impl Facts {
    fn of(metadata: &Metadata) -> Self {
        Self { is_folder: metadata.is_dir(), owner: metadata.uid(), mode: metadata.permissions().mode() }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Objection {
    why: String,
    /// Whether a change of mode by this user removes the objection.
    is_mode: bool,
}

fn objection(facts: &Facts, user: u32) -> Option<Objection> {
    let other = |why: String| Some(Objection { why, is_mode: false });
    if !facts.is_folder {
        return other("it is not a folder".to_owned());
    }
    if facts.owner != user {
        return other(format!("it belongs to user {}, not to you (user {user})", facts.owner));
    }
    let open = facts.mode & OTHERS;
    let why = format!("other users may use it (mode {:o} instead of 700)", facts.mode & 0o777);
    (open != 0).then_some(Objection { why, is_mode: true })
}

/// Whether the process at the other end belongs to this user.
pub(crate) fn is_own(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == own_user())
}

/// The id of the user whose environments a command may change.
pub fn own_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_folder_of_ones_own_that_nobody_else_may_use_is_trusted() {
        let facts = |is_folder, owner, mode| Facts { is_folder, owner, mode };
        assert_eq!(objection(&facts(true, 1000, 0o40700), 1000), None);
        for (facts, part, is_mode) in [
            (facts(false, 1000, 0o120_777), "not a folder", false),
            (facts(true, 1001, 0o40700), "belongs to user 1001", false),
            (facts(true, 1000, 0o40755), "mode 755", true),
            (facts(true, 1000, 0o41777), "mode 777", true),
        ] {
            let objection = objection(&facts, 1000).expect("not trusted");
            assert!(objection.why.contains(part) && objection.is_mode == is_mode, "{objection:?}");
        }
    }

    #[test]
    fn a_folder_that_was_there_before_is_used_only_when_it_is_ones_own() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8Path::from_path(place.path()).expect("UTF-8");
        let own = path.join("own");
        make(&own).expect("writable");
        make(&own).expect("it is there already");
        for (name, refuse) in [("link", true), ("wide", true), ("own", false)] {
            let folder = path.join(name);
            match name {
                "link" => std::os::unix::fs::symlink(&own, &folder).expect("writable"),
                "wide" => std::fs::DirBuilder::new().mode(0o755).create(&folder).expect("writable"),
                _ => {}
            }
            assert_eq!(matches!(make(&folder), Err(Error::Untrusted { .. })), refuse, "{name}, by its maker");
            assert_eq!(matches!(check(&folder), Err(Error::Untrusted { .. })), refuse, "{name}, by a guest");
            assert_eq!(is_private(&folder), !refuse, "{name}");
        }
    }
}
