//! Processes of an environment whose supervisor is gone, known by the lock they inherited.

use std::time::{Duration, Instant};

use devenv_model::observed::Leftover;
use rustix::process::{Pid, Signal};

use crate::lock::is_held;
use crate::state_directory::StateDirectory;

/// How long a leftover may take to end after SIGTERM, before SIGKILL.
const PATIENCE: Duration = Duration::from_secs(5);

/// Every process that holds the lock of one of this environment's units.
pub(crate) fn find(state: &StateDirectory) -> std::io::Result<Vec<Leftover>> {
    let mut found = Vec::new();
    for unit in units(state)? {
        let lock = state.unit_lock(&unit);
        if is_held(&lock)? {
            for pid in holders::of(&lock)? {
                found.push(Leftover { unit: unit.clone(), pid });
            }
        }
    }
    Ok(found)
}

fn units(state: &StateDirectory) -> std::io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(state.units()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut units = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        if let Some(unit) = name.to_str().and_then(|name| name.strip_suffix(".lock")) {
            units.push(unit.to_owned());
        }
    }
    units.sort();
    Ok(units)
}

/// Ends whatever holds the unit's lock: SIGTERM, then SIGKILL when patience runs out. Returns once nobody holds it.
pub(crate) async fn end(state: &StateDirectory, unit: &str) -> std::io::Result<()> {
    let lock = state.unit_lock(unit);
    let forced_from = Instant::now() + PATIENCE;
    let given_up_at = forced_from + PATIENCE;
    let mut pause = Duration::from_millis(1);
    let mut signalled = Vec::new();
    while is_held(&lock)? {
        let now = Instant::now();
        if now > given_up_at {
            return Err(std::io::Error::other(format!("processes of {unit} do not end")));
        }
        let signal = if now < forced_from { Signal::TERM } else { Signal::KILL };
        for pid in holders::of(&lock)? {
            if !signalled.contains(&(pid, signal)) {
                holders::signal(pid, &lock, signal)?;
                signalled.push((pid, signal));
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    Ok(())
}

/// Sends `signal` to the group that `leader` leads; a group that has gone is fine.
pub(super) fn signal_group(leader: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process_group(pid, signal);
    }
}

#[cfg(target_os = "linux")]
mod holders {
    use std::io::{Error, ErrorKind, Result};

    use camino::Utf8Path;
    use rustix::process::{Pid, PidfdFlags, Signal};

    /// The processes that have `lock` open *and* locked. Opening the file, as a search or a backup does, is not enough.
    pub(super) fn of(lock: &Utf8Path) -> Result<Vec<u32>> {
        let target = lock.canonicalize_utf8()?;
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            if holds(pid, &target) {
                found.push(pid);
            }
        }
        Ok(found)
    }

    /// Another user's process, or one that ends while we look, holds nothing of ours.
    fn holds(pid: u32, target: &Utf8Path) -> bool {
        let Ok(descriptors) = std::fs::read_dir(format!("/proc/{pid}/fd")) else {
            return false;
        };
        descriptors.flatten().any(|descriptor| {
            let is_target = std::fs::read_link(descriptor.path()).is_ok_and(|path| path == target.as_std_path());
            is_target && {
                let number = descriptor.file_name();
                let facts = format!("/proc/{pid}/fdinfo/{}", number.to_string_lossy());
                std::fs::read_to_string(facts).is_ok_and(|facts| facts.lines().any(|line| line.starts_with("lock:")))
            }
        })
    }

    /// The process is pinned first and looked at again, so that an id that was reused in between is never signalled.
    pub(super) fn signal(pid: u32, lock: &Utf8Path, signal: Signal) -> Result<()> {
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
        if holds(pid, &lock.canonicalize_utf8()?) {
            return rustix::process::pidfd_send_signal(&pinned, signal).or_else(gone);
        }
        Ok(())
    }
}

/// Without `/proc`, `lsof` tells who has the file open (the lock itself has been seen to be held). Tried on Linux only.
#[cfg(not(target_os = "linux"))]
mod holders {
    use std::io::Result;

    use camino::Utf8Path;
    use rustix::process::{Pid, Signal};

    pub(super) fn of(lock: &Utf8Path) -> Result<Vec<u32>> {
        let output = std::process::Command::new("lsof").args(["-t", lock.as_str()]).output()?;
        let own = std::process::id();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text.lines().filter_map(|line| line.trim().parse().ok()).filter(|pid| *pid != own).collect())
    }

    pub(super) fn signal(pid: u32, lock: &Utf8Path, signal: Signal) -> Result<()> {
        if of(lock)?.contains(&pid)
            && let Some(raw) = i32::try_from(pid).ok().and_then(Pid::from_raw)
        {
            let _ = rustix::process::kill_process(raw, signal);
        }
        Ok(())
    }
}
