use std::time::{Duration, Instant};

use crate::error::Error;
use crate::leftovers::{call_for_files, lost_supervisor};
use crate::lock::is_held;
use crate::state_directory::StateDirectory;

/// A supervisor makes its files within milliseconds.
const RESTORED_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Asks the supervisor to make its files again if somebody removed them (`git clean -fdx`): without them no command finds it.
/// An intact environment costs one look.
pub async fn restore_files(state: &StateDirectory) -> Result<(), Error> {
    let lock = state.supervisor_lock();
    let failed = |source| Error::Read { path: state.supervisor_lock(), source };
    let deadline = Instant::now() + RESTORED_WITHIN;
    while let Some(pid) = lost_supervisor(state).map_err(failed)? {
        if Instant::now() > deadline {
            return Err(Error::Silent { pid });
        }
        call_for_files(state).map_err(failed)?;
        let again_at = Instant::now() + RESTORED_WITHIN / 5;
        while !is_held(&lock).map_err(failed)? && Instant::now() < again_at {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    Ok(())
}
