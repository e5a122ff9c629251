//! A container engine as a host of environments.

use std::sync::Arc;

use camino::Utf8Path;
use devenv_model::manifest::EmulatorKind;
use devenv_model::unit::EMULATOR;
use futures_util::future::BoxFuture;

use crate::engine::{ContainerEngine, ContainerEngines, NoHost};
use crate::rehearsal;
use crate::removal;
use crate::runtime::ContainerRuntime;
use crate::scope::Scope;
use devenv_runtime::settle::{Making, settle};
use devenv_runtime::{
    Abilities, Emitter, Error, Found, ImageBuild, LocalProject, Runtime, RuntimeHost, RuntimeKind, Runtimes,
};

/// The hosts of this machine, of which one is its container engine.
#[derive(Debug, Clone)]
pub struct ContainerHosts {
    engines: Arc<dyn ContainerEngines>,
    processes: Arc<dyn RuntimeHost>,
}

impl ContainerHosts {
    /// `processes` is this machine as a host of processes.
    pub fn new(engines: Arc<dyn ContainerEngines>, processes: Arc<dyn RuntimeHost>) -> Self {
        Self { engines, processes }
    }
}

impl Runtimes for ContainerHosts {
    fn processes(&self) -> Arc<dyn RuntimeHost> {
        self.processes.clone()
    }

    fn find(&self) -> BoxFuture<'_, Result<Found, NoHost>> {
        Box::pin(async {
            let engine = self.engines.connect().await?;
            let about = engine.about().host.clone();
            Ok(Found { host: Arc::new(ContainerHost(engine)), about })
        })
    }
}

#[derive(Debug)]
struct ContainerHost(Arc<dyn ContainerEngine>);

impl RuntimeHost for ContainerHost {
    fn kind(&self) -> RuntimeKind {
        RuntimeKind::Docker
    }

    fn units_are(&self) -> &'static str {
        "containers"
    }

    fn abilities(&self) -> Abilities {
        Abilities { images: true, network: true, any_address: true }
    }

    fn connect<'a>(
        &'a self,
        project: &'a LocalProject,
        images: &'a ImageBuild,
    ) -> BoxFuture<'a, Result<Arc<dyn Runtime>, Error>> {
        Box::pin(async move {
            let runtime = ContainerRuntime::new(self.0.clone(), project, images.clone());
            Ok(Arc::new(runtime) as Arc<dyn Runtime>)
        })
    }

    fn emulator_of<'a>(&'a self, project: &'a LocalProject) -> BoxFuture<'a, Result<Option<EmulatorKind>, Error>> {
        Box::pin(emulator_of(self.0.as_ref(), project))
    }

    fn clear<'a>(&'a self, project: &'a LocalProject, emitter: &'a Emitter) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async {
            settle(&project.state.engine_mark(), emitter).await;
            Ok(removal::remove_orphans(self.0.as_ref(), project).await?)
        })
    }

    fn begin(&self, project: &LocalProject) -> Result<Option<Making>, Error> {
        Making::begin(project.state.engine_mark()).map(Some)
    }

    fn remove_part<'a>(
        &'a self,
        project: &'a LocalProject,
        folder: &'a Utf8Path,
        name: &'a str,
        emitter: &'a Emitter,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(async move {
            settle(&rehearsal::mark(folder), emitter).await;
            let scope = Scope::of_part(project, folder, name);
            let found = self.0.containers().await?.iter().any(|container| scope.is_ours(&container.labels));
            rehearsal::remove(self.0.as_ref(), &scope).await?;
            Ok(found)
        })
    }

    fn remove_state<'a>(&'a self, state: &'a Utf8Path) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Ok(removal::remove_state(self.0.as_ref(), state).await?) })
    }
}

/// Returns the emulator of the running environment: the kind whose image from `devenv.toml` its container runs, else the
/// default. `None` if the environment has no containers.
async fn emulator_of(engine: &dyn ContainerEngine, project: &LocalProject) -> Result<Option<EmulatorKind>, Error> {
    let scope = Scope::of(project);
    let mut ours = engine.containers().await?;
    ours.retain(|container| scope.is_ours(&container.labels));
    if ours.is_empty() {
        return Ok(None);
    }
    let settings = &project.manifest.emulator;
    let mut emulator = settings.default;
    for kind in EmulatorKind::ALL {
        if let Some(image) = settings.image(kind)
            && let Some(image) = engine.image(image).await?
            && ours.iter().any(|container| container.image == image.id && scope.is_unit(&container.labels, EMULATOR))
        {
            emulator = kind;
        }
    }
    Ok(Some(emulator))
}
