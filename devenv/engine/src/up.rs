use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use devenv_model::artifact::Artifact;
use devenv_model::event::{EnvironmentReport, Event};
use devenv_model::intent::{Ports, UnitIntent};
use devenv_model::plan::{Operation, Plan};
use devenv_model::reconcile::{Conflict, Desired, reconcile};
use devenv_model::unit::{EMULATOR, is_emulator};
use devenv_resources::error as resources;
use devenv_resources::resources::Resources;
use devenv_runtime::{
    Abilities, Cancel, Emitter, Error as RuntimeError, HostErrorKind, LOG_TAIL, Project, Remembered, Runtime,
    RuntimeRequest, millis, processes,
};
use devenv_supervisor::log_reader::last_lines;

use crate::attachment::Attachment;
use crate::command_lock::command_lock;
use crate::error::Error;
use crate::execute::{Executed, execute};
use crate::perform::{self, Performer};
use crate::resolve::{self, ResolvedRuntime};
use crate::snapshot::{self, Snapshot};
use crate::status::{COMPLETED, READY, STARTING};
use crate::{databases, desired, down, notices, ports, status, test_environments};

/// The number of attempts of `up`, if the environment changes after the snapshot.
const ATTEMPTS: usize = 3;

#[derive(Debug, Clone)]
pub struct UpOptions {
    pub request: RuntimeRequest,
    /// The services to start, with their dependencies; every service if empty.
    pub services: Vec<String>,
    /// The limit from the start of the steps to the last service's readiness, without builds and pulls.
    pub timeout: Duration,
}

/// A ready environment.
#[derive(Debug)]
pub struct Up {
    pub report: EnvironmentReport,
    /// Whether the plan had any steps.
    pub changed: bool,
    pub attachment: Attachment,
}

/// The plan that `up` would execute. Changes nothing.
pub async fn plan(project: &Project, options: &UpOptions, emitter: &Emitter) -> Result<Plan, Error> {
    let resolved = resolve::choose(project, &options.request).await?;
    resolved.tell(project, emitter);
    notices::tell(project, &desired::selected(project, &options.services)?, resolved.host.abilities(), emitter);
    let runtime = resolved.connect(project).await?;
    Wanted::look(project, &resolved, runtime.as_ref(), &options.services, emitter).await?.plan(project)
}

/// Brings the environment up, if it is not. On failure, stops everything that this call started.
pub async fn up(project: &Project, options: &UpOptions, emitter: &Emitter, cancel: &Cancel) -> Result<Up, Error> {
    project.state.prepare()?;
    let _alone = command_lock(project)?;
    databases::prepare(project)?;
    test_environments::sweep(project, emitter).await;
    let resolved = resolve::choose(project, &options.request).await?;
    resolved.tell(project, emitter);
    notices::tell(project, &desired::selected(project, &options.services)?, resolved.host.abilities(), emitter);
    processes::end_older(project, emitter).await?;
    down::end_other_runtime(project, &resolved, emitter).await?;
    resolved.host.clear(project, emitter).await?;
    let _making = resolved.host.begin(project)?;
    for _ in 1..ATTEMPTS {
        let mut executed = Executed::default();
        match bring_up(project, &resolved, options, emitter, cancel, &mut executed).await {
            Err(error) if is_another_world(project, resolved.host.abilities(), &error, &executed, emitter) => {}
            other => return other,
        }
    }
    bring_up(project, &resolved, options, emitter, cancel, &mut Executed::default()).await
}

