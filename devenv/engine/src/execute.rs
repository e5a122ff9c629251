//! Executes a plan: each step begins as soon as the steps it waits for have succeeded.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use devenv_model::event::Event;
use devenv_model::plan::{Operation, Plan, Step};
use devenv_runtime::{Cancel, Emitter, millis};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::effects::Effects;
use crate::error::Error;

/// The limit for starts that have begun: a start takes a fraction of a second, and a hanging one must not delay the end for ever.
const STARTS_END_WITHIN: Duration = Duration::from_secs(10);

/// The units that the run started, whatever its outcome.
#[derive(Debug, Default)]
pub(crate) struct Executed {
    /// Units that a step started or replaced, whether or not they became ready.
    pub(crate) started: Vec<String>,
    /// The time from the start of each unit to its readiness.
    pub(crate) ready_after: BTreeMap<String, Duration>,
}

/// Runs the steps, side by side where the plan allows. The first error, the deadline or a cancellation ends the others.
///
/// The deadline limits the time to readiness: a build or a pull may take as long as it needs, and the time begins anew after
/// it.
pub(crate) async fn execute(
    plan: &Plan,
    effects: &impl Effects,
    emitter: &Emitter,
    deadline: Duration,
    cancel: &Cancel,
) -> (Executed, Result<(), Error>) {
    let mut executed = Executed::default();
    let mut started_at: BTreeMap<String, Instant> = BTreeMap::new();
    let mut done = vec![false; plan.steps.len()];
    let mut begun = vec![false; plan.steps.len()];
    let mut running = FuturesUnordered::new();
    let expiry = tokio::time::sleep(deadline);
    tokio::pin!(expiry);
    let is_build = |index: usize| {
        use Operation::{Build, BuildUnit, Pull};
        matches!(plan.steps[index].operation, Build { .. } | BuildUnit { .. } | Pull { .. })
    };
    let touched: Vec<String> = plan.steps.iter().filter_map(|step| changed_unit(&step.operation)).cloned().collect();
    loop {
        for (index, step) in plan.steps.iter().enumerate() {
            if begun[index] || !step.after.iter().all(|earlier| done[*earlier]) {
                continue;
            }
            begun[index] = true;
            if let Some(unit) = started_unit(&step.operation) {
                executed.started.push(unit.clone());
                started_at.insert(unit.clone(), Instant::now());
            }
            emitter.emit(Event::StepStarted { index, step: step.clone() });
            let began = Instant::now();
            running.push(async move { (index, began.elapsed_after(perform(step, index, effects, emitter)).await) });
        }
        if running.is_empty() {
            return (executed, Ok(()));
        }
        let started: Vec<String> = (0..plan.steps.len())
            .filter(|index| done[*index])
            .filter_map(|index| started_unit(&plan.steps[index].operation).cloned())
            .collect();
        let building = (0..plan.steps.len()).any(|index| is_build(index) && begun[index] && !done[index]);
        let (index, (outcome, elapsed)) = tokio::select! {
            // An ended step counts, even if the deadline passes at the same moment.
            biased;
            Some(ended) = running.next() => ended,
            () = cancel.cancelled() => {
                end_starts(plan, &begun, &mut done, &mut running).await;
                return (executed, Err(Error::Cancelled));
            }
            () = &mut expiry, if !building => {
                let waiting = (0..plan.steps.len()).find(|index| begun[*index] && !done[*index]);
                let error = late(plan, waiting, deadline, emitter);
                end_starts(plan, &begun, &mut done, &mut running).await;
                return (executed, Err(error));
            }
            // Without this arm, a step that waits for the unit would wait until the deadline, and be reported instead.
            error = effects.lost(&started, &touched) => {
                end_starts(plan, &begun, &mut done, &mut running).await;
                return (executed, Err(error));
            }
        };
        let step = plan.steps[index].clone();
        if let Err(error) = outcome {
            emitter.emit(Event::StepFailed { index, step, error: error.to_string() });
            done[index] = true;
            end_starts(plan, &begun, &mut done, &mut running).await;
            return (executed, Err(error));
        }
        done[index] = true;
        if is_build(index) {
            expiry.as_mut().reset(tokio::time::Instant::now() + deadline);
        }
        if let Operation::AwaitReady { unit } = &step.operation
            && let Some(start) = started_at.get(unit)
        {
            executed.ready_after.insert(unit.clone(), start.elapsed());
        }
        emitter.emit(Event::StepFinished { index, step, elapsed_ms: millis(elapsed) });
    }
}

