//! A rehearsal's part of the container engine: a guard, an emulated AWS, and the containers it starts. All have labels,
//! so that `down` removes them without knowing their purpose.

use camino::{Utf8Path, Utf8PathBuf};

use crate::engine::ContainerEngine;
use crate::removal::remove_state;
use crate::scope::Scope;
use devenv_engine::Error;

/// The only container of a rehearsal that may send requests to the engine.
pub const GUARD: &str = "guard";

/// The file that a killed run leaves behind: the engine may still carry out its last requests for some seconds.
pub fn mark(folder: &Utf8Path) -> Utf8PathBuf {
    folder.join("engine.mark")
}

/// Removes the emulated AWS of one rehearsal and everything it started.
pub async fn remove(engine: &dyn ContainerEngine, scope: &Scope) -> Result<(), Error> {
    // The guard finishes its open requests and forwards no new ones, so no task starts after this.
    engine.stop(&scope.container(GUARD)).await?;
    Ok(remove_state(engine, Utf8Path::new(scope.state())).await?)
}
