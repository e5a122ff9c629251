//! Processes of an environment whose supervisor is gone, known by the lock they inherited.

use std::time::{Duration, Instant};

use devenv_model::observed::Leftover;
use rustix::process::{Pid, Signal};

use crate::holders;
use crate::lock::{has_ended_in_order, is_held};
use crate::state_directory::StateDirectory;

/// How long a leftover may take to end after SIGTERM, before SIGKILL.
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

/// Processes of units by their locks alone, also where somebody removed the locks' names.
fn nameless(state: &StateDirectory) -> std::io::Result<Vec<Leftover>> {
    let held = holders::below(&state.units())?.into_iter();
    Ok(held
        .filter_map(|held| Some(Leftover { unit: held.file.strip_suffix(".lock")?.to_owned(), pid: held.pid }))
        .collect())
}

/// Whether a process of this environment may hold a lock that no path leads to any more. Looking at every process costs
/// milliseconds, so it is done once, and not where the last supervisor ended in order.
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

/// The supervisor whose lock has lost its name; `None` where the lock's file is there.
pub fn lost_supervisor(state: &StateDirectory) -> std::io::Result<Option<u32>> {
    let lock = state.supervisor_lock();
    if lock.exists() || !has_lost_files(state)? {
        return Ok(None);
    }
    Ok(holders::of(&lock)?.first().copied())
}

/// Asks the supervisor of this environment, and nobody else, to make the files anew by which commands find it.
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

/// Ends whatever holds the unit's lock: SIGTERM, then SIGKILL when patience runs out. Returns once nobody holds it.
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
pub fn signal_group(leader: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process_group(pid, signal);
    }
}
