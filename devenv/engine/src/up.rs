use std::time::Duration;

use devenv_model::event::{EnvironmentReport, Event};
use devenv_model::plan::Plan;
use devenv_model::reconcile::reconcile;
use devenv_model::unit::EMULATOR;
use devenv_resources::error as resources;
use devenv_supervisor::lock::{HeldLock, LockAttempt, try_hold};
use devenv_supervisor::log_reader::last_lines;

use crate::any_runtime::AnyRuntime;
use crate::attachment::{Attachment, Hold};
use crate::choice::{self, Choice, ChosenRuntime, Wish};
use crate::containers::{EngineErrorKind, Making, remove_orphans, settle};
use crate::execute::{Executed, execute, millis};
use crate::process_runtime::LOG_TAIL;
use crate::status::{READY, STARTING};
use crate::world::World;
use crate::{Cancel, Emitter, Error, Project, down, ports, status, test_environments};

/// How often `up` looks again when the world changes under it.
const ATTEMPTS: usize = 3;

#[derive(Debug, Clone)]
pub struct UpOptions {
    pub wish: Wish,
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

/// What `up` would do. Changes nothing.
pub async fn plan(project: &Project, options: &UpOptions, emitter: &Emitter) -> Result<Plan, Error> {
    let choice = choice::choose(project, &options.wish).await?;
    choice.tell(project, emitter);
    let world = World::observe(project, &choice, &options.services, emitter).await?;
    planned(&world).await
}

/// Brings the environment up, or finds it so. On failure nothing that this call started is left.
pub async fn up(project: &Project, options: &UpOptions, emitter: &Emitter, cancel: &Cancel) -> Result<Up, Error> {
    project.state.prepare()?;
    let _alone = command_lock(project)?;
    test_environments::sweep(project, emitter).await;
    let choice = choice::choose(project, &options.wish).await?;
    choice.tell(project, emitter);
    down::end_other_runtime(project, &choice, emitter).await?;
    let _making = match &choice.runtime {
        ChosenRuntime::Docker(engine) => {
            settle(&project.state.engine_mark(), emitter).await;
            remove_orphans(engine.as_ref(), project).await?;
            Some(Making::begin(project.state.engine_mark())?)
        }
        ChosenRuntime::Process => None,
    };
    for _ in 1..ATTEMPTS {
        let mut executed = Executed::default();
        match bring_up(project, &choice, options, emitter, cancel, &mut executed).await {
            Err(error) if is_another_world(project, &error, &executed, emitter) => {}
            other => return other,
        }
    }
    bring_up(project, &choice, options, emitter, cancel, &mut Executed::default()).await
}

/// Whether the snapshot did not hold for as long as it was needed, so that a new one may do better.
fn is_another_world(project: &Project, error: &Error, executed: &Executed, emitter: &Emitter) -> bool {
    match error {
        // A supervisor whose owner was killed may end while it is being asked: the next look finds none.
        Error::Supervisor(devenv_supervisor::error::Error::Lost { .. }) => true,
        // Between the choice of a port and its use lies a build, in which another program may have taken it.
        Error::UnitFailed { unit, .. } if ports::are_taken(project, unit) => {
            emitter.notice(format!("a port of {unit} was taken meanwhile; choosing another"));
            true
        }
        Error::Engine(error) if error.kind == EngineErrorKind::PortTaken => {
            emitter.notice("a port was taken meanwhile; choosing another");
            true
        }
        // An engine takes a container back whose starter was killed, a moment after it was seen to run.
        Error::UnitFailed { unit, .. } => !executed.started.contains(unit),
        Error::Resource(resources::Error::Unreachable { .. }) => !executed.started.iter().any(|unit| unit == EMULATOR),
        Error::Engine(error) => matches!(error.kind, EngineErrorKind::NotFound | EngineErrorKind::Conflict),
        _ => false,
    }
}

async fn bring_up(
    project: &Project,
    choice: &Choice,
    options: &UpOptions,
    emitter: &Emitter,
    cancel: &Cancel,
    executed: &mut Executed,
) -> Result<Up, Error> {
    let world = World::observe(project, choice, &options.services, emitter).await?;
    let plan = planned(&world).await?;
    emitter.emit(Event::PlanReady { plan: plan.clone() });
    let changed = !plan.is_empty();
    let owned = match &world.runtime {
        AnyRuntime::Processes(runtime) => runtime.ensure_supervisor(&project.instance).await?,
        AnyRuntime::Containers(_) => world.observed.units.is_empty(),
    };
    if changed {
        world.remember()?;
        let outcome;
        (*executed, outcome) = execute(&plan, &world, emitter, options.timeout, cancel).await;
        if let Err(error) = outcome {
            return Err(undo(project, world, executed, owned, error).await);
        }
    }
    let mut report = match confirm(project, choice, &world, options.timeout).await {
        Ok(report) => report,
        Err(error) => return Err(undo(project, world, executed, owned, error).await),
    };
    if is_data_lost(project, &report) {
        emitter.notice("somebody removed the data file: what the emulator holds goes when it stops");
    }
    for unit in &mut report.units {
        unit.took_ms = executed.ready_after.get(&unit.name).copied().map(millis);
    }
    let hold = match world.runtime {
        AnyRuntime::Processes(runtime) => Hold::Supervisor(runtime.into_connection()),
        AnyRuntime::Containers(runtime) => Hold::Containers(runtime),
    };
    Ok(Up { report, changed, attachment: Attachment::new(hold, owned) })
}

/// The environment as it is, once every unit of it is usable. A unit that answered once may have died since.
async fn confirm(
    project: &Project,
    choice: &Choice,
    world: &World<'_>,
    timeout: Duration,
) -> Result<EnvironmentReport, Error> {
    let deadline = tokio::time::Instant::now() + timeout;
    let wanted = world.units();
    loop {
        let report = status::of_runtime(project, choice, &world.runtime).await?;
        let Some(unit) = report.units.iter().find(|unit| unit.state != READY && wanted.contains(&unit.name)) else {
            return Ok(report);
        };
        if unit.state != STARTING {
            let cause = unit.detail.clone().unwrap_or_else(|| unit.state.clone());
            let cause = format!("it was ready and is so no longer: {cause}");
            return Err(Error::UnitFailed { unit: unit.name.clone(), cause, log: unit.log.clone() });
        }
        let ready = tokio::time::timeout_at(deadline, world.runtime.await_ready(&unit.name)).await;
        ready.unwrap_or_else(|_| {
            let waiting_for = format!("{} was ready and does not answer", unit.name);
            Err(Error::Deadline { waiting_for, unit: Some(unit.name.clone()), after: timeout, log: Vec::new() })
        })?;
    }
}

/// Whether the emulator runs on a file that has lost its name.
fn is_data_lost(project: &Project, report: &EnvironmentReport) -> bool {
    let runs = report.units.iter().any(|unit| unit.name == EMULATOR && unit.state == READY);
    report.supervisor_pid.is_some() && runs && !project.state.database().exists()
}

async fn planned(world: &World<'_>) -> Result<Plan, Error> {
    reconcile(&world.desired().await?, &world.observed).map_err(|conflict| {
        let file = world.project.manifest.tables.iter().find(|table| table.name == conflict.table);
        let file = file.map(|table| table.file.clone()).unwrap_or_default();
        Error::Resource(resources::Error::TableDiffers {
            table: conflict.table,
            file,
            differences: conflict.differences,
        })
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

/// An environment that this run began goes whole; of another one, what this run started is stopped. A deadline's error
/// gains the log of the unit it waited for.
async fn undo(project: &Project, world: World<'_>, executed: &Executed, owned: bool, error: Error) -> Error {
    let late = match &error {
        Error::Deadline { unit: Some(unit), .. } => Some(unit.clone()),
        _ => None,
    };
    // A container's log goes with it.
    if let AnyRuntime::Containers(runtime) = &world.runtime {
        runtime.keep_logs(project).await;
    }
    match world.runtime {
        AnyRuntime::Processes(runtime) if owned => {
            if let Some(mut client) = runtime.into_connection()
                && client.shutdown().await.is_ok()
            {
                client.closed().await;
            }
        }
        AnyRuntime::Containers(runtime) if owned => {
            if let Err(error) = runtime.take_down().await {
                tracing::warn!(instance = %project.instance.name, %error, "could not be taken down");
            }
        }
        runtime => {
            for unit in executed.started.iter().rev() {
                if let Err(error) = runtime.remove(unit).await {
                    tracing::warn!(%unit, instance = %project.instance.name, %error, "could not be stopped");
                }
            }
        }
    }
    match (error, late) {
        (Error::Deadline { waiting_for, after, .. }, Some(unit)) => {
            let log = last_lines(&project.state.log(&unit), LOG_TAIL);
            Error::Deadline { waiting_for, unit: Some(unit), after, log }
        }
        (error, _) => error,
    }
}
