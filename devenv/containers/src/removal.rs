//! Removes leftovers of a killed run: everything in the engine with our labels whose environment is unused.

use std::collections::BTreeSet;

use camino::Utf8Path;

use crate::engine::{ContainerEngine, HostError};
use crate::scope::{ROOT, STATE};
use devenv_runtime::LocalProject;

/// Removes everything of the environment with this state directory, including its data.
pub(crate) async fn remove_state(engine: &dyn ContainerEngine, state: &Utf8Path) -> Result<(), HostError> {
    let label = format!("{STATE}={state}");
    for container in engine.containers().await? {
        if container.labels.get(STATE).is_some_and(|of| of == state) {
            engine.remove(&container.name).await?;
        }
    }
    for network in engine.networks(&label).await? {
        engine.remove_network(&network.id).await?;
    }
    for volume in engine.volumes(&label).await? {
        engine.remove_volume(&volume.id).await?;
    }
    Ok(())
}

/// Removes the environments of this checkout whose state directories are gone: no command can refer to them any more.
/// Never removes the checkout's own environment.
pub(crate) async fn remove_orphans(engine: &dyn ContainerEngine, project: &LocalProject) -> Result<(), HostError> {
    let root = project.instance.root.as_str();
    let label = format!("{ROOT}={root}");
    let of_containers = engine.containers().await?.into_iter().map(|container| container.labels);
    let of_networks = engine.networks(&label).await?.into_iter().map(|network| network.labels);
    let of_volumes = engine.volumes(&label).await?.into_iter().map(|volume| volume.labels);
    let states: BTreeSet<String> = of_containers
        .chain(of_networks)
        .chain(of_volumes)
        .filter(|labels| labels.get(ROOT).is_some_and(|of| of == root))
        .filter_map(|mut labels| labels.remove(STATE))
        .filter(|state| project.state.path() != state && !Utf8Path::new(state).exists())
        .collect();
    for state in states {
        remove_state(engine, Utf8Path::new(&state)).await?;
    }
    Ok(())
}
