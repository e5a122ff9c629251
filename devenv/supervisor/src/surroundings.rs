use tokio::sync::watch;

use crate::probe::Prober;
use crate::state_directory::StateDirectory;

/// The context shared by all units of a supervisor.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) directory: StateDirectory,
    pub(crate) prober: Prober,
    /// The number of running processes.
    pub(crate) running: watch::Sender<usize>,
}
