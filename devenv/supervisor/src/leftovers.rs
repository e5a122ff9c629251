//! Leftovers: processes of an environment whose supervisor is gone. The lock that they inherited identifies them.

use std::time::{Duration, Instant};

use camino::Utf8Path;
use devenv_model::observed::Leftover;
use rustix::process::{Pid, Signal};

use crate::holders;
use crate::lock::{is_held, last_holder};
use crate::state_directory::StateDirectory;

/// The time between SIGTERM and SIGKILL, and between SIGKILL and giving up.
const PATIENCE: Duration = Duration::from_secs(5);

/// Every process that holds the lock of one of this environment's units.
pub fn find(state: &StateDirectory) -> std::io::Result<Vec<Leftover>> {
    let mut found: Vec<Leftover> = Vec::new();
    let mut add = |unit: &str, pid: u32| {
        if found.iter().all(|known| known.pid != pid) {
            found.push(Leftover { unit: unit.to_owned(), pid });
        }
    };
    for folder in state.all_units() {
        for Leftover { unit, pid } in within(&folder)? {
            add(&unit, pid);
        }
    }
    if has_lost_files(state)? {
        for Leftover { unit, pid } in nameless(state)? {
            add(&unit, pid);
        }
    }
    Ok(found)
}

/// The processes that hold locks in this folder of units' locks, whichever environment it belongs to.
pub fn within(folder: &Utf8Path) -> std::io::Result<Vec<Leftover>> {
    let mut found = Vec::new();
    for unit in units(folder)? {
        let lock = folder.join(format!("{unit}.lock"));
        if is_held(&lock)? {
            found.extend(holders::of(&lock)?.into_iter().map(|pid| Leftover { unit: unit.clone(), pid }));
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
/// milliseconds, so it runs once, and only where such a process is possible: a supervisor was killed, and the runtime directory
/// with the locks of its units is gone, or was made again by that supervisor.
fn has_lost_files(state: &StateDirectory) -> std::io::Result<bool> {
    let mut known = state.lost_files();
    if let Some(known) = *known {
        return Ok(known);
    }
    let runtime = state.runtime();
    let is_possible = runtime.lost_mark().exists() || (!runtime.path().exists() && state.is_killed()?);
    let lost = is_possible && !nameless(state)?.is_empty();
    *known = Some(lost);
    Ok(lost)
}

/// The supervisor's process id, as its lock has it; 0 if no lock does.
pub(crate) fn supervisor(state: &StateDirectory) -> u32 {
    let locks = [state.supervisor_lock(), state.supervisor_anchor()];
    locks.iter().map(|lock| last_holder(lock)).find(|pid| *pid != 0).unwrap_or_default()
}

/// Asks this environment's supervisor, with SIGHUP, to make again the files by which commands find it. The lock's file has its
/// process id; the lock itself confirms it.
pub fn call_for_files(state: &StateDirectory) -> std::io::Result<()> {
    for lock in [state.supervisor_lock(), state.supervisor_anchor()] {
        let pid = last_holder(&lock);
        if pid != 0 {
            holders::signal(pid, &lock, Signal::HUP)?;
        }
    }
    Ok(())
}

fn units(folder: &Utf8Path) -> std::io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
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
    let is_lost = *state.lost_files() == Some(true);
    for folder in state.all_units() {
        end_holders(&folder.join(format!("{unit}.lock")), is_lost, unit).await?;
    }
    Ok(())
}

/// Ends every process that holds this lock of a unit.
pub async fn end_holders(lock: &Utf8Path, is_lost: bool, unit: &str) -> std::io::Result<()> {
    let forced_from = Instant::now() + PATIENCE;
    let given_up_at = forced_from + PATIENCE;
    let mut pause = Duration::from_millis(1);
    let mut signalled = Vec::new();
    while is_held(lock)? || (is_lost && !holders::of(lock)?.is_empty()) {
        let now = Instant::now();
        if now > given_up_at {
            return Err(std::io::Error::other(format!("processes of {unit} still run after SIGKILL")));
        }
        let signal = if now < forced_from { Signal::TERM } else { Signal::KILL };
        for pid in holders::of(lock)? {
            if !signalled.contains(&(pid, signal)) {
                holders::signal(pid, lock, signal)?;
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
