//! The processes of an environment on this machine, as the locks show them.

use devenv_model::observed::Leftover;
use devenv_supervisor::client::Client;
use devenv_supervisor::leftovers;
use devenv_supervisor::state_directory::StateDirectory;

use crate::emitter::Emitter;
use crate::error::Error;
use crate::local_project::LocalProject;
use crate::project::Project;

/// An environment's processes on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Processes {
    Supervised,
    /// Leftovers of a killed supervisor.
    Left,
    None,
}

pub fn processes(project: &LocalProject) -> Result<Processes, Error> {
    let path = project.state.supervisor_lock();
    if project.state.is_supervised().map_err(|source| Error::ReadFile { path, source })? {
        return Ok(Processes::Supervised);
    }
    Ok(if leftovers_of(&project.state)?.is_empty() { Processes::None } else { Processes::Left })
}

/// The processes of an earlier run whose supervisor is gone.
pub fn leftovers_of(state: &StateDirectory) -> Result<Vec<Leftover>, Error> {
    leftovers::find(state).map_err(|source| Error::State { path: state.units(), source })
}

/// Ends every process that holds the lock of this unit.
pub async fn end_leftover(state: &StateDirectory, unit: &str) -> Result<(), Error> {
    let path = state.unit_lock(unit);
    leftovers::end(state, unit).await.map_err(|source| Error::State { path, source })
}

/// Ends the supervisor of an older devenv in order. Its data stays, and the caller starts the environment anew.
pub async fn end_older(project: &Project, emitter: &Emitter) -> Result<(), Error> {
    let Some(client) = Client::reach(&project.state).await? else {
        return Ok(());
    };
    if client.is_older() {
        emitter.notice("an older devenv started this environment: ending it to start it with this one; its data stays");
        drop(client);
        project.runtimes.processes().take_down(project, emitter).await?;
    }
    Ok(())
}
