use std::os::fd::OwnedFd;
use std::process::Stdio;

use crate::unit_spec::UnitSpec;
use camino::Utf8Path;
use rustix::io::FdFlags;
use tokio::process::{Child, Command};

use crate::lock::take_for_child;

/// The only environment variables that a unit inherits; few programs start without them.
pub(crate) const INHERITED: [&str; 6] = ["PATH", "HOME", "TMPDIR", "TZ", "LANG", "USER"];

pub(crate) struct Spawned {
    pub(crate) child: Child,
    /// Both streams of the process, in the order in which it wrote them.
    pub(crate) output: OwnedFd,
}

/// Starts a process of the unit in a group of its own, holding the lock at `lock`: the unit's program, or its health check.
///
/// The lock identifies the process: the process and its descendants inherit it and hold it as long as one of them lives. A
/// foreign process that gets a reused id does not hold it.
pub(crate) fn spawn(spec: &UnitSpec, words: &[String], lock: &Utf8Path) -> std::io::Result<Spawned> {
    let held = take_for_child(lock)?;
    let (output, input) = std::io::pipe()?;
    let (program, arguments) = words.split_first().ok_or_else(|| std::io::Error::other("its command is empty"))?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(&spec.directory)
        .env_clear()
        .envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .envs(&spec.environment)
        .stdin(Stdio::null())
        .stdout(input.try_clone()?)
        .stderr(input)
        .process_group(0);
    // Nothing else can be spawned between these two lines: the supervisor has one thread. Dropping our copy of the lock
    // afterwards keeps it held: the child's copy is the same open file.
    rustix::io::fcntl_setfd(&held, FdFlags::empty())?;
    let child = command.spawn()?;
    Ok(Spawned { child, output: output.into() })
}