/// Waits for the starts that have begun: an engine finishes a request even if the caller stops waiting, and the units must
/// exist before this run is taken down.
async fn end_starts<S>(plan: &Plan, begun: &[bool], done: &mut [bool], running: &mut S)
where
    S: futures_util::Stream<Item = (usize, (Result<(), Error>, Duration))> + Unpin,
{
    let is_start = |index: usize| started_unit(&plan.steps[index].operation).is_some();
    let ending = async {
        while (0..done.len()).any(|index| is_start(index) && begun[index] && !done[index]) {
            match running.next().await {
                Some((index, _)) => done[index] = true,
                None => return,
            }
        }
    };
    let _ = tokio::time::timeout(STARTS_END_WITHIN, ending).await;
}

fn started_unit(operation: &Operation) -> Option<&String> {
    match operation {
        Operation::StartUnit { unit } | Operation::ReplaceUnit { unit } | Operation::RestartUnit { unit } => Some(unit),
        _ => None,
    }
}

fn changed_unit(operation: &Operation) -> Option<&String> {
    match operation {
        Operation::StopUnit { unit } => Some(unit),
        other => started_unit(other),
    }
}

trait Timed {
    async fn elapsed_after<T>(self, work: impl Future<Output = T>) -> (T, Duration);
}

impl Timed for Instant {
    async fn elapsed_after<T>(self, work: impl Future<Output = T>) -> (T, Duration) {
        let outcome = work.await;
        (outcome, self.elapsed())
    }
}

async fn perform(step: &Step, index: usize, effects: &impl Effects, emitter: &Emitter) -> Result<(), Error> {
    match &step.operation {
        Operation::Build { packages } => {
            let progress = |line| emitter.emit(Event::StepProgress { index, unit: None, line });
            effects.build(packages, progress).await
        }
        Operation::BuildUnit { unit } => {
            let progress = |line| emitter.emit(Event::StepProgress { index, unit: Some(unit.clone()), line });
            effects.build_unit(unit, progress).await
        }
        Operation::Pull { image } => {
            let progress = |line| emitter.emit(Event::StepProgress { index, unit: None, line });
            effects.pull(image, progress).await
        }
        Operation::StartUnit { unit } | Operation::ReplaceUnit { unit } => effects.start(unit).await,
        Operation::RestartUnit { unit } => effects.restart(unit).await,
        Operation::StopUnit { unit } => effects.stop(unit).await,
        Operation::AwaitReady { unit } => {
            let progress = |line| emitter.emit(Event::StepProgress { index, unit: None, line });
            effects.await_ready(unit, progress).await
        }
        Operation::EndLeftover { unit, .. } => effects.end_leftover(unit).await,
        Operation::Ensure(resource) => effects.ensure(resource).await,
        Operation::Seed(resource) => effects.seed(resource).await,
    }
}

fn late(plan: &Plan, waiting: Option<usize>, after: Duration, emitter: &Emitter) -> Error {
    let Some(index) = waiting else {
        return Error::Deadline { waiting_for: "the environment".to_owned(), unit: None, after, log: Vec::new() };
    };
    let step = plan.steps[index].clone();
    let unit = match &step.operation {
        Operation::AwaitReady { unit } => Some(unit.clone()),
        other => started_unit(other).cloned(),
    };
    let waiting_for = step.operation.to_string();
    emitter.emit(Event::StepFailed { index, step, error: "not done before the deadline".to_owned() });
    Error::Deadline { waiting_for, unit, after, log: Vec::new() }
}

#[cfg(test)]
mod tests {
    use devenv_runtime::Error as RuntimeError;
    use std::sync::Mutex;

    use devenv_model::artifact::{Artifact, CommandArtifact};
    use devenv_model::manifest::StartOrder;
    use devenv_model::observed::Observed;
    use devenv_model::plan::Cause;
    use devenv_model::reconcile::{Desired, DesiredUnit, reconcile};
    use devenv_model::resource::ResourceId;
    use devenv_model::unit::EMULATOR;

    use super::*;

    /// Does each operation in a fixed time of a paused clock, and fails or hangs at the named operations.
    #[derive(Default)]
    struct Fake {
        log: Mutex<Vec<String>>,
        fails: Option<&'static str>,
        hangs: Option<&'static str>,
        /// A unit that ends a second after its start.
        dies: Option<&'static str>,
        /// Milliseconds.
        build_takes: u64,
    }

