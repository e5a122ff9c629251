use devenv_runtime::Project;

use crate::error::Error;
use crate::resolve;

/// An action on one unit of a running environment, for tests of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitAction {
    /// Sends SIGKILL, like a crash; then the unit is restarted.
    Kill,
    /// Sends SIGTERM; the unit stays stopped. A unit that would lose its data is paused instead.
    Stop,
    /// Starts a stopped unit and waits until it is ready.
    Start,
}

pub async fn unit(project: &Project, action: UnitAction, name: &str) -> Result<(), Error> {
    let runtime = resolve::current(project).await?.connect(project).await?;
    match action {
        UnitAction::Kill => runtime.crash(name).await?,
        UnitAction::Stop => runtime.interrupt(name).await?,
        UnitAction::Start => runtime.resume(name).await?,
    }
    Ok(())
}
