//! The reason why this user cannot write a file, from which a hint follows.

use std::io::{Error, ErrorKind};
use std::os::unix::fs::MetadataExt;

use camino::Utf8Path;
use rustix::io::Errno;

/// Why a file or folder cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unwritable {
    /// This user owns it and may change its mode.
    Mode,
    /// The user with this id owns it.
    Foreign(u32),
    ReadOnly,
    DiskFull,
    /// This process or the machine has reached its limit of open files, or memory is exhausted.
    TooManyFiles,
    Other,
}

/// The reason of `error`, which a write to `path` returned.
pub fn unwritable(path: &Utf8Path, error: &Error) -> Unwritable {
    // An absent file has no owner: its nearest existing folder refused it.
    let owner = path.ancestors().find_map(|part| part.metadata().ok()).map(|facts| facts.uid());
    reason(error, owner, rustix::process::getuid().as_raw())
}

/// Whether the machine, not the file, is why a file cannot be opened: too many open files, or no memory.
pub fn is_exhausted(error: &Error) -> bool {
    let known = [Errno::MFILE, Errno::NFILE, Errno::NOMEM];
    error.raw_os_error().is_some_and(|number| known.iter().any(|errno| errno.raw_os_error() == number))
}

fn reason(error: &Error, owner: Option<u32>, user: u32) -> Unwritable {
    match (error.kind(), owner) {
        _ if is_exhausted(error) => Unwritable::TooManyFiles,
        (ErrorKind::StorageFull | ErrorKind::QuotaExceeded, _) => Unwritable::DiskFull,
        (ErrorKind::ReadOnlyFilesystem, _) => Unwritable::ReadOnly,
        // Only the owner and root may change a mode.
        (ErrorKind::PermissionDenied, Some(owner)) if user != owner && user != 0 => Unwritable::Foreign(owner),
        (ErrorKind::PermissionDenied, _) => Unwritable::Mode,
        _ => Unwritable::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_for_its_owner_to_change() {
        let of = |errno: Errno, owner, user| reason(&errno.into(), Some(owner), user);
        assert_eq!(of(Errno::ACCESS, 1000, 1000), Unwritable::Mode);
        assert_eq!(of(Errno::ACCESS, 1000, 0), Unwritable::Mode);
        assert_eq!(of(Errno::ACCESS, 0, 1000), Unwritable::Foreign(0));
        assert_eq!(of(Errno::ROFS, 1000, 1000), Unwritable::ReadOnly);
        assert_eq!(of(Errno::NOSPC, 1000, 1000), Unwritable::DiskFull);
        assert_eq!(of(Errno::MFILE, 1000, 1000), Unwritable::TooManyFiles);
        assert_eq!(of(Errno::NOTDIR, 1000, 1000), Unwritable::Other);
    }
}
