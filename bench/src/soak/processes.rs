//! The processes of a project, found without devenv: by their command lines and locks.

use camino::Utf8Path;
use rustix::process::{Pid, PidfdFlags, Signal};

use super::project::Project;

/// A process of the project. Names are for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) name: String,
}

/// Every process with the project's state directory on its command line, or with the lock of one of its units.
pub(super) fn of(project: &Project, strangers: &[u32]) -> Vec<Process> {
    let pids = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| *pid != std::process::id() && !strangers.contains(pid))
        .filter_map(|pid| Some(Process { pid, name: name(pid, project)? }))
        .collect()
}

fn name(pid: u32, project: &Project) -> Option<String> {
    let (state, runtime) = (project.state(), project.runtime_root());
    let place = format!("/proc/{pid}");
    let descriptors = std::fs::read_dir(format!("{place}/fd")).into_iter().flatten().flatten();
    let lock = descriptors
        .filter_map(|descriptor| std::fs::read_link(descriptor.path()).ok())
        .find(|link| link.starts_with(&runtime) && link.parent().is_some_and(|folder| folder.ends_with("units")));
    if let Some(lock) = lock {
        return Some(lock.file_stem()?.to_string_lossy().into_owned());
    }
    let words = std::fs::read(format!("{place}/cmdline")).ok()?;
    let words = String::from_utf8_lossy(&words).replace('\0', " ");
    // The whole path must match: a longer one belongs to another project.
    let names_it = words.split(' ').any(|word| Utf8Path::new(word).starts_with(&state));
    names_it.then(|| words.split(' ').nth(1).unwrap_or_default().to_owned())
}

/// Sends SIGKILL to a process if its id still belongs to the process that was found.
pub(super) fn kill(process: &Process, project: &Project) {
    let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) else { return };
    let Ok(pinned) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else { return };
    if name(process.pid, project).as_ref() == Some(&process.name) {
        let _ = rustix::process::pidfd_send_signal(&pinned, Signal::KILL);
    }
}
