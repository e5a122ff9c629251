//! A project and an engine in memory for it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use devenv_containers::host::ContainerHosts;
use devenv_containers::oci::{Blob, OciImage};
use devenv_fakes::FakeEngine;
use devenv_model::artifact::Artifact;
use devenv_model::container::ContainerSettings;
use devenv_model::intent::{Lifetime, RestartPolicy, UnitIntent};
use devenv_model::unit::Probe;
use devenv_processes::host::ProcessHost;
use devenv_runtime::{ComposeOptions, ImageBuild, Project, ProjectOptions, Runtime, RuntimeHost, Runtimes};

/// An image whose content is its name.
pub(crate) fn image(name: &str) -> OciImage {
    OciImage::new(Blob::new(name.to_owned()), Vec::new())
}

/// A machine with this engine.
pub(crate) fn hosts(engine: &FakeEngine) -> ContainerHosts {
    ContainerHosts::new(Arc::new(engine.clone()), Arc::new(ProcessHost))
}

/// The engine as a host.
pub(crate) async fn host(engine: &FakeEngine) -> Arc<dyn RuntimeHost> {
    hosts(engine).find().await.expect("it answers").host
}

/// The project in a folder, as a new command reads it.
pub(crate) fn project(folder: &Path, engine: &FakeEngine, is_ephemeral: bool) -> Project {
    let options = ProjectOptions {
        directory: Utf8Path::from_path(folder).expect("UTF-8").to_owned(),
        compose: ComposeOptions::default(),
        state_dir: None,
        ephemeral: is_ephemeral,
        runtimes: Arc::new(hosts(engine)),
    };
    Project::load(&options).expect("its files are right")
}

/// The runtime of a new command.
pub(crate) async fn runtime(project: &Project, engine: &FakeEngine) -> Arc<dyn Runtime> {
    host(engine).await.connect(project, &ImageBuild::default()).await.expect("it answers")
}

/// The unit `web` of an artifact, without ports and probe.
pub(crate) fn web(artifact: Artifact, container: ContainerSettings) -> UnitIntent {
    UnitIntent {
        name: "web".to_owned(),
        service: "web".to_owned(),
        aliases: Vec::new(),
        artifact,
        entrypoint: None,
        command: None,
        environment: BTreeMap::new(),
        bindings: Vec::new(),
        probe: Probe::Started,
        healthcheck: None,
        container,
        user: None,
        labels: BTreeMap::new(),
        stop_grace_period: Duration::ZERO,
        lifetime: Lifetime::LongLived { restart: RestartPolicy::Always },
        runs_under_init: false,
    }
}
