//! Environments of test runs: each in its own folder under the state directory, removed after its run.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use devenv_runtime::settle::settle;
use devenv_runtime::{Emitter, Error as RuntimeError, Project, Remembered, RuntimeKind};
use devenv_supervisor::leftovers;
use devenv_supervisor::lock::{HeldLock, LockAttempt, try_hold};
use devenv_supervisor::state_directory::StateDirectory;

use crate::error::Error;

/// Longer than the grace periods of most services.
const SUPERVISOR_ENDS_WITHIN: Duration = Duration::from_secs(15);

/// A new folder that no other run uses, and the lock that reserves it while held.
pub fn create(tests: &Utf8Path) -> Result<(Utf8PathBuf, HeldLock), Error> {
    let own = format!("t{}", std::process::id());
    // An earlier run with this process id may have been kept; a killed run has been swept.
    let names = std::iter::once(own.clone()).chain((2..).map(|number| format!("{own}-{number}")));
    for folder in names.map(|name| tests.join(name)) {
        let failed = |source| RuntimeError::State { path: folder.clone(), source };
        std::fs::create_dir_all(tests).map_err(failed)?;
        match std::fs::create_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            made => made.map_err(failed)?,
        }
        let lock = StateDirectory::new(&folder).run_lock();
        // Between these two steps another run may mistake the folder for a killed run's, and remove it.
        match try_hold(&lock) {
            Ok(LockAttempt::Held(held)) if held.is_at(&lock) => return Ok((folder, held)),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error).into()),
        }
    }
    unreachable!("numbers do not end")
}

/// Ends and removes the environments of killed test runs, but not of living runs, nor environments that must be kept.
pub async fn sweep(project: &Project, emitter: &Emitter) {
    let Ok(folders) = project.state.tests().read_dir_utf8() else {
        return;
    };
    for folder in folders.flatten().map(camino::Utf8DirEntry::into_path) {
        let state = StateDirectory::new(&folder);
        let Some(_claimed) = claim(&state) else {
            continue;
        };
        clear(project, &folder, emitter).await;
    }
}

/// Ends the leftovers of a test environment, and then removes its folder, by which its processes and containers are found.
pub async fn clear(project: &Project, folder: &Utf8Path, emitter: &Emitter) {
    let state = StateDirectory::new(folder);
    if !is_ended(&state).await {
        return;
    }
    let Ok(leftovers) = leftovers::find(&state) else {
        return;
    };
    for leftover in leftovers {
        if let Err(error) = leftovers::end(&state, &leftover.unit).await {
            tracing::warn!(unit = leftover.unit, %error, "cannot end a leftover");
            return;
        }
    }
    settle(&state.engine_mark(), emitter).await;
    if !had_containers(&state) || end_containers(project, folder).await {
        let _ = state.remove_runtime();
        let _ = std::fs::remove_dir_all(folder);
    }
}

/// Takes the lock of a run that is over and was not kept. Before any other look: the run may just be ending.
fn claim(state: &StateDirectory) -> Option<HeldLock> {
    let lock = state.run_lock();
    let Ok(LockAttempt::Held(held)) = try_hold(&lock) else {
        return None;
    };
    (held.is_at(&lock) && !state.keep_mark().exists()).then_some(held)
}

