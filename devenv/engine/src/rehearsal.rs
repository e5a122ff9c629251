//! What the rehearsal of a promotion has in the container engine: a guard, an emulated AWS, and what that starts. All of it
//! is found by its labels, so that `down` removes it without knowing what it is for.

use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::manifest::PromotePlace;

use crate::containers::{ContainerEngine, Scope, remove_state};
use crate::settle::settle;
use crate::{Emitter, Error, Project};

/// The container that alone may ask the engine for things.
pub const GUARD: &str = "guard";

/// A killed run leaves this file; what it asked of the engine may come to be within seconds.
pub fn mark(folder: &Utf8Path) -> Utf8PathBuf {
    folder.join("engine.mark")
}

/// Removes the emulated AWS of every rehearsal of this project, and everything that it started. Whether there was one.
pub(crate) async fn remove_all(project: &Project, emitter: &Emitter) -> Result<bool, Error> {
    let mut removed = false;
    for target in project.manifest.promote.values() {
        let folder = project.state.promotion(&target.name);
        if matches!(target.place, PromotePlace::Rehearsal { .. }) && folder.exists() {
            let engine = project.engines.connect().await?;
            settle(&mark(&folder), emitter).await;
            let scope = Scope::of_part(project, &folder, &target.name);
            removed |= engine.containers().await?.iter().any(|container| scope.is_ours(&container.labels));
            remove(engine.as_ref(), &scope).await?;
        }
    }
    Ok(removed)
}

/// Removes one.
pub async fn remove(engine: &dyn ContainerEngine, scope: &Scope) -> Result<(), Error> {
    // It ends when the engine has done what it was about to do for the emulator; after it no task is begun.
    engine.stop(&scope.container(GUARD)).await?;
    Ok(remove_state(engine, Utf8Path::new(scope.state())).await?)
}
