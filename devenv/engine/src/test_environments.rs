//! Environments of test runs: each in a folder of its own under the state directory, removed with its run.

use camino::Utf8PathBuf;

use crate::lock::is_held;
use crate::state_directory::StateDirectory;
use crate::{Error, Project, supervisor};

/// A new folder that no other run uses. The time makes the name sort, the process id makes it unique.
pub(crate) fn create(project: &Project) -> Result<Utf8PathBuf, Error> {
    let folder = project.state.tests().join(format!("t{}", std::process::id()));
    // A run that was killed and had the same process id has been swept before, unless its processes still end.
    std::fs::create_dir_all(&folder).map_err(|source| Error::State { path: folder.clone(), source })?;
    Ok(folder)
}

/// Ends and removes what killed test runs left. A run that lives, or was asked to be kept, is not touched.
pub(crate) async fn sweep(project: &Project) {
    let Ok(folders) = project.state.tests().read_dir_utf8() else {
        return;
    };
    for folder in folders.flatten() {
        let state = StateDirectory::new(folder.path());
        let in_use = [state.run_lock(), state.supervisor_lock()].iter().any(|lock| is_held(lock).unwrap_or(true));
        if in_use || state.keep_mark().exists() {
            continue;
        }
        for leftover in supervisor::find(&state).unwrap_or_default() {
            if let Err(error) = supervisor::end(&state, &leftover.unit).await {
                tracing::warn!(unit = leftover.unit, %error, "a leftover does not end");
            }
        }
        let _ = std::fs::remove_dir_all(folder.path());
    }
}
