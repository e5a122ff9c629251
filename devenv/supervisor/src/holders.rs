//! The processes that hold a lock, and a way to signal them that never reaches another process.

pub(crate) use system::{below, of, signal};

/// A process that has a file open *and* exclusively locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    /// The locked file, relative to the searched folder.
    pub(crate) file: String,
    pub(crate) pid: u32,
}

#[cfg(target_os = "linux")]
mod system {
    use std::collections::BTreeSet;
    use std::io::{Error, ErrorKind, Result};
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    use camino::Utf8Path;
    use rustix::process::{Pid, PidfdFlags, Signal};

    use super::Holder;
    use crate::real_path::real_path;

    /// The kernel's suffix for the path of an open file that was removed.
    const NAMELESS: &str = " (deleted)";

    /// The processes that hold `lock`, also if the file was removed. A process that only opens the file, as a search or a
    /// backup does, is not among them.
    pub(crate) fn of(lock: &Utf8Path) -> Result<Vec<u32>> {
        let (folder, name) = parts(lock);
        let held = below(folder)?.into_iter().filter(|holder| holder.file == name);
        Ok(held.map(|holder| holder.pid).collect())
    }

    /// Every process that holds a lock on a file below `folder`, also on removed files.
    ///
    /// Reads the files of each process instead of `/proc/locks`, which names the holders: before the kernel prints that list,
    /// it waits until no processor changes a lock, which takes five milliseconds.
    pub(crate) fn below(folder: &Utf8Path) -> Result<Vec<Holder>> {
        let folder = real_path(folder);
        Ok(every_process()?
            .into_iter()
            .flat_map(|pid| locked(pid, &folder).into_iter().map(move |file| Holder { file, pid }))
            .collect())
    }

    fn every_process() -> Result<BTreeSet<u32>> {
        let entries = std::fs::read_dir("/proc")?;
        entries.filter_map(|entry| entry.map(|entry| entry.file_name().to_str()?.parse().ok()).transpose()).collect()
    }

    /// The locked files of one process. Another user's process, or a process that ends meanwhile, has none.
    fn locked(pid: u32, folder: &Utf8Path) -> Vec<String> {
        let Ok(descriptors) = std::fs::read_dir(format!("/proc/{pid}/fd")) else {
            return Vec::new();
        };
        let held = descriptors.flatten().filter_map(|descriptor| {
            let link = std::fs::read_link(descriptor.path()).ok()?.into_os_string().into_string().ok()?;
            let (path, is_nameless) = link.strip_suffix(NAMELESS).map_or((&*link, false), |path| (path, true));
            let file = Utf8Path::new(path).strip_prefix(folder).ok()?;
            // In a container the same path is another file.
            let is_ours = if is_nameless {
                is_of_same_place(pid, &descriptor.path(), folder)
            } else {
                is_same_file(&descriptor.path(), Path::new(path))
            };
            if !is_ours {
                return None;
            }
            let facts =
                std::fs::read_to_string(format!("/proc/{pid}/fdinfo/{}", descriptor.file_name().display())).ok()?;
            facts.lines().any(is_held_alone).then(|| file.to_string())
        });
        held.collect()
    }

    fn is_same_file(one: &Path, other: &Path) -> bool {
        let identity = |path| std::fs::metadata(path).map(|facts| (facts.dev(), facts.ino())).ok();
        identity(one).is_some_and(|one| identity(other) == Some(one))
    }

    /// Whether the path of a removed file means the same file here. A container has its own file systems; a process that
    /// only has other mounts, such as a unit in a sandbox, has the file on ours. This does not distinguish two containers
    /// whose folders are on one file system at equal paths.
    fn is_of_same_place(pid: u32, file: &Path, folder: &Utf8Path) -> bool {
        let mounts = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/mnt")).ok();
        // On an overlay, a file may have another device than its folder: within one namespace, devices are not compared.
        if mounts("self").is_some_and(|ours| mounts(&pid.to_string()) == Some(ours)) {
            return true;
        }
        let device = |path: &Path| std::fs::metadata(path).map(|facts| facts.dev()).ok();
        let ours = folder.ancestors().find_map(|folder| device(folder.as_std_path()));
        ours.is_some_and(|ours| device(file) == Some(ours))
    }

    /// Whether a line of `fdinfo` shows an exclusive lock. A shared lock is only a look.
    fn is_held_alone(fact: &str) -> bool {
        fact.starts_with("lock:") && fact.contains(" WRITE ")
    }

    fn parts(lock: &Utf8Path) -> (&Utf8Path, &str) {
        (lock.parent().unwrap_or(Utf8Path::new("/")), lock.file_name().unwrap_or_default())
    }

    /// Signals the process if it holds `lock`. A pidfd pins it before that check, so a reused id is never signalled.
    pub(crate) fn signal(pid: u32, lock: &Utf8Path, signal: Signal) -> Result<()> {
        let Some(raw) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
            return Ok(());
        };
        let gone = |error: rustix::io::Errno| match Error::from(error) {
            error if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => Ok(()),
            error if error.kind() == ErrorKind::NotFound => Ok(()),
            error => Err(error),
        };
        let pinned = match rustix::process::pidfd_open(raw, PidfdFlags::empty()) {
            Ok(pinned) => pinned,
            Err(error) => return gone(error),
        };
        let (folder, name) = parts(lock);
        if locked(pid, &real_path(folder)).iter().any(|file| file == name) {
            return rustix::process::pidfd_send_signal(&pinned, signal).or_else(gone);
        }
        Ok(())
    }
}

/// Without `/proc`, `lsof` names the processes that have the file open (the caller has checked that the lock is held); it does
/// not find a removed file. Tried on Linux only.
#[cfg(not(target_os = "linux"))]
mod system {
    use std::io::Result;

    use camino::Utf8Path;
    use rustix::process::{Pid, Signal};

    use super::Holder;

    pub(crate) fn of(lock: &Utf8Path) -> Result<Vec<u32>> {
        let output = std::process::Command::new("lsof").args(["-t", lock.as_str()]).output()?;
        let own = std::process::id();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text.lines().filter_map(|line| line.trim().parse().ok()).filter(|pid| *pid != own).collect())
    }

    pub(crate) fn below(_folder: &Utf8Path) -> Result<Vec<Holder>> {
        Ok(Vec::new())
    }

    pub(crate) fn signal(pid: u32, lock: &Utf8Path, signal: Signal) -> Result<()> {
        if of(lock)?.contains(&pid)
            && let Some(raw) = i32::try_from(pid).ok().and_then(Pid::from_raw)
        {
            let _ = rustix::process::kill_process(raw, signal);
        }
        Ok(())
    }
}