/// Whether the environment changed after the snapshot, so that a new attempt may succeed.
fn is_another_world(
    project: &Project,
    abilities: Abilities,
    error: &Error,
    executed: &Executed,
    emitter: &Emitter,
) -> bool {
    match error {
        // A supervisor whose owner was killed may end during a request: the next look finds none.
        Error::Runtime(RuntimeError::Supervisor(devenv_supervisor::error::Error::Lost { .. })) => true,
        // During the build, between the choice and the use of a port, another program may have taken it.
        Error::Runtime(RuntimeError::UnitFailed { unit, .. }) if ports::are_taken(project, abilities, unit) => {
            emitter.notice(format!("another program took a port of {unit}; choosing a new one"));
            true
        }
        Error::Runtime(RuntimeError::Host(error)) if error.kind == HostErrorKind::PortTaken => {
            emitter.notice("another program took a port; choosing a new one");
            true
        }
        // An engine may remove a container whose starter was killed, just after the snapshot saw it run.
        Error::Runtime(RuntimeError::UnitFailed { unit, .. }) => !executed.started.contains(unit),
        Error::Resource(resources::Error::Unreachable { .. }) => !executed.started.iter().any(|unit| is_emulator(unit)),
        Error::Runtime(RuntimeError::Host(error)) => {
            matches!(error.kind, HostErrorKind::NotFound | HostErrorKind::Conflict)
        }
        _ => false,
    }
}

async fn bring_up(
    project: &Project,
    resolved: &ResolvedRuntime,
    options: &UpOptions,
    emitter: &Emitter,
    cancel: &Cancel,
    executed: &mut Executed,
) -> Result<Up, Error> {
    let runtime = resolved.connect(project).await?;
    let wanted = Wanted::look(project, resolved, runtime.as_ref(), &options.services, emitter).await?;
    let plan = wanted.plan(project)?;
    emitter.emit(Event::PlanReady { plan: plan.clone() });
    let changed = !plan.is_empty();
    let owned = runtime.open(&wanted.snapshot.observed).await?;
    // The files alone may have changed.
    if changed || wanted.remembered.compose != project.compose {
        remember(project, resolved, &wanted.ports)?;
    }
    if changed {
        wanted.notices(project, &plan, emitter);
        let performer = wanted.performer(project, resolved, runtime.clone())?;
        let outcome;
        (*executed, outcome) = execute(&plan, &performer, emitter, options.timeout, cancel).await;
        if let Err(error) = outcome {
            return Err(undo(project, runtime.as_ref(), executed, owned, error).await);
        }
    }
    let mut report = match confirm(project, resolved, runtime.as_ref(), &wanted.intents, options.timeout).await {
        Ok(report) => report,
        Err(error) => return Err(undo(project, runtime.as_ref(), executed, owned, error).await),
    };
    if is_data_lost(runtime.as_ref(), &report) {
        emitter.notice("the data file was removed: the emulator's data will be lost when it stops");
    }
    for unit in &mut report.units {
        unit.took_ms = executed.ready_after.get(&unit.name).copied().map(millis);
    }
    Ok(Up { report, changed, attachment: Attachment::new(runtime, owned) })
}

/// Waits until every unit is usable or has completed, and returns the report. A unit that was ready may have died since.
async fn confirm(
    project: &Project,
    resolved: &ResolvedRuntime,
    runtime: &dyn Runtime,
    intents: &[UnitIntent],
    timeout: Duration,
) -> Result<EnvironmentReport, Error> {
    let deadline = tokio::time::Instant::now() + timeout;
    let is_wanted = |name: &str| intents.iter().any(|intent| intent.name == name);
    loop {
        let report = status::of_runtime(project, resolved, runtime).await?;
        let is_usable = |state: &str| [READY, COMPLETED].contains(&state);
        let Some(unit) = report.units.iter().find(|unit| !is_usable(&unit.state) && is_wanted(&unit.name)) else {
            return Ok(report);
        };
        if unit.state != STARTING {
            let cause = unit.detail.clone().unwrap_or_else(|| unit.state.clone());
            let cause = format!("it was ready, but no longer is: {cause}");
            return Err(RuntimeError::UnitFailed { unit: unit.name.clone(), cause, log: unit.log.clone() }.into());
        }
        let ready = tokio::time::timeout_at(deadline, runtime.await_ready(&unit.name)).await;
        ready.map_err(|_| {
            let waiting_for = format!("wait for {}, which was ready before", unit.name);
            Error::Deadline { waiting_for, unit: Some(unit.name.clone()), after: timeout, log: Vec::new() }
        })??;
    }
}

