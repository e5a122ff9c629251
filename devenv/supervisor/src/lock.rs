//! Advisory file locks: they serialize the commands of an environment, and identify its processes.
//!
//! A holder locks exclusively; a look takes a shared lock for an instant. So two looks do not disturb each other, and a process
//! that wants the lock waits for looks to end.

use std::fs::{File, Metadata, TryLockError};
use std::io::{ErrorKind, Read, Result, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use camino::Utf8Path;

/// Much longer than a look takes, even on a busy machine.
const LOOKS_END_WITHIN: Duration = Duration::from_secs(1);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(1);
/// Much longer than a new process has copies of the files that its parent had open, which is until it runs its own program.
const STARTS_END_WITHIN: Duration = Duration::from_millis(200);

/// A lock, held until dropped. The file names the holder for people; only the kernel's lock decides.
#[derive(Debug)]
pub struct HeldLock(File);

impl HeldLock {
    /// Whether `path` is still the file of this lock: somebody may have removed it.
    pub fn is_at(&self, path: &Utf8Path) -> bool {
        let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
        let held = self.0.metadata().map(identity).ok();
        held.is_some() && held == std::fs::metadata(path).map(identity).ok()
    }

    /// Releases the lock and empties its file: the mark that the holder ended in order and left nothing behind.
    pub fn end_in_order(self) {
        let _ = self.0.set_len(0);
    }
}

/// Whether the last holder of the lock at `path` ended in order: it emptied the file, which a killed process does not.
pub fn has_ended_in_order(path: &Utf8Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.len() == 0)
}

#[derive(Debug)]
pub enum LockAttempt {
    Held(HeldLock),
    /// Another process has the lock. `pid` is the id in the file; 0 if the file holds none.
    Taken {
        pid: u32,
    },
}

/// Takes the lock at `path` if it is free, and writes this process's id into the file. Blocks at most 200 ms for a lock that this process
/// gave back: a process that another thread is about to start may hold it for another instant.
pub fn try_hold(path: &Utf8Path) -> Result<LockAttempt> {
    let mut file = open(path)?;
    let deadline = Instant::now() + STARTS_END_WITHIN;
    while !take(&file)? {
        let pid = noted_holder(&file);
        if pid != std::process::id() || Instant::now() > deadline {
            return Ok(LockAttempt::Taken { pid });
        }
        std::thread::sleep(LOOK_AGAIN_AFTER);
    }
    // Best effort: on a full or read-only disk, `down` must still be able to stop the environment.
    let _ = note_holder(&mut file);
    Ok(LockAttempt::Held(HeldLock(file)))
}

/// Like [`try_hold`], for a file that somebody may remove or replace meanwhile: a lock that is held is the lock at `path`.
pub fn try_hold_at(path: &Utf8Path) -> Result<LockAttempt> {
    loop {
        match try_hold(path)? {
            LockAttempt::Held(held) if !held.is_at(path) => {}
            attempt => return Ok(attempt),
        }
    }
}

/// The process that last wrote its id into the lock at `path`; 0 if it cannot be read.
pub fn last_holder(path: &Utf8Path) -> u32 {
    File::open(path).map_or(0, |file| noted_holder(&file))
}

fn noted_holder(mut file: &File) -> u32 {
    let mut text = String::new();
    let _ = file.seek(SeekFrom::Start(0)).and_then(|_| file.take(20).read_to_string(&mut text));
    text.trim().parse().unwrap_or(0)
}

fn note_holder(file: &mut File) -> Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    write!(file, "{}", std::process::id())
}

