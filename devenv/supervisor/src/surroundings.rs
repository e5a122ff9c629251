use tokio::sync::watch;

use crate::probe::Prober;
use crate::state_directory::StateDirectory;

/// What every unit of a supervisor lives in.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) directory: StateDirectory,
    pub(crate) prober: Prober,
    /// How many processes run.
    pub(crate) running: watch::Sender<usize>,
}
