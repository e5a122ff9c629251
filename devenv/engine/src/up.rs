use std::time::Duration;

use devenv_model::event::{EnvironmentReport, Event};
use devenv_model::plan::Plan;
use devenv_model::reconcile::reconcile;

use crate::control::Client;
use crate::effects::Runtime;
use crate::execute::{Executed, execute, millis};
use crate::lock::{HeldLock, LockAttempt, try_hold};
use crate::log_reader::last_lines;
use crate::process_runtime::LOG_TAIL;
use crate::world::World;
use crate::{Cancel, Emitter, Error, Project, dynamo, ports, status, test_environments};

/// How often `up` looks again when the supervisor vanishes under it.
const ATTEMPTS: usize = 3;

#[derive(Debug, Clone)]
pub struct UpOptions {
    /// Those named and what they depend on; every service when empty.
    pub services: Vec<String>,
    /// From the start of the command to the last service's readiness.
    pub timeout: Duration,
}

/// An environment that is ready.
#[derive(Debug)]
pub struct Up {
    pub report: EnvironmentReport,
    /// Whether anything had to be done.
    pub changed: bool,
    pub attachment: Attachment,
}

/// This command's hold on the environment. Dropping it ends an environment that this command started.
#[derive(Debug)]
pub struct Attachment {
    connection: Option<Client>,
    owned: bool,
}

impl Attachment {
    /// Whether the environment ends with this command unless it is detached.
    pub fn is_owner(&self) -> bool {
        self.owned
    }

    /// Leaves the environment running after this command.
    pub async fn detach(mut self) -> Result<(), Error> {
        match self.connection.as_mut() {
            Some(client) if self.owned => client.detach().await,
            _ => Ok(()),
        }
    }

    /// Stops an environment that this command started; leaves one that ran before.
    pub async fn stop(mut self, emitter: &Emitter) -> Result<(), Error> {
        match self.connection.as_mut() {
            Some(client) if self.owned => {
                client.shutdown().await?;
                client.closed().await;
                emitter.notice("environment stopped");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Resolves when the supervisor has gone.
    pub async fn lost(&mut self) {
        match self.connection.as_mut() {
            Some(client) => client.closed().await,
            None => std::future::pending().await,
        }
    }
}

/// What `up` would do. Changes nothing.
pub async fn plan(project: &Project, options: &UpOptions, emitter: &Emitter) -> Result<Plan, Error> {
    let world = World::observe(project, &options.services, emitter).await?;
    planned(&world).await
}

/// Brings the environment up, or finds it so. On failure nothing that this call started is left.
pub async fn up(project: &Project, options: &UpOptions, emitter: &Emitter, cancel: &Cancel) -> Result<Up, Error> {
    project.state.prepare()?;
    let _alone = command_lock(project)?;
    test_environments::sweep(project).await;
    for _ in 1..ATTEMPTS {
        match bring_up(project, options, emitter, cancel).await {
            // A supervisor whose owner was killed may end while it is being asked: the next look finds none.
            Err(Error::SupervisorLost { .. }) => {}
            // Between the choice of a port and its use lies a build, in which another program may have taken it.
            Err(Error::UnitFailed { unit, .. }) if ports::are_taken(project, &unit) => {
                emitter.notice(format!("a port of {unit} was taken meanwhile; choosing another"));
            }
            other => return other,
        }
    }
    bring_up(project, options, emitter, cancel).await
}

async fn bring_up(project: &Project, options: &UpOptions, emitter: &Emitter, cancel: &Cancel) -> Result<Up, Error> {
    let world = World::observe(project, &options.services, emitter).await?;
    let plan = planned(&world).await?;
    emitter.emit(Event::PlanReady { plan: plan.clone() });
    let changed = !plan.is_empty();
    let owned = world.runtime.ensure_supervisor(&project.instance).await?;
    let mut executed = Executed::default();
    if changed {
        world.remember_ports()?;
        let outcome;
        (executed, outcome) = execute(&plan, &world, emitter, options.timeout, cancel).await;
        if let Err(error) = outcome {
            undo(project, world, &executed, owned).await;
            return Err(with_log(project, error));
        }
    }
    let mut report = status::of_runtime(project, &world.runtime).await?;
    for unit in &mut report.units {
        unit.took_ms = executed.ready_after.get(&unit.name).copied().map(millis);
    }
    let connection = world.runtime.into_connection();
    Ok(Up { report, changed, attachment: Attachment { connection, owned } })
}

async fn planned(world: &World<'_>) -> Result<Plan, Error> {
    reconcile(&world.desired().await?, &world.observed).map_err(|conflict| {
        let file = world.project.manifest.tables.iter().find(|table| table.name == conflict.table);
        let file = file.map(|table| table.file.clone()).unwrap_or_default();
        Error::Dynamo(dynamo::Error::TableDiffers { table: conflict.table, file, differences: conflict.differences })
    })
}

/// Only one command at a time may change an environment.
pub(crate) fn command_lock(project: &Project) -> Result<HeldLock, Error> {
    let path = project.state.command_lock();
    match try_hold(&path).map_err(|source| Error::State { path, source })? {
        LockAttempt::Held(held) => Ok(held),
        LockAttempt::Taken { pid } => Err(Error::Locked { pid }),
    }
}

/// A supervisor that this run started goes with everything it keeps; in another one, what this run started is stopped.
async fn undo(project: &Project, world: World<'_>, executed: &Executed, owned: bool) {
    if owned {
        if let Some(mut client) = world.runtime.into_connection()
            && client.shutdown().await.is_ok()
        {
            client.closed().await;
        }
        return;
    }
    for unit in executed.started.iter().rev() {
        if world.runtime.remove(unit).await.is_err() {
            tracing::warn!(%unit, instance = %project.instance.name, "could not be stopped");
        }
    }
}

/// A deadline's error gains the log of the unit it waited for, read when that unit has written its last.
fn with_log(project: &Project, error: Error) -> Error {
    match error {
        Error::Deadline { waiting_for, unit: Some(unit), after, .. } => {
            let log = last_lines(&project.state.log(&unit), LOG_TAIL);
            Error::Deadline { waiting_for, unit: Some(unit), after, log }
        }
        other => other,
    }
}
