//! This machine as a host of environments.

use std::sync::Arc;

use camino::Utf8Path;
use devenv_model::manifest::EmulatorKind;
use devenv_supervisor::leftovers;
use devenv_supervisor::lock::is_held;
use futures_util::future::{BoxFuture, ready};

use crate::emitter::Emitter;
use crate::error::Error;
use crate::process_runtime::ProcessRuntime;
use crate::project::Project;
use crate::runtime::{Abilities, BuildInEngine, Runtime, RuntimeHost, RuntimeKind};
use crate::settle::Making;

/// This machine, which runs units as its processes.
#[derive(Debug)]
pub(crate) struct ProcessHost;

impl RuntimeHost for ProcessHost {
    fn kind(&self) -> RuntimeKind {
        RuntimeKind::Process
    }

    fn abilities(&self) -> Abilities {
        Abilities { images: false, network: false, any_address: false }
    }

    fn connect<'a>(
        &'a self,
        project: &'a Project,
        _build: Option<&'a BuildInEngine>,
    ) -> BoxFuture<'a, Result<Arc<dyn Runtime>, Error>> {
        Box::pin(async { Ok(Arc::new(ProcessRuntime::connect(project).await?) as Arc<dyn Runtime>) })
    }

    fn emulator_of<'a>(&'a self, project: &'a Project) -> BoxFuture<'a, Result<Option<EmulatorKind>, Error>> {
        let runs = processes(project).map(|processes| processes != Processes::None);
        Box::pin(ready(runs.map(|runs| runs.then_some(EmulatorKind::Embedded))))
    }

    fn clear<'a>(&'a self, _project: &'a Project, _emitter: &'a Emitter) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(ready(Ok(())))
    }

    fn begin(&self, _project: &Project) -> Result<Option<Making>, Error> {
        Ok(None)
    }

    fn remove_part<'a>(
        &'a self,
        _project: &'a Project,
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

/// An environment's processes on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Processes {
    Supervised,
    /// Their supervisor was killed.
    Left,
    None,
}

pub(crate) fn processes(project: &Project) -> Result<Processes, Error> {
    let path = project.state.supervisor_lock();
    if is_held(&path).map_err(|source| Error::ReadFile { path, source })? {
        return Ok(Processes::Supervised);
    }
    let left = leftovers::find(&project.state);
    let left = left.map_err(|source| Error::ReadFile { path: project.state.units(), source })?;
    Ok(if left.is_empty() { Processes::None } else { Processes::Left })
}