/// Waits for the supervisor to end: after a kill of its run, it takes a moment to end its units. Returns whether it has.
async fn is_ended(state: &StateDirectory) -> bool {
    let deadline = Instant::now() + SUPERVISOR_ENDS_WITHIN;
    while state.is_supervised().unwrap_or(true) {
        if Instant::now() > deadline {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    true
}

fn had_containers(state: &StateDirectory) -> bool {
    let remembered = Remembered::read(state).unwrap_or_default();
    remembered.chosen.is_some_and(|chosen| chosen.runtime == RuntimeKind::Docker)
}

/// Ends the containers of a test environment. Returns whether none is left.
async fn end_containers(project: &Project, folder: &Utf8Path) -> bool {
    let Ok(found) = project.runtimes.find().await else {
        return false;
    };
    match found.host.remove_state(folder).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%folder, %error, "cannot remove the containers of a killed test run");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;

    use devenv_fakes::FakeProject;
    use devenv_model::manifest::EmulatorKind;
    use devenv_runtime::RememberedChoice;
    use devenv_supervisor::lock::take_for_child;

    use super::*;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let tests = Utf8Path::from_path(folder.path()).expect("UTF-8").join("test");
        (folder, tests)
    }

    #[test]
    fn a_new_folder_is_nobody_elses() {
        let (_kept, tests) = folder();
        let (first, held) = create(&tests).expect("writable");
        let (second, _other) = create(&tests).expect("writable");
        assert_ne!(first, second);
        assert!(claim(&StateDirectory::new(&first)).is_none(), "its run lives");
        drop(held);
        assert!(claim(&StateDirectory::new(&first)).is_some(), "its run is over");
        std::fs::write(StateDirectory::new(&first).keep_mark(), "").expect("writable");
        assert!(claim(&StateDirectory::new(&first)).is_none(), "it is to stay");
    }

    /// Two runs that begin together: each sweeps while the other makes its folder.
    #[test]
    fn a_sweep_beside_it_never_takes_a_new_folder() {
        let (_kept, tests) = folder();
        let is_over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                    for folder in tests.read_dir_utf8().into_iter().flatten().flatten() {
                        if let Some(_claimed) = claim(&StateDirectory::new(folder.path())) {
                            let _ = std::fs::remove_dir_all(folder.path());
                        }
                    }
                }
            });
            for round in 0..2000 {
                let (made, held) = create(&tests).expect("writable");
                assert!(made.exists() && held.is_at(&StateDirectory::new(&made).run_lock()), "round {round}");
            }
            is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }

    fn quiet() -> Emitter {
        Emitter::channel().0
    }

    #[tokio::test]
    async fn a_sweep_ends_and_removes_what_a_killed_run_left_and_no_run_that_lives_or_stays() {
        let project = FakeProject::new();
        let loaded = project.load();
        let folder = || create(&loaded.state.tests()).expect("writable");
        let ((lives, _held), (stays, other)) = (folder(), folder());
        std::fs::write(StateDirectory::new(&stays).keep_mark(), "").expect("writable");
        drop(other);
        let (killed, held) = folder();
        let state = StateDirectory::new(&killed);
        state.prepare().expect("writable");
        drop(held);
        let locked = take_for_child(&state.unit_lock("api")).expect("nobody else has it");
        let left = std::process::Command::new("sleep").arg("60").stdin(locked).process_group(0).spawn();
        let mut left = left.expect("sleep is there");
        sweep(&loaded, &quiet()).await;
        assert!(lives.exists() && stays.exists() && !killed.exists());
        assert!(left.wait().expect("ours").code().is_none(), "it was ended by a signal");
        assert_eq!(project.runtime.done(), [""; 0], "it had no containers");
    }

    /// The folder identifies containers, so it stays until they are gone.
    #[tokio::test]
    async fn a_folder_of_containers_stays_where_no_engine_answers() {
        let project = FakeProject::new();
        let loaded = project.load();
        let (folder, held) = create(&loaded.state.tests()).expect("writable");
        drop(held);
        let mut remembered = Remembered::default();
        let emulator = EmulatorKind::DynamodbLocal;
        remembered.chosen = Some(RememberedChoice { runtime: RuntimeKind::Docker, emulator, emulator_url: None });
        remembered.keep(&StateDirectory::new(&folder)).expect("writable");
        *project.runtime.is_absent.lock().expect("not poisoned") = true;
        sweep(&loaded, &quiet()).await;
        assert!(folder.exists());
        *project.runtime.is_absent.lock().expect("not poisoned") = false;
        sweep(&loaded, &quiet()).await;
        assert!(!folder.exists());
        assert_eq!(project.runtime.done(), [format!("remove state {}", folder.file_name().expect("it has a name"))]);
    }
}