/// Whether any process holds the lock at `path`; false if the file does not exist.
pub fn is_held(path: &Utf8Path) -> Result<bool> {
    match File::open(path) {
        Ok(file) => Ok(!can_share(&file)?),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a process goes on holding the lock at `path`. The lock that this program gave back may be held for another instant, by a
/// process that another thread is about to start. Blocks until the lock is free, at most 200 ms.
pub fn stays_held(path: &Utf8Path) -> Result<bool> {
    let deadline = Instant::now() + STARTS_END_WITHIN;
    while is_held(path)? {
        if Instant::now() > deadline {
            return Ok(true);
        }
        std::thread::sleep(LOOK_AGAIN_AFTER);
    }
    Ok(false)
}

/// Opens and takes the lock at `path`, for a unit's process to inherit.
pub fn take_for_child(path: &Utf8Path) -> Result<File> {
    let file = open(path)?;
    if take(&file)? {
        return Ok(file);
    }
    Err(std::io::Error::other("a process of an earlier run still holds its lock"))
}

/// Opens the file for writing, or read-only on a read-only file system: a lock needs no write access.
fn open(path: &Utf8Path) -> Result<File> {
    let opened = File::options().create(true).read(true).write(true).truncate(false).open(path);
    match opened {
        Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => File::open(path).map_err(|_| error),
        opened => opened,
    }
}

/// Tries to lock exclusively, and waits while others only look. Returns whether the lock is ours.
fn take(file: &File) -> Result<bool> {
    let deadline = Instant::now() + LOOKS_END_WITHIN;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if !can_share(file)? || Instant::now() > deadline => return Ok(false),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK_AGAIN_AFTER),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Whether no process holds the lock exclusively.
fn can_share(file: &File) -> Result<bool> {
    match file.try_lock_shared() {
        Ok(()) => file.unlock().map(|()| true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;

    fn lock() -> (tempfile::TempDir, Utf8PathBuf) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = Utf8Path::from_path(directory.path()).expect("UTF-8").join("a.lock");
        (directory, path)
    }

    #[test]
    fn a_held_lock_names_its_holder_and_is_free_after() {
        let (_directory, path) = lock();
        assert!(!is_held(&path).expect("absent is free"));
        let LockAttempt::Held(held) = try_hold(&path).expect("free") else { panic!("nobody else has it") };
        assert!(is_held(&path).expect("readable"));
        assert!(matches!(try_hold(&path).expect("readable"), LockAttempt::Taken { pid } if pid == std::process::id()));
        drop(held);
        assert!(!is_held(&path).expect("readable"));
    }

    #[test]
    fn a_look_at_a_lock_keeps_nobody_from_taking_it() {
        let (_directory, path) = lock();
        for for_child in [false, true] {
            std::fs::write(&path, b"").expect("writable");
            let look = File::open(&path).expect("readable");
            look.try_lock_shared().expect("nobody holds it");
            assert!(!is_held(&path).expect("readable"), "two looks do not meet");
            let looking = std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(20));
                drop(look);
            });
            let taken = if for_child {
                take_for_child(&path).is_ok()
            } else {
                matches!(try_hold(&path), Ok(LockAttempt::Held(_)))
            };
            assert!(taken, "a look made a lock look taken");
            looking.join().expect("no panic");
        }
    }

    #[test]
    fn a_lock_held_for_an_instant_does_not_stay_held() {
        let (_directory, path) = lock();
        let LockAttempt::Held(held) = try_hold(&path).expect("free") else { panic!("nobody else has it") };
        assert!(stays_held(&path).expect("readable"));
        let starting = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            drop(held);
        });
        assert!(!stays_held(&path).expect("readable"));
        starting.join().expect("no panic");
    }

    #[test]
    fn a_lock_that_this_program_gives_back_is_taken_again() {
        let (_directory, path) = lock();
        let LockAttempt::Held(held) = try_hold(&path).expect("free") else { panic!("nobody else has it") };
        let starting = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            drop(held);
        });
        assert!(matches!(try_hold(&path), Ok(LockAttempt::Held(_))));
        starting.join().expect("no panic");
    }

    #[test]
    fn a_holders_id_that_cannot_be_written_is_done_without() {
        let full = Utf8Path::new("/dev/full");
        if full.exists() {
            assert!(matches!(try_hold(full), Ok(LockAttempt::Held(_))));
        }
    }
}
