//! The guard: a process that ends the test command of a killed devenv.

use std::io::Read;
use std::process::Stdio;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_runtime::{Cancel, Emitter, Error as RuntimeError, own_program};
use devenv_supervisor::leftovers;
use devenv_supervisor::state_directory::StateDirectory;
use rustix::process::{Pid, Signal};
use tokio::process::{Child, Command};

use crate::error::Error;
use crate::run::{TestCommand, TestRun, run};

/// Name of the test command's lock among the locks of units. It has a blank, which no service's name has.
const COMMAND: &str = "test command";

/// A process beside the test command that outlives a `kill -9` of this one and notices it: its standard input ends. If the
/// guard is killed too, the next command in this state directory finds the test command by its lock.
#[derive(Debug)]
struct Guard(Child);

impl Guard {
    fn start(state: &StateDirectory) -> Result<Self, Error> {
        let mut command = Command::new(own_program()?);
        command
            .args(["guard", "--state-dir", state.path().as_str()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A group of its own, so that Ctrl-C reaches only this command, which then ends the tests in order.
            .process_group(0);
        let failed = |source| Error::Start { program: "devenv guard".to_owned(), source };
        Ok(Self(command.spawn().map_err(failed)?))
    }

    /// Returns when the guard has ended the test command's background processes.
    async fn dismiss(mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait().await;
    }
}

/// Ends a test command that an earlier run left, then runs this one. A `kill -9` of this process ends the command too. No other
/// process may run a test command in this state directory at the same time.
pub async fn run_guarded(
    state: &StateDirectory,
    order: &TestCommand<'_>,
    emitter: &Emitter,
    cancel: &Cancel,
) -> Result<TestRun, Error> {
    let failed = |source| RuntimeError::State { path: lock(state), source };
    state.prepare_runtime().map_err(RuntimeError::from)?;
    leftovers::end(state, COMMAND).await.map_err(failed)?;
    let lock = lock(state);
    let guard = Guard::start(state)?;
    let run = run(&TestCommand { lock: Some(&lock), ..*order }, emitter, cancel).await;
    guard.dismiss().await;
    run
}

/// The lock that the test command of this environment inherits.
fn lock(state: &StateDirectory) -> Utf8PathBuf {
    state.unit_lock(COMMAND)
}

/// Waits until the process at the other end of standard input is gone, then ends the test command.
pub async fn guard(state_dir: &Utf8Path) -> Result<(), Error> {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    let state = StateDirectory::new(state_dir);
    let failed = |source| RuntimeError::State { path: lock(&state), source };
    end_groups(&state).map_err(failed)?;
    Ok(leftovers::end(&state, COMMAND).await.map_err(failed)?)
}

/// Signals the process groups of the lock's holders: some programs do not pass the lock to their children. A group exists
/// for as long as its holder.
fn end_groups(state: &StateDirectory) -> std::io::Result<()> {
    let holders = || -> std::io::Result<Vec<u32>> {
        let found = leftovers::find(state)?;
        Ok(found.into_iter().filter(|leftover| leftover.unit == COMMAND).map(|leftover| leftover.pid).collect())
    };
    let pid = |id: u32| i32::try_from(id).ok().and_then(Pid::from_raw);
    let groups = holders()?.into_iter().map(|id| (id, rustix::process::getpgid(pid(id)).ok()));
    let groups: Vec<(u32, Option<Pid>)> = groups.collect();
    // Look again: a foreign process may have got one of these ids meanwhile.
    let still = holders()?;
    for (_, group) in groups.into_iter().filter(|(id, _)| still.contains(id)) {
        if let Some(group) = group {
            let _ = rustix::process::kill_process_group(group, Signal::TERM);
        }
    }
    Ok(())
}
