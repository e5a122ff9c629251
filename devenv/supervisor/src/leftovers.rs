//! Leftovers: processes of an environment whose supervisor is gone. The lock that they inherited identifies them.

use std::time::{Duration, Instant};

use devenv_model::observed::Leftover;
use rustix::process::{Pid, Signal};

use crate::holders;
use crate::lock::{has_ended_in_order, is_held};
use crate::state_directory::StateDirectory;

/// The time between SIGTERM and SIGKILL, and between SIGKILL and giving up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Every process that holds the lock of one of this environment's units.
pub fn find(state: &StateDirectory) -> std::io::Result<Vec<Leftover>> {
    let mut found = Vec::new();
    for unit in units(state)? {
        let lock = state.unit_lock(&unit);
        if is_held(&lock)? {
            for pid in holders::of(&lock)? {
                found.push(Leftover { unit: unit.clone(), pid });
            }
        }
    }
    if has_lost_files(state)? {
        for Leftover { unit, pid } in nameless(state)? {
            if found.iter().all(|known| known.pid != pid) {
                found.push(Leftover { unit, pid });
            }
        }
    }
    Ok(found)
}

/// The processes that hold any unit's lock, also if the lock files were removed.
fn nameless(state: &StateDirectory) -> std::io::Result<Vec<Leftover>> {
    let held = holders::below(&state.units())?.into_iter();
    Ok(held
        .filter_map(|held| Some(Leftover { unit: held.file.strip_suffix(".lock")?.to_owned(), pid: held.pid }))
        .collect())
}

/// Whether a process of this environment holds the lock of a removed file. The search through all processes takes
/// milliseconds, so it runs once, and not if the last supervisor ended in order.
fn has_lost_files(state: &StateDirectory) -> std::io::Result<bool> {
    let mut known = state.lost_files();
    if let Some(known) = *known {
        return Ok(known);
    }
    let is_kept = |holder: &holders::Holder| holder.file.starts_with("units/") || holder.file == "supervisor.lock";
    let lost = !has_ended_in_order(&state.supervisor_lock()) && holders::below(state.path())?.iter().any(is_kept);
    *known = Some(lost);
    Ok(lost)
}

/// Leaves the lock file of a supervisor that ended in order, so that the next command does not search. The caller holds the
/// command lock, and no process of this environment lives: its units are containers.
pub fn note_that_none_is_lost(state: &StateDirectory) -> std::io::Result<()> {
    let lock = state.supervisor_lock();
    if !has_ended_in_order(&lock) && !is_held(&lock)? && !has_lost_files(state)? {
        std::fs::write(lock, "")?;
    }
    Ok(())
}

/// The supervisor whose lock file was removed; `None` if the file exists or there is no such supervisor.
pub fn lost_supervisor(state: &StateDirectory) -> std::io::Result<Option<u32>> {
    let lock = state.supervisor_lock();
    if lock.exists() || !has_lost_files(state)? {
        return Ok(None);
    }
    Ok(holders::of(&lock)?.first().copied())
}

/// Asks this environment's supervisor, with SIGHUP, to make again the files by which commands find it.
pub fn call_for_files(state: &StateDirectory) -> std::io::Result<()> {
    let lock = state.supervisor_lock();
    for pid in holders::of(&lock)? {
        holders::signal(pid, &lock, Signal::HUP)?;
    }
    Ok(())
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

/// Ends every process that holds the unit's lock: SIGTERM, then SIGKILL after 5 s. Returns once the lock is free.
pub async fn end(state: &StateDirectory, unit: &str) -> std::io::Result<()> {
    let lock = state.unit_lock(unit);
    let lost = *state.lost_files() == Some(true);
    let forced_from = Instant::now() + PATIENCE;
    let given_up_at = forced_from + PATIENCE;
    let mut pause = Duration::from_millis(1);
    let mut signalled = Vec::new();
    while is_held(&lock)? || (lost && !holders::of(&lock)?.is_empty()) {
        let now = Instant::now();
        if now > given_up_at {
            return Err(std::io::Error::other(format!("processes of {unit} still run after SIGKILL")));
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

/// Sends `signal` to the process group of `leader`; a group that no longer exists is no error.
pub fn signal_group(leader: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process_group(pid, signal);
    }
}
