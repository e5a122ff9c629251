use crate::error::Error;
use crate::project::Project;
use crate::resolve;

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
    let runtime = resolve::current(project).await?.connect(project).await?;
    match action {
        UnitAction::Kill => runtime.crash(name).await,
        UnitAction::Stop => runtime.interrupt(name).await,
        UnitAction::Start => runtime.resume(name).await,
    }
}