    impl Fake {
        async fn act(&self, what: String, milliseconds: u64) -> Result<(), Error> {
            if self.hangs == Some(what.as_str()) {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            self.log.lock().expect("not poisoned").push(what.clone());
            if self.fails == Some(what.as_str()) {
                return Err(
                    RuntimeError::UnitFailed { unit: what, cause: "told to".to_owned(), log: Vec::new() }.into()
                );
            }
            Ok(())
        }
    }

    impl Effects for Fake {
        async fn build(&self, _: &[String], progress: impl Fn(String) + Send + Sync) -> Result<(), Error> {
            progress("Compiling api".to_owned());
            self.act("build".to_owned(), self.build_takes).await
        }
        async fn build_unit(&self, unit: &str, progress: impl Fn(String) + Send + Sync) -> Result<(), Error> {
            progress("Step 1".to_owned());
            self.act(format!("build {unit}"), self.build_takes).await
        }
        async fn pull(&self, image: &str, _: impl Fn(String) + Send + Sync) -> Result<(), Error> {
            self.act(format!("pull {image}"), self.build_takes).await
        }
        async fn start(&self, unit: &str) -> Result<(), Error> {
            self.act(format!("start {unit}"), 1).await
        }
        async fn restart(&self, unit: &str) -> Result<(), Error> {
            self.act(format!("restart {unit}"), 1).await
        }
        async fn stop(&self, unit: &str) -> Result<(), Error> {
            self.act(format!("stop {unit}"), 1).await
        }
        async fn await_ready(&self, unit: &str, _: impl Fn(String) + Send + Sync) -> Result<(), Error> {
            self.act(format!("ready {unit}"), 10).await
        }
        async fn lost(&self, started: &[String], _: &[String]) -> Error {
            match self.dies.filter(|unit| started.iter().any(|started| started == unit)) {
                Some(unit) => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    RuntimeError::UnitFailed { unit: unit.to_owned(), cause: "it ended".to_owned(), log: Vec::new() }
                        .into()
                }
                None => std::future::pending().await,
            }
        }
        async fn end_leftover(&self, unit: &str) -> Result<(), Error> {
            self.act(format!("end {unit}"), 1).await
        }
        async fn ensure(&self, resource: &ResourceId) -> Result<(), Error> {
            self.act(format!("ensure {resource}"), 5).await
        }
        async fn seed(&self, resource: &ResourceId) -> Result<(), Error> {
            self.act(format!("seed {resource}"), 5).await
        }
    }

    fn program() -> Artifact {
        Artifact::Command(CommandArtifact::default())
    }

    fn unit(name: &str, artifact: Artifact) -> DesiredUnit {
        DesiredUnit {
            name: name.to_owned(),
            service: name.to_owned(),
            config_hash: String::new(),
            artifact,
            depends_on: Vec::new(),
            start: StartOrder::AfterTables,
            is_one_shot: false,
            runs_again: false,
        }
    }

    fn plan() -> Plan {
        let desired = Desired {
            units: vec![unit(EMULATOR, program()), unit("api", Artifact::Cargo { package: "api".to_owned() })],
            known: vec![EMULATOR.to_owned(), "api".to_owned()],
            resources: vec![ResourceId::table("orders")],
            seeds: vec![(ResourceId::table("orders"), 1)],
            ..Desired::default()
        };
        let observed = Observed { stale: [("api".to_owned(), "changed".to_owned())].into(), ..Observed::default() };
        reconcile(&desired, &observed).expect("no table differs")
    }

    async fn run(fake: &Fake, cancel: &Cancel) -> (Executed, Result<(), Error>, Vec<Event>) {
        let (emitter, mut events) = Emitter::channel();
        let (executed, outcome) = execute(&plan(), fake, &emitter, Duration::from_mins(1), cancel).await;
        drop(emitter);
        let mut seen = Vec::new();
        while let Some(event) = events.recv().await {
            seen.push(event);
        }
        (executed, outcome, seen)
    }

