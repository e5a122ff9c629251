//! Environments of test runs: each in a folder of its own under the state directory, removed with its run.

use camino::{Utf8Path, Utf8PathBuf};

use crate::choice::RuntimeKind;
use crate::containers;
use crate::lock::is_held;
use crate::state_directory::StateDirectory;
use crate::{Emitter, Error, Project, supervisor};

/// A new folder that no other run uses.
pub(crate) fn create(project: &Project) -> Result<Utf8PathBuf, Error> {
    let tests = project.state.tests();
    let own = format!("t{}", std::process::id());
    // An earlier run of this process may have been kept; one that was killed has been swept.
    let names = std::iter::once(own.clone()).chain((2..).map(|number| format!("{own}-{number}")));
    let folder = names.map(|name| tests.join(name)).find(|folder| !folder.exists()).expect("numbers do not end");
    std::fs::create_dir_all(&folder).map_err(|source| Error::State { path: folder.clone(), source })?;
    Ok(folder)
}

/// Ends and removes what killed test runs left. A run that lives, or was asked to be kept, is not touched.
pub(crate) async fn sweep(project: &Project, emitter: &Emitter) {
    let Ok(folders) = project.state.tests().read_dir_utf8() else {
        return;
    };
    for folder in folders.flatten().map(camino::Utf8DirEntry::into_path) {
        let state = StateDirectory::new(&folder);
        if is_in_use(&state) {
            continue;
        }
        for leftover in supervisor::find(&state).unwrap_or_default() {
            if let Err(error) = supervisor::end(&state, &leftover.unit).await {
                tracing::warn!(unit = leftover.unit, %error, "a leftover does not end");
            }
        }
        // The folder is what the containers are found by: it goes last.
        containers::settle(&state, emitter).await;
        if !had_containers(&state) || end_containers(project, &folder).await {
            let _ = std::fs::remove_dir_all(&folder);
        }
    }
}

fn is_in_use(state: &StateDirectory) -> bool {
    let held = [state.run_lock(), state.supervisor_lock()].iter().any(|lock| is_held(lock).unwrap_or(true));
    held || state.keep_mark().exists()
}

fn had_containers(state: &StateDirectory) -> bool {
    let remembered = state.remembered().unwrap_or_default();
    remembered.chosen.is_some_and(|chosen| chosen.runtime == RuntimeKind::Docker)
}

/// Whether nothing is left.
async fn end_containers(project: &Project, folder: &Utf8Path) -> bool {
    let Ok(engine) = project.engines.connect().await else {
        return false;
    };
    match containers::remove_state(engine.as_ref(), folder).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%folder, %error, "containers of a killed test run stay");
            false
        }
    }
}
