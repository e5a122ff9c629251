use devenv_supervisor::lock::{HeldLock, LockAttempt, try_hold};

use crate::error::Error;
use crate::project::Project;

/// Takes the lock that lets a single command change the environment.
pub(crate) fn command_lock(project: &Project) -> Result<HeldLock, Error> {
    let path = project.state.command_lock();
    match try_hold(&path).map_err(|source| Error::State { path, source })? {
        LockAttempt::Held(held) => Ok(held),
        LockAttempt::Taken { pid } => Err(Error::Locked { pid }),
    }
}