    #[tokio::test(start_paused = true)]
    async fn the_build_runs_beside_the_emulator_and_its_tables() {
        let fake = Fake { build_takes: 100, ..Fake::default() };
        let before = tokio::time::Instant::now();
        let (executed, outcome, _) = run(&fake, &Cancel::channel().1).await;
        outcome.expect("nothing fails");
        // 100 ms of build, then 1 of start and 10 of probing; tables and seed fit into the build's time.
        assert_eq!(before.elapsed(), Duration::from_millis(111));
        assert_eq!(executed.started, [EMULATOR, "api"]);
        let log = fake.log.lock().expect("not poisoned").join(", ");
        assert_eq!(
            log,
            "start emulator, ready emulator, ensure table orders, seed table orders, build, start api, ready api"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_ends_the_run_and_starts_nothing_more() {
        let fake = Fake { fails: Some("ensure table orders"), ..Fake::default() };
        let (executed, outcome, events) = run(&fake, &Cancel::channel().1).await;
        assert!(matches!(outcome, Err(Error::Runtime(RuntimeError::UnitFailed { .. }))));
        assert_eq!(executed.started, [EMULATOR]);
        assert!(matches!(events.last(), Some(Event::StepFailed { step, .. })
            if step.cause == Cause::EmulatorStarts));
    }

    #[tokio::test(start_paused = true)]
    async fn a_start_that_has_begun_is_waited_for_before_the_run_ends() {
        let api = unit("api", Artifact::Image { reference: "absent:1".to_owned() });
        let desired = Desired {
            units: vec![unit(EMULATOR, program()), DesiredUnit { start: StartOrder::AtOnce, ..api }],
            known: vec![EMULATOR.to_owned(), "api".to_owned()],
            ..Desired::default()
        };
        let observed = Observed { absent_images: ["absent:1".to_owned()].into(), ..Observed::default() };
        let plan = reconcile(&desired, &observed).expect("no table differs");
        let fake = Fake { fails: Some("pull absent:1"), ..Fake::default() };
        let (emitter, _events) = Emitter::channel();
        let (_, cancel) = Cancel::channel();
        let (_, outcome) = execute(&plan, &fake, &emitter, Duration::from_mins(1), &cancel).await;
        assert!(outcome.is_err());
        let log = fake.log.lock().expect("not poisoned").join(", ");
        assert_eq!(log, "pull absent:1, start emulator");
    }

    #[tokio::test(start_paused = true)]
    async fn units_are_built_side_by_side_and_each_line_has_its_unit() {
        let built = CommandArtifact { build: Some(Vec::new()), ..CommandArtifact::default() };
        let units = ["api", "web"].map(|name| unit(name, Artifact::Command(built.clone()))).into();
        let desired = Desired { units, known: vec!["api".to_owned(), "web".to_owned()], ..Desired::default() };
        let stale_units = ["api", "web"].map(|name| (name.to_owned(), "not built yet".to_owned())).into();
        let plan = reconcile(&desired, &Observed { stale_units, ..Observed::default() }).expect("no conflict");
        let fake = Fake { build_takes: 600_000, ..Fake::default() };
        let (emitter, mut events) = Emitter::channel();
        let (_, cancel) = Cancel::channel();
        let before = tokio::time::Instant::now();
        let (_, outcome) = execute(&plan, &fake, &emitter, Duration::from_mins(1), &cancel).await;
        outcome.expect("a build may take longer than the deadline");
        assert!(before.elapsed() < Duration::from_mins(11), "{:?}", before.elapsed());
        drop(emitter);
        let mut built = Vec::new();
        while let Ok(event) = events.try_recv() {
            if let Event::StepProgress { unit, .. } = event {
                built.push(unit.expect("the step is of one unit"));
            }
        }
        assert_eq!(built, ["api", "web"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_build_may_take_longer_than_the_deadline() {
        let fake = Fake { build_takes: 600_000, ..Fake::default() };
        let (_, outcome, _) = run(&fake, &Cancel::channel().1).await;
        outcome.expect("only readiness has a deadline");
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_names_the_step_it_waited_for() {
        let fake = Fake { hangs: Some("ready api"), ..Fake::default() };
        let (_, outcome, _) = run(&fake, &Cancel::channel().1).await;
        assert!(matches!(outcome, Err(Error::Deadline { unit: Some(unit), .. }) if unit == "api"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_unit_that_dies_while_another_is_awaited_is_named_at_once() {
        let fake = Fake { hangs: Some("ready api"), dies: Some(EMULATOR), ..Fake::default() };
        let before = tokio::time::Instant::now();
        let (_, outcome, _) = run(&fake, &Cancel::channel().1).await;
        assert!(matches!(outcome, Err(Error::Runtime(RuntimeError::UnitFailed { unit, .. })) if unit == EMULATOR));
        assert!(before.elapsed() < Duration::from_secs(2), "the deadline is a minute");
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancellation_ends_the_run() {
        let fake = Fake { hangs: Some("ready api"), ..Fake::default() };
        let (canceller, cancel) = Cancel::channel();
        canceller.cancel();
        let (_, outcome, _) = run(&fake, &cancel).await;
        assert!(matches!(outcome, Err(Error::Cancelled)));
    }
}
