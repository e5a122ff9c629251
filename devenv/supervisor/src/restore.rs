use std::io::ErrorKind;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::leftovers::{call_for_files, supervisor};
use crate::lock::is_held;
use crate::state_directory::StateDirectory;

/// A supervisor makes its files within milliseconds.
const RESTORED_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Asks the supervisor to make its files again if somebody removed some: those in the state directory (`git clean -fdx`), or those
/// in the runtime directory (a cleaner of `/tmp`). An intact environment costs three looks.
pub async fn restore_files(state: &StateDirectory) -> Result<(), Error> {
    state.runtime().check()?;
    let failed = |source| Error::Read { path: state.supervisor_lock(), source };
    let deadline = Instant::now() + RESTORED_WITHIN;
    while is_something_gone(state).map_err(failed)? {
        if Instant::now() > deadline {
            return Err(Error::Silent { pid: supervisor(state) });
        }
        call_for_files(state).map_err(failed)?;
        let again_at = Instant::now() + RESTORED_WITHIN / 5;
        while is_something_gone(state).map_err(failed)? && Instant::now() < again_at {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    Ok(())
}

/// Whether a supervisor lives without a part of its files.
fn is_something_gone(state: &StateDirectory) -> std::io::Result<bool> {
    let is_anchored = is_held(&state.supervisor_anchor())?;
    if is_held(&state.supervisor_lock())? {
        return Ok(!is_anchored);
    }
    // Without a lock in this runtime directory, the supervisor has another, or is of version 0.1.0: its socket is elsewhere. Another
    // user's socket cannot be looked at, and is not gone.
    let is_gone =
        |socket: &camino::Utf8Path| socket.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound);
    Ok(is_anchored && is_gone(&state.socket()) && is_gone(&state.anchored_socket()))
}
