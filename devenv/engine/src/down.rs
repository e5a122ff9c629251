use std::time::Duration;

use devenv_model::observed::Leftover;

use crate::control::Client;
use crate::up::command_lock;
use crate::{Emitter, Error, Project, supervisor, test_environments};

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
}

/// Stops the environment and whatever a killed run left of it. Nothing to stop is not an error.
pub async fn down(project: &Project, options: &DownOptions, emitter: &Emitter) -> Result<Down, Error> {
    let mut down = Down::default();
    if !project.state.path().exists() {
        return Ok(down);
    }
    let _alone = command_lock(project)?;
    test_environments::sweep(project).await;
    if let Some(mut client) = Client::reach(&project.state).await? {
        down.was_running = true;
        down.stopped = client.observe().await?.into_iter().map(|unit| unit.name).collect();
        let stopping = async {
            client.shutdown().await?;
            client.closed().await;
            Ok::<(), Error>(())
        };
        tokio::pin!(stopping);
        tokio::select! {
            outcome = &mut stopping => outcome?,
            () = tokio::time::sleep(TELL_AFTER) => {
                emitter.notice("services finish the requests that run, within their grace periods");
                stopping.await?;
            }
        }
    }
    let units = project.state.units();
    let failed = |source| Error::State { path: units.clone(), source };
    down.leftovers = supervisor::find(&project.state).map_err(failed)?;
    for leftover in &down.leftovers {
        emitter.notice(format!("ending {} (process {}), left by a run that was killed", leftover.unit, leftover.pid));
        supervisor::end(&project.state, &leftover.unit).await.map_err(failed)?;
    }
    if options.volumes {
        let data = project.state.data();
        match std::fs::remove_dir_all(&data) {
            Ok(()) => down.data_removed = true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::State { path: data, source }),
        }
    }
    Ok(down)
}
