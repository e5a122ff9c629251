//! Advisory file locks: who may change an environment, and which processes belong to it.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;

use camino::Utf8Path;

/// A lock that is held until it is dropped. Its file names the holder for people; the kernel's lock is what counts.
#[derive(Debug)]
pub(crate) struct HeldLock(File);

impl HeldLock {
    /// Whether the file that is locked is still the one at `path`: another may have removed it before it was locked.
    pub(crate) fn is_at(&self, path: &Utf8Path) -> bool {
        let identity = |facts: std::fs::Metadata| (facts.dev(), facts.ino());
        let ours = self.0.metadata().map(identity).ok();
        ours.is_some() && ours == path.metadata().map(identity).ok()
    }
}

#[derive(Debug)]
pub(crate) enum LockAttempt {
    Held(HeldLock),
    /// Another process has it; the id is what that process wrote, 0 when it wrote nothing.
    Taken {
        pid: u32,
    },
}

/// Takes the lock at `path` if nobody has it, and writes this process's id into it.
pub(crate) fn try_hold(path: &Utf8Path) -> std::io::Result<LockAttempt> {
    let mut file = open(path)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            write!(file, "{}", std::process::id())?;
            Ok(LockAttempt::Held(HeldLock(file)))
        }
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            file.take(20).read_to_string(&mut text)?;
            Ok(LockAttempt::Taken { pid: text.trim().parse().unwrap_or(0) })
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether any process holds the lock at `path`. A file that is not there is held by nobody.
pub(crate) fn is_held(path: &Utf8Path) -> std::io::Result<bool> {
    match File::open(path) {
        Ok(file) => match file.try_lock() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn open(path: &Utf8Path) -> std::io::Result<File> {
    File::options().create(true).read(true).write(true).truncate(false).open(path)
}

/// Opens and takes the lock of a unit's process, for the process to inherit.
pub(crate) fn take_for_child(path: &Utf8Path) -> std::io::Result<File> {
    let file = open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(std::io::Error::other("a process of an earlier run still holds its lock")),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_lock_names_its_holder_and_is_free_after() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8Path::from_path(directory.path()).expect("UTF-8").join("a.lock");
        assert!(!is_held(&path).expect("absent is free"));
        let LockAttempt::Held(held) = try_hold(&path).expect("free") else { panic!("nobody else has it") };
        assert!(is_held(&path).expect("readable"));
        assert!(matches!(try_hold(&path).expect("readable"), LockAttempt::Taken { pid } if pid == std::process::id()));
        drop(held);
        assert!(!is_held(&path).expect("readable"));
    }
}
