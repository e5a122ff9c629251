//! A rehearsal's part of the container engine: a guard, an emulated AWS, and the containers it starts. All have labels,
//! so that `down` removes them without knowing their purpose.

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::ContainerEngine;
use crate::removal::remove_state;
use crate::scope::Scope;
use devenv_runtime::Error;

/// The only container of a rehearsal that may send requests to the engine.
pub const GUARD: &str = "guard";

/// The file that a killed run leaves behind: the engine may still carry out its last requests for some seconds.
pub fn mark(folder: &Utf8Path) -> Utf8PathBuf {
    folder.join("engine.mark")
}

/// The label on a guard with the address of the rehearsal's registry, such as `127.0.0.1:4566`.
pub const REGISTRY: &str = "devenv.registry";

/// Removes the emulated AWS of one rehearsal and everything it started, with the names of the images it pulled.
pub async fn remove(engine: &dyn ContainerEngine, scope: &Scope) -> Result<(), Error> {
    let guard = scope.container(GUARD);
    // The guard finishes its open requests and forwards no new ones, so no task starts after this.
    engine.stop(&guard).await?;
    let containers = engine.containers().await?;
    let mut ours: Vec<_> = containers.into_iter().filter(|container| scope.is_ours(&container.labels)).collect();
    // The guard is the last to go, since it knows the registry if a kill leaves the images behind.
    ours.sort_by_key(|container| container.name == guard);
    for container in ours {
        if let Some(registry) = container.labels.get(REGISTRY) {
            forget_images(engine, registry).await?;
        }
        engine.remove(&container.name).await?;
    }
    Ok(remove_state(engine, Utf8Path::new(scope.state())).await?)
}

/// Removes every image name of a registry that ends with its rehearsal.
async fn forget_images(engine: &dyn ContainerEngine, registry: &str) -> Result<(), Error> {
    for name in engine.image_names(&format!("{registry}/")).await? {
        if let Err(error) = engine.remove_image(&name).await {
            tracing::debug!(%name, %error, "cannot remove the name of an image");
        }
    }
    Ok(())
}