/// Whether the running emulator's data file was removed.
fn is_data_lost(runtime: &dyn Runtime, report: &EnvironmentReport) -> bool {
    report.units.iter().any(|unit| unit.name == EMULATOR && unit.state == READY) && runtime.has_lost_data()
}

/// The input of one attempt: the snapshot, the chosen ports, and the wanted units.
struct Wanted {
    snapshot: Snapshot,
    ports: Ports,
    intents: Vec<UnitIntent>,
    desired: Desired,
    /// The memory before this run.
    remembered: Remembered,
}

impl Wanted {
    /// Takes the snapshot and derives the rest. Changes nothing.
    async fn look(
        project: &Project,
        resolved: &ResolvedRuntime,
        runtime: &dyn Runtime,
        services: &[String],
        emitter: &Emitter,
    ) -> Result<Self, Error> {
        let (emulator, abilities) = (&resolved.emulator, resolved.host.abilities());
        let services = desired::selected(project, services)?;
        let remembered = Remembered::read(&project.state)?;
        let artifacts = desired::artifacts(project, emulator, abilities, &services)?;
        let snapshot = snapshot::observe(project, emulator, abilities, runtime, &artifacts).await?;
        let ports = ports::choose(project, emulator, &snapshot, &remembered, emitter)?;
        let intents = desired::intents(project, emulator, &snapshot, &ports, &services)?;
        let hashes = intents.iter().map(|intent| runtime.config_hash(intent)).collect::<Result<_, _>>()?;
        let desired = desired::desired(project, emulator, abilities, &intents, hashes);
        Ok(Self { snapshot, ports, intents, desired, remembered })
    }

    fn plan(&self, project: &Project) -> Result<Plan, Error> {
        reconcile(&self.desired, &self.snapshot.observed).map_err(|conflict| {
            let Conflict { resource, differences } = conflict;
            let file = project.manifest.file_of(&resource).map(Utf8Path::to_owned).unwrap_or_default();
            Error::Resource(resources::Error::Differs { resource, file, differences })
        })
    }

    fn performer<'a>(
        &'a self,
        project: &'a Project,
        resolved: &ResolvedRuntime,
        runtime: Arc<dyn Runtime>,
    ) -> Result<Performer<'a>, Error> {
        let addresses = resolved.emulator.endpoints(&self.ports)?;
        let resources = Resources::of(&project.manifest, &addresses, desired::region(project));
        let (observed, builds) = (&self.snapshot.observed, perform::builds());
        Ok(Performer { project, runtime, observed, intents: &self.intents, resources, builds })
    }

    /// Emits what a person may not expect of the builds in the plan.
    fn notices(&self, project: &Project, plan: &Plan, emitter: &Emitter) {
        let is_built = |intent: &&UnitIntent| {
            plan.steps
                .iter()
                .any(|step| matches!(&step.operation, Operation::BuildUnit { unit } if *unit == intent.name))
        };
        for intent in self.intents.iter().filter(is_built) {
            if let Artifact::Dockerfile(build) = &intent.artifact {
                build
                    .notices(&intent.name, &project.instance.root)
                    .into_iter()
                    .for_each(|notice| emitter.notice(notice));
            }
        }
    }
}

/// Remembers the choices for the next run.
fn remember(project: &Project, resolved: &ResolvedRuntime, ports: &Ports) -> Result<(), Error> {
    let mut remembered = Remembered::read(&project.state)?;
    let chosen = Some(resolved.to_remember());
    let before = remembered.clone();
    remembered.set_ports(ports);
    remembered.chosen = chosen;
    remembered.compose.clone_from(&project.compose);
    if remembered == before {
        return Ok(());
    }
    Ok(remembered.keep(&project.state)?)
}

