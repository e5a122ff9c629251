//! Processes of an earlier run whose supervisor is gone.

use devenv_model::observed::Leftover;
use devenv_supervisor::leftovers;
use devenv_supervisor::state_directory::StateDirectory;

use crate::error::Error;

/// The leftovers of this environment.
pub(crate) fn leftovers_of(state: &StateDirectory) -> Result<Vec<Leftover>, Error> {
    leftovers::find(state).map_err(|source| Error::State { path: state.units(), source })
}

/// Ends every process that holds the lock of this unit.
pub(crate) async fn end_leftover(state: &StateDirectory, unit: &str) -> Result<(), Error> {
    let path = state.unit_lock(unit);
    leftovers::end(state, unit).await.map_err(|source| Error::State { path, source })
}
