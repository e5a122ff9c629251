use camino::Utf8Path;
use devenv_runtime::{Error as RuntimeError, Project};
use devenv_supervisor::environment_facts::EnvironmentFacts;
use devenv_supervisor::lock::{HeldLock, LockAttempt, try_hold_at};

use crate::error::Error;

/// The locks of the single command that changes an environment. The lock in the runtime directory outlives `git clean`; the lock
/// in the state directory excludes a command that has another runtime directory, or is of version 0.1.0.
#[derive(Debug)]
pub(crate) struct CommandLock {
    _lock: HeldLock,
    _anchor: HeldLock,
}

/// Takes the locks, and describes the environment for `devenv ls`.
pub(crate) fn command_lock(project: &Project) -> Result<CommandLock, Error> {
    let (state, instance) = (&project.state, &project.instance);
    // The command that has the anchor may be about to remove the runtime directory.
    let anchor = hold(&state.command_anchor())?;
    state.prepare_runtime()?;
    let held = CommandLock { _lock: hold(&state.command_lock())?, _anchor: anchor };
    let facts = EnvironmentFacts::new(instance.name.clone(), instance.root.clone(), state.path().to_owned());
    let path = state.runtime().facts_file();
    facts.keep(state.runtime()).map_err(|source| RuntimeError::State { path, source })?;
    Ok(held)
}

fn hold(path: &Utf8Path) -> Result<HeldLock, Error> {
    match try_hold_at(path).map_err(|source| RuntimeError::State { path: path.to_owned(), source })? {
        LockAttempt::Held(held) => Ok(held),
        LockAttempt::Taken { pid } => Err(RuntimeError::Locked { pid }.into()),
    }
}