/// Takes down an environment that this run began; in another environment, removes the units that this run started. Adds to a
/// deadline's error the log of the awaited unit.
async fn undo(project: &Project, runtime: &dyn Runtime, executed: &Executed, owned: bool, error: Error) -> Error {
    let late = match &error {
        Error::Deadline { unit: Some(unit), .. } => Some(unit.clone()),
        _ => None,
    };
    runtime.keep_logs().await;
    if owned {
        if let Err(error) = runtime.take_down().await {
            tracing::warn!(instance = %project.instance.name, %error, "cannot take the environment down");
        }
    } else {
        for unit in executed.started.iter().rev() {
            if let Err(error) = runtime.remove(unit).await {
                tracing::warn!(%unit, instance = %project.instance.name, %error, "cannot stop the unit");
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

#[cfg(test)]
mod tests {
    use devenv_artifacts::error::BuildError;
    use devenv_fakes::FakeProject;
    use devenv_model::observed::UnitState;
    use devenv_runtime::{HostError, memory};

    use super::*;

    fn options() -> UpOptions {
        UpOptions { request: RuntimeRequest::default(), services: Vec::new(), timeout: Duration::from_secs(20) }
    }

    async fn bring_up(project: &FakeProject) -> Result<Up, Error> {
        let (emitter, _events) = Emitter::channel();
        up(&project.load(), &options(), &emitter, &Cancel::never()).await
    }

    /// The requests without watches, whose number depends on the duration of steps.
    fn steps(project: &FakeProject) -> Vec<String> {
        project.runtime.done().into_iter().filter(|line| !line.starts_with("watch")).collect()
    }

    #[tokio::test]
    async fn an_environment_is_brought_up_once_and_changed_only_where_it_changes() {
        let project = FakeProject::new();
        let first = bring_up(&project).await.expect("nothing fails");
        assert!(first.changed && first.attachment.is_owner());
        let expected = [
            "prepare emulator",
            "start emulator",
            "prepare api",
            "prepare mailer",
            "ready emulator",
            "start mailer",
            "start api",
        ];
        let done = steps(&project);
        for line in expected {
            assert!(done.iter().any(|step| step == line), "{line} is not among {done:?}");
        }
        assert_eq!(done[..3], expected[..3], "the emulator's container comes first");
        let again = bring_up(&project).await.expect("nothing fails");
        assert!(!again.changed && !again.attachment.is_owner());
        assert_eq!(steps(&project), [""; 0]);
        project.greet("good evening");
        assert!(bring_up(&project).await.expect("nothing fails").changed);
        assert_eq!(steps(&project), ["start api", "ready api"]);
    }

    #[tokio::test]
    async fn an_unchanged_environment_costs_three_reads_of_the_memory() {
        let project = FakeProject::new();
        bring_up(&project).await.expect("nothing fails");
        let before = memory::reads();
        assert!(!bring_up(&project).await.expect("nothing fails").changed);
        assert_eq!(memory::reads() - before, 3, "the choice, the host of the last start, the ports");
    }

    #[tokio::test]
    async fn every_binding_is_kept_from_the_compose_file_to_the_status() {
        let project = FakeProject::new();
        let compose = std::fs::read_to_string(project.path().join("compose.yaml")).expect("readable");
        let more = compose.replace("[\"127.0.0.2:20180:80\"]", "[\"127.0.0.2:20180:80\", \"80\", \"127.0.0.3::80\"]");
        project.write("compose.yaml", &more);
        let bindings = async || {
            let report = bring_up(&project).await.expect("nothing fails").report;
            report.units.into_iter().find(|unit| unit.name == "api").expect("it is listed").bindings
        };
        let first = bindings().await;
        let addresses: Vec<String> = first.iter().map(|binding| binding.host.ip().to_string()).collect();
        assert_eq!(addresses, ["127.0.0.2", "127.0.0.1", "127.0.0.3"]);
        assert_eq!(first[0].host.port(), 20180);
        assert_ne!(first[1].host.port(), first[2].host.port());
        let (emitter, _events) = Emitter::channel();
        down::down(&project.load(), &down::DownOptions::default(), &emitter).await.expect("nothing fails");
        assert_eq!(bindings().await, first, "they are remembered");
    }

    #[tokio::test]
    async fn what_is_missing_is_made_first_and_not_prepared() {
        let project = FakeProject::new();
        project.runtime.stale.lock().expect("not poisoned").insert("api".to_owned(), "changed".to_owned());
        project.runtime.absent_images.lock().expect("not poisoned").insert("mailer:1".to_owned());
        bring_up(&project).await.expect("nothing fails");
        let done = steps(&project);
        let place = |line: &str| done.iter().position(|step| step == line);
        assert!(place("build api") < place("start api") && place("build api").is_some(), "{done:?}");
        assert!(place("pull mailer:1") < place("start mailer") && place("pull mailer:1").is_some(), "{done:?}");
        assert!(place("prepare api").is_none() && place("prepare mailer").is_none(), "{done:?}");
    }

    #[tokio::test]
    async fn a_unit_that_dies_takes_down_what_this_run_began_and_nothing_else() {
        let project = FakeProject::new();
        *project.runtime.dies.lock().expect("not poisoned") = Some("api");
        let error = bring_up(&project).await.expect_err("it dies");
        assert!(matches!(error, Error::Runtime(RuntimeError::UnitFailed { ref unit, .. }) if unit == "api"), "{error}");
        assert_eq!(steps(&project).last().map(String::as_str), Some("take down"));
        *project.runtime.dies.lock().expect("not poisoned") = None;
        bring_up(&project).await.expect("nothing fails");
        project.runtime.done();
        project.greet("good evening");
        *project.runtime.dies.lock().expect("not poisoned") = Some("api");
        bring_up(&project).await.expect_err("it dies");
        assert_eq!(steps(&project), ["start api", "remove api"]);
    }

    #[tokio::test]
    async fn every_replica_is_a_unit_with_ports_of_its_own_and_a_smaller_number_stops_the_last_ones() {
        let project = FakeProject::new();
        let compose = std::fs::read_to_string(project.path().join("compose.yaml")).expect("readable");
        let scale = |replicas: u32| {
            project.write(
                "compose.yaml",
                &compose.replace("image: api:1", &format!("image: api:1\n    scale: {replicas}")),
            );
        };
        scale(3);
        let report = bring_up(&project).await.expect("nothing fails").report;
        let api = report.units.iter().filter(|unit| unit.name.starts_with("api"));
        let (names, urls): (Vec<_>, Vec<_>) = api.map(|unit| (unit.name.as_str(), unit.url.clone())).unzip();
        assert_eq!(names, ["api", "api-2", "api-3"]);
        assert_eq!(urls[0].as_deref(), Some("http://127.0.0.2:20180"), "the first one has the published port");
        assert!(urls[1].is_some() && urls[2].is_some() && urls[1] != urls[2] && urls[1] != urls[0], "{urls:?}");
        assert!(!bring_up(&project).await.expect("nothing fails").changed);
        project.runtime.done();
        scale(1);
        bring_up(&project).await.expect("nothing fails");
        let mut done = steps(&project);
        done.sort();
        assert_eq!(done, ["remove api-2", "remove api-3"]);
        scale(0);
        let report = bring_up(&project).await.expect("nothing fails").report;
        assert!(!report.units.iter().any(|unit| unit.name == "api"), "{report:?}");
        assert_eq!(steps(&project), ["remove api"]);
    }

    /// A project whose `api` waits for the completion of `mailer`.
    fn with_one_shot() -> FakeProject {
        let project = FakeProject::new();
        let compose = std::fs::read_to_string(project.path().join("compose.yaml")).expect("readable");
        project.write("compose.yaml", &compose.replace("service_started", "service_completed_successfully"));
        project
    }

    #[tokio::test]
    async fn a_unit_that_runs_once_completes_before_the_others_start_and_runs_again_only_if_it_changed() {
        let project = with_one_shot();
        let report = bring_up(&project).await.expect("nothing fails").report;
        let state =
            |name: &str| report.units.iter().find(|unit| unit.name == name).expect("it is listed").state.clone();
        assert_eq!((state("mailer").as_str(), state("api").as_str()), (COMPLETED, READY));
        let done = project.runtime.done();
        let place = |line: &str| done.iter().position(|step| step == line);
        assert!(place("ready mailer").is_some() && place("ready mailer") < place("start api"), "{done:?}");
        let watched = done.iter().filter(|line| line.starts_with("watch"));
        assert!(watched.clone().count() > 0 && !watched.clone().any(|line| line.contains("mailer")), "{done:?}");
        assert!(!bring_up(&project).await.expect("nothing fails").changed, "it has completed");
        project.runtime.done();
        let compose = std::fs::read_to_string(project.path().join("compose.yaml")).expect("readable");
        project.write("compose.yaml", &compose.replace("mailer:1", "mailer:2"));
        assert!(bring_up(&project).await.expect("nothing fails").changed);
        assert_eq!(steps(&project), ["start mailer", "ready mailer"]);
        project.runtime.set_state("mailer", UnitState::Failed { error: "ended with exit code 3".to_owned() });
        bring_up(&project).await.expect("nothing fails");
        assert_eq!(steps(&project), ["start mailer", "ready mailer"]);
    }

    #[tokio::test]
    async fn a_unit_that_runs_once_and_fails_fails_the_command_and_nothing_starts_after_it() {
        let project = with_one_shot();
        *project.runtime.dies.lock().expect("not poisoned") = Some("mailer");
        let error = bring_up(&project).await.expect_err("it dies");
        assert!(
            matches!(error, Error::Runtime(RuntimeError::UnitFailed { ref unit, .. }) if unit == "mailer"),
            "{error}"
        );
        let done = steps(&project);
        assert!(!done.contains(&"start api".to_owned()), "{done:?}");
        assert_eq!(done.last().map(String::as_str), Some("take down"));
    }

    #[tokio::test]
    async fn a_failed_build_leaves_what_runs_alone() {
        let project = FakeProject::new();
        let compose = std::fs::read_to_string(project.path().join("compose.yaml")).expect("readable");
        let compose = compose.replace("    image: api:1\n", "    image: api:1\n    build: .\n");
        let compose = compose.replace("    image: mailer:1\n", "    image: mailer:1\n    build: .\n");
        assert_eq!(compose.matches("build: .").count(), 2);
        project.write("compose.yaml", &compose);
        bring_up(&project).await.expect("nothing fails");
        let changed = || {
            let stale = ["api", "mailer"].map(|unit| (unit.to_owned(), format!("{unit}.py changed")));
            project.runtime.stale_units.lock().expect("not poisoned").extend(stale);
        };
        changed();
        *project.runtime.build_fails.lock().expect("not poisoned") = Some("api");
        project.runtime.done();
        let error = bring_up(&project).await.expect_err("the build fails");
        assert!(
            matches!(&error, Error::Runtime(RuntimeError::Build(BuildError::Unit { unit, .. })) if unit == "api"),
            "{error}"
        );
        let done = steps(&project);
        assert!(done.iter().all(|step| step == "build unit mailer"), "{done:?}");
        *project.runtime.build_fails.lock().expect("not poisoned") = None;
        changed();
        bring_up(&project).await.expect("nothing fails");
        let done = steps(&project);
        assert_eq!(done.iter().filter(|step| step.starts_with("build unit")).count(), 2, "{done:?}");
    }

    #[tokio::test]
    async fn what_stands_is_watched_with_what_was_started_and_nothing_twice() {
        let project = FakeProject::new();
        bring_up(&project).await.expect("nothing fails");
        project.runtime.set("mailer", UnitState::Stopped { exit: None });
        project.runtime.done();
        project.greet("good evening");
        bring_up(&project).await.expect("nothing fails");
        let watched = project.runtime.done().into_iter().find(|line| line.starts_with("watch"));
        assert_eq!(watched.as_deref(), Some("watch emulator,mailer,api"));
    }

    /// Whether `up` makes a new snapshot after this error, where it has started `started` itself.
    fn is_tried_again(error: &Error, started: &[&str]) -> bool {
        let project = FakeProject::new().load();
        let executed =
            Executed { started: started.iter().map(|unit| (*unit).to_owned()).collect(), ..Executed::default() };
        let abilities = Abilities { images: true, network: true, any_address: true };
        is_another_world(&project, abilities, error, &executed, &Emitter::channel().0)
    }

    #[test]
    fn an_error_that_the_world_may_have_caused_since_the_snapshot_is_tried_again() {
        let failed = |unit: &str| {
            Error::from(RuntimeError::UnitFailed { unit: unit.to_owned(), cause: "gone".to_owned(), log: Vec::new() })
        };
        assert!(is_tried_again(&failed("api"), &["mailer"]), "somebody else ended it");
        assert!(!is_tried_again(&failed("api"), &["api"]), "it ended by itself");
        let host = |kind| {
            let (action, cause) = ("start api".to_owned(), "no".to_owned());
            Error::from(HostError { action, cause, kind })
        };
        for kind in [HostErrorKind::PortTaken, HostErrorKind::NotFound, HostErrorKind::Conflict] {
            assert!(is_tried_again(&host(kind), &["api"]), "{kind:?}");
        }
        assert!(!is_tried_again(&host(HostErrorKind::Other), &[]));
        let silent = || {
            let (endpoint, cause) = ("http://127.0.0.1:1".to_owned(), "refused".to_owned());
            Error::Resource(resources::Error::Unreachable { operation: "ListTables", endpoint, cause })
        };
        assert!(is_tried_again(&silent(), &["api"]), "the emulator that was there is gone");
        assert!(!is_tried_again(&silent(), &[EMULATOR]), "this command's own emulator does not answer");
        let lost = devenv_supervisor::error::Error::Lost { cause: "closed".to_owned() };
        assert!(is_tried_again(&Error::from(lost), &[]));
        assert!(!is_tried_again(&Error::Cancelled, &[]));
    }

    #[tokio::test]
    async fn a_unit_that_dies_while_others_start_is_started_again() {
        let project = FakeProject::new();
        bring_up(&project).await.expect("nothing fails");
        let starting = UnitState::Starting { pid: 7, since: 0 };
        project.runtime.set_state("mailer", starting);
        bring_up(&project).await.expect("its probe passes in time");
        let failed = UnitState::Failed { error: "out of memory".to_owned() };
        *project.runtime.becomes.lock().expect("not poisoned") = Some(("mailer", failed));
        project.greet("good evening");
        project.runtime.done();
        let report = bring_up(&project).await.expect("a second attempt starts it again").report;
        assert!(report.units.iter().all(|unit| unit.state == READY), "{report:?}");
        let done = steps(&project);
        assert!(done.contains(&"start mailer".to_owned()), "{done:?}");
    }

    #[tokio::test]
    async fn a_plan_changes_nothing() {
        let project = FakeProject::new();
        let (emitter, _events) = Emitter::channel();
        let plan = plan(&project.load(), &options(), &emitter).await.expect("nothing fails");
        assert!(!plan.is_empty());
        assert_eq!(project.runtime.done(), [""; 0]);
    }
}
