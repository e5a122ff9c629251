//! What the rehearsal of a promotion has in the container engine: a guard, an emulated AWS, and what that starts. All of it
//! is found by its labels, so that `down` removes it without knowing what it is for.

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::ContainerEngine;
use crate::removal::remove_state;
use crate::scope::Scope;
use devenv_engine::Error;

/// The container that alone may ask the engine for things.
pub const GUARD: &str = "guard";

/// A killed run leaves this file; what it asked of the engine may come to be within seconds.
pub fn mark(folder: &Utf8Path) -> Utf8PathBuf {
    folder.join("engine.mark")
}

/// Removes the emulated AWS of one rehearsal, and everything that it started.
pub async fn remove(engine: &dyn ContainerEngine, scope: &Scope) -> Result<(), Error> {
    // The guard ends after the engine's answers to its open requests, and forwards no new one: no task starts any more.
    engine.stop(&scope.container(GUARD)).await?;
    Ok(remove_state(engine, Utf8Path::new(scope.state())).await?)
}
