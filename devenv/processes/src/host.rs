//! This machine as a host of environments.

use std::io::ErrorKind;
use std::sync::Arc;

use camino::Utf8Path;
use devenv_model::manifest::EmulatorKind;
use devenv_model::observed::Leftover;
use devenv_supervisor::client::Client;
use devenv_supervisor::error;
use devenv_supervisor::state_directory::StateDirectory;
use futures_util::future::{BoxFuture, ready};

use crate::runtime::ProcessRuntime;
use devenv_runtime::processes::{Processes, end_leftover, leftovers_of, processes};
use devenv_runtime::settle::Making;
use devenv_runtime::{
    Abilities, Emitter, Error, ImageBuild, LocalProject, Runtime, RuntimeHost, RuntimeKind, TakenDown, explained,
};

/// This machine, which runs units as its processes.
#[derive(Debug)]
pub struct ProcessHost;

impl RuntimeHost for ProcessHost {
    fn kind(&self) -> RuntimeKind {
        RuntimeKind::Process
    }

    fn units_are(&self) -> &'static str {
        "processes"
    }

    fn abilities(&self) -> Abilities {
        Abilities { images: false, network: false, any_address: false }
    }

    fn connect<'a>(
        &'a self,
        project: &'a LocalProject,
        _images: &'a ImageBuild,
    ) -> BoxFuture<'a, Result<Arc<dyn Runtime>, Error>> {
        Box::pin(async { Ok(Arc::new(ProcessRuntime::connect(project).await?) as Arc<dyn Runtime>) })
    }

    fn emulator_of<'a>(&'a self, project: &'a LocalProject) -> BoxFuture<'a, Result<Option<EmulatorKind>, Error>> {
        let runs = processes(project).map(|processes| processes != Processes::None);
        Box::pin(ready(runs.map(|runs| runs.then_some(EmulatorKind::Embedded))))
    }

    fn clear<'a>(&'a self, _project: &'a LocalProject, _emitter: &'a Emitter) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(ready(Ok(())))
    }

    fn take_down<'a>(
        &'a self,
        project: &'a LocalProject,
        emitter: &'a Emitter,
    ) -> BoxFuture<'a, Result<TakenDown, Error>> {
        Box::pin(take_down(&project.state, emitter))
    }

    fn begin(&self, _project: &LocalProject) -> Result<Option<Making>, Error> {
        Ok(None)
    }

    fn remove_part<'a>(
        &'a self,
        _project: &'a LocalProject,
        _folder: &'a Utf8Path,
        _name: &'a str,
        _emitter: &'a Emitter,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(ready(Ok(false)))
    }

    fn remove_state<'a>(&'a self, _state: &'a Utf8Path) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(ready(Ok(())))
    }
}

async fn take_down(state: &StateDirectory, emitter: &Emitter) -> Result<TakenDown, Error> {
    let mut taken = TakenDown::default();
    if let Some(mut client) = Client::reach(state).await? {
        taken.was_running = true;
        let units = match client.observe().await {
            // The supervisor is ending at this moment.
            Err(error::Error::Lost { .. }) => Vec::new(),
            // An older supervisor need not list its units in words that this devenv knows.
            Err(error::Error::Version { .. }) => Vec::new(),
            units => units?,
        };
        taken.stopped = units.into_iter().map(|unit| unit.name).collect();
        let stopping = async {
            client.shutdown().await?;
            client.closed().await;
            Ok(())
        };
        explained(stopping, emitter).await?;
    }
    taken.leftovers = leftovers_of(state)?;
    for Leftover { unit, pid } in &taken.leftovers {
        emitter.notice(format!("ending {unit} (process {pid}), left by a killed run"));
        end_leftover(state, unit).await?;
    }
    remove_socket(state)?;
    Ok(taken)
}

/// Removes the socket that a killed supervisor left, and the link to it. No other supervisor can begin meanwhile: this command
/// holds the command lock.
fn remove_socket(state: &StateDirectory) -> Result<(), Error> {
    let lock = state.supervisor_lock();
    if state.is_supervised().map_err(|source| Error::State { path: lock, source })? {
        return Ok(());
    }
    for path in [state.socket(), state.link()] {
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != ErrorKind::NotFound => return Err(Error::State { path, source }),
            _ => {}
        }
    }
    Ok(())
}
