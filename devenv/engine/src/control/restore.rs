use std::time::{Duration, Instant};

use crate::Error;
use crate::lock::is_held;
use crate::state_directory::StateDirectory;
use crate::supervisor::{call_for_files, lost_supervisor};

/// A supervisor makes its files within milliseconds.
const RESTORED_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Has a supervisor make its files anew when somebody removed them (`git clean -fdx`): until then no path leads to it. An
/// environment that is not lost costs one look.
pub(crate) async fn restore_files(state: &StateDirectory) -> Result<(), Error> {
    let lock = state.supervisor_lock();
    let failed = |source| Error::ReadFile { path: state.supervisor_lock(), source };
    let deadline = Instant::now() + RESTORED_WITHIN;
    while let Some(pid) = lost_supervisor(state).map_err(failed)? {
        if Instant::now() > deadline {
            return Err(Error::SupervisorSilent { pid });
        }
        call_for_files(state).map_err(failed)?;
        let again_at = Instant::now() + RESTORED_WITHIN / 5;
        while !is_held(&lock).map_err(failed)? && Instant::now() < again_at {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    Ok(())
}
