use std::time::Duration;

use devenv_model::manifest::PromotePlace;
use devenv_model::observed::Leftover;
use devenv_supervisor::client::Client;
use devenv_supervisor::lock::is_held;
use devenv_supervisor::restore::restore_files;
use devenv_supervisor::{error, leftovers};

use crate::command_lock::command_lock;
use crate::emitter::Emitter;
use crate::error::Error;
use crate::memory::Remembered;
use crate::project::Project;
use crate::resolve::ResolvedRuntime;
use crate::runtime::RuntimeKind;
use crate::test_environments;

/// A stop that takes longer is explained while it lasts.
const TELL_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, Default)]
pub struct DownOptions {
    /// Removes the data too.
    pub volumes: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Down {
    /// In the order in which they were stopped.
    pub stopped: Vec<String>,
    /// Processes of a killed run that were ended.
    pub leftovers: Vec<Leftover>,
    pub data_removed: bool,
    pub was_running: bool,
    /// Whether the emulated AWS of a rehearsal was removed.
    pub rehearsal_removed: bool,
}

/// Stops the environment and whatever a killed run left of it. Nothing to stop is not an error.
pub async fn down(project: &Project, options: &DownOptions, emitter: &Emitter) -> Result<Down, Error> {
    let mut down = Down::default();
    restore_files(&project.state).await?;
    let known = is_known(project)?;
    let _alone = if known { Some(command_lock(project)?) } else { None };
    if known {
        test_environments::sweep(project, emitter).await;
        end_processes(project, &mut down, emitter).await?;
    }
    end_containers(project, options, &mut down, emitter, known).await?;
    if known {
        down.rehearsal_removed = remove_rehearsals(project, emitter).await?;
    }
    if options.volumes && known {
        let data = project.state.data();
        match std::fs::remove_dir_all(&data) {
            Ok(()) => down.data_removed = true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::State { path: data, source }),
        }
    }
    Ok(down)
}

/// Whether anything was ever started here. Processes may be left where somebody removed the folder with their locks.
fn is_known(project: &Project) -> Result<bool, Error> {
    let state = &project.state;
    if state.path().exists() {
        return Ok(true);
    }
    let left = leftovers::find(state).map_err(|source| Error::ReadFile { path: state.units(), source })?;
    if !left.is_empty() {
        state.prepare()?;
    }
    Ok(!left.is_empty())
}

/// An environment runs in one way only: what runs in another than the chosen one is stopped.
pub(crate) async fn end_other_runtime(
    project: &Project,
    resolved: &ResolvedRuntime,
    emitter: &Emitter,
) -> Result<(), Error> {
    let kind = resolved.host.kind();
    if kind != RuntimeKind::Process {
        let mut down = Down::default();
        end_processes(project, &mut down, emitter).await?;
        if down.was_running {
            emitter.notice("stopped the environment that ran as processes; its data stays there");
        }
        return Ok(());
    }
    let chosen = Remembered::read(&project.state)?.chosen;
    if chosen.is_some_and(|chosen| chosen.runtime != kind)
        && let Ok(found) = project.runtimes.find().await
        && !found.host.connect(project, None).await?.take_down().await?.is_empty()
    {
        emitter.notice("stopped the environment that ran as containers; its data stays there");
    }
    Ok(())
}

async fn end_processes(project: &Project, down: &mut Down, emitter: &Emitter) -> Result<(), Error> {
    if let Some(mut client) = Client::reach(&project.state).await? {
        down.was_running = true;
        let units = match client.observe().await {
            // It ends for another reason at this moment.
            Err(error::Error::Lost { .. }) => Vec::new(),
            units => units?,
        };
        down.stopped = units.into_iter().map(|unit| unit.name).collect();
        let stopping = async {
            client.shutdown().await?;
            client.closed().await;
            Ok(())
        };
        explained(stopping, emitter).await?;
    }
    let units = project.state.units();
    let failed = |source| Error::State { path: units.clone(), source };
    down.leftovers = leftovers::find(&project.state).map_err(failed)?;
    for leftover in &down.leftovers {
        emitter.notice(format!("ending {} (process {}), left by a run that was killed", leftover.unit, leftover.pid));
        leftovers::end(&project.state, &leftover.unit).await.map_err(failed)?;
    }
    remove_socket(project)
}

/// A supervisor that was killed leaves its socket. No other can begin meanwhile: this command alone may change the
/// environment.
fn remove_socket(project: &Project) -> Result<(), Error> {
    let (lock, socket) = (project.state.supervisor_lock(), project.state.socket());
    if is_held(&lock).map_err(|source| Error::State { path: lock, source })? {
        return Ok(());
    }
    match std::fs::remove_file(&socket) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(Error::State { path: socket, source }),
        _ => Ok(()),
    }
}

/// Containers are known by their labels, so that they are found also when the state directory is gone.
async fn end_containers(
    project: &Project,
    options: &DownOptions,
    down: &mut Down,
    emitter: &Emitter,
    known: bool,
) -> Result<(), Error> {
    let chosen = Remembered::read(&project.state)?.chosen;
    let uses_containers = chosen.is_some_and(|chosen| chosen.runtime == RuntimeKind::Docker);
    if known && !uses_containers && !options.volumes {
        return Ok(());
    }
    let host = match project.runtimes.find().await {
        Ok(found) => found.host,
        Err(none) if uses_containers => return Err(none.into()),
        Err(_) => return Ok(()),
    };
    host.clear(project, emitter).await?;
    let runtime = host.connect(project, None).await?;
    let stopped = explained(runtime.take_down(), emitter).await?;
    down.was_running |= !stopped.is_empty();
    down.stopped.extend(stopped);
    if options.volumes {
        down.data_removed |= runtime.remove_data().await?;
    }
    Ok(())
}

/// Removes the emulated AWS of every rehearsal of this project. Returns whether there was one.
async fn remove_rehearsals(project: &Project, emitter: &Emitter) -> Result<bool, Error> {
    let mut removed = false;
    for target in project.manifest.promote.values() {
        let folder = project.state.promotion(&target.name);
        if matches!(target.place, PromotePlace::Rehearsal { .. }) && folder.exists() {
            let host = project.runtimes.find().await?.host;
            removed |= host.remove_part(project, &folder, &target.name, emitter).await?;
        }
    }
    Ok(removed)
}

async fn explained<T>(stopping: impl Future<Output = Result<T, Error>>, emitter: &Emitter) -> Result<T, Error> {
    tokio::pin!(stopping);
    tokio::select! {
        outcome = &mut stopping => outcome,
        () = tokio::time::sleep(TELL_AFTER) => {
            emitter.notice("services finish the requests that run, within their grace periods");
            stopping.await
        }
    }
}
