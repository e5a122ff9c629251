use crate::control::Client;
use crate::effects::Runtime;
use crate::process_runtime::ProcessRuntime;
use crate::{Error, Project};

/// What a test does to one unit of a running environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitAction {
    /// SIGKILL, as a crash would be; the supervisor starts it again.
    Kill,
    /// SIGTERM; it stays stopped.
    Stop,
    /// Starts a stopped unit and waits until it is ready.
    Start,
}

pub async fn unit(project: &Project, action: UnitAction, name: &str) -> Result<(), Error> {
    let client = Client::reach(&project.state).await?;
    let mut client = client.ok_or_else(|| Error::NotRunning { project: project.instance.name.clone() })?;
    match action {
        UnitAction::Kill => client.kill(name).await,
        UnitAction::Stop => client.stop(name).await,
        UnitAction::Start => {
            client.start_again(name).await?;
            ProcessRuntime::connect(&project.state).await?.await_ready(name).await
        }
    }
}
