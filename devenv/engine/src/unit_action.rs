use devenv_supervisor::client::Client;

use crate::any_runtime::AnyRuntime;
use crate::{Error, Project, choice};

/// What a test does to one unit of a running environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitAction {
    /// SIGKILL, as a crash would be; then it is started again.
    Kill,
    /// SIGTERM; it stays stopped. One that would lose its data is paused.
    Stop,
    /// Starts a stopped unit and waits until it is ready.
    Start,
}

pub async fn unit(project: &Project, action: UnitAction, name: &str) -> Result<(), Error> {
    let choice = choice::current(project).await?;
    let runtime = AnyRuntime::connect(project, &choice).await?;
    if let AnyRuntime::Containers(runtime) = &runtime {
        return match action {
            UnitAction::Kill => runtime.crash(name).await,
            UnitAction::Stop => runtime.interrupt(name).await,
            UnitAction::Start => runtime.resume(name).await,
        };
    }
    let client = Client::reach(&project.state).await?;
    let mut client = client.ok_or_else(|| Error::NotRunning { project: project.instance.name.clone() })?;
    match action {
        UnitAction::Kill => Ok(client.kill(name).await?),
        UnitAction::Stop => Ok(client.stop(name).await?),
        UnitAction::Start => {
            client.start_again(name).await?;
            runtime.await_ready(name).await
        }
    }
}
