//! One command on a world, and what can be seen of the world afterwards.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use devenv_containers::engine::ContainerEngines;
use devenv_containers::host::ContainerHosts;
use devenv_fakes::{FakeAccount, FakeEngine, FakeIdentity, FakeTerraform, Fault, Faults};
use devenv_model::event::Event;
use devenv_processes::host::ProcessHost;
use devenv_promotion::{
    self as promotion, EmulatedLogin, Error, PromoteOptions, Promoted, PromotionOptions, PromotionTools,
    RecordedEvidence, RollbackOptions,
};
use devenv_releases::record::Record;
use devenv_runtime::{Cancel, Emitter, Project, ProjectOptions};

use tokio::sync::mpsc::UnboundedReceiver;

use crate::outside::{Answers, FakeClock, FakeClouds, FakeProbe, FakeTerraforms, YES};
use crate::standing::{Standing, edition, owner};
use crate::world::{ACCOUNT, World, digest, image};

/// Of tokio's clock. Whatever has not ended then never does.
const PATIENCE: Duration = Duration::from_hours(3);
/// Of the real clock.
const FORKS: Duration = Duration::from_secs(5);
/// After which nothing goes on any more.
const SETTLES: Duration = Duration::from_hours(1);

/// In place of an exit code.
pub(crate) const HANGS: u8 = u8::MAX;

/// How a command ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Done(Box<Promoted>),
    Failed(Box<Error>),
    Killed,
    Hangs,
}

impl Ended {
    /// The exit code; `None` of a command that was killed.
    pub(crate) fn code(&self) -> Option<u8> {
        match self {
            Self::Done(_) => Some(0),
            Self::Failed(error) => Some(crate::report::describe(error).1 as u8),
            Self::Killed => None,
            Self::Hangs => Some(HANGS),
        }
    }
}

/// The error of a command that must fail.
pub(crate) fn error(ended: Ended) -> Error {
    match ended {
        Ended::Failed(error) => *error,
        other => panic!("it did not fail: {other:?}"),
    }
}

/// What is asked for.
enum Order {
    Promote,
    Plan,
    /// To this release, or to the one before.
    RollBack(Option<String>),
}

/// A machine at which somebody promotes.
pub(crate) struct Machine<'a> {
    world: &'a World,
    pub(crate) clock: FakeClock,
    /// An edition that runs and does not answer.
    mute: Option<u32>,
    /// The target.
    environment: &'static str,
    pub(crate) engine: FakeEngine,
    pub(crate) identity: FakeIdentity,
    /// Every login to an emulator.
    pub(crate) logins: Arc<Mutex<Vec<EmulatedLogin>>>,
    terraform: FakeTerraform,
    answers: Answers,
    cancel: Cancel,
    /// The notices and questions so far.
    pub(crate) notices: Arc<Mutex<Vec<String>>>,
}

impl<'a> Machine<'a> {
    pub(crate) fn new(world: &'a World, edition: u32, time: &str) -> Self {
        world.prove(edition);
        let clock = FakeClock::at(time.parse().expect("a time"));
        let terraform =
            FakeTerraform::new(world.objects.clone(), world.services.clone(), world.terraform_faults.clone(), &owner());
        Self {
            world,
            clock,
            mute: None,
            environment: "dev",
            engine: FakeEngine::new(Faults::default()).with_image("web:1", &image(edition)),
            identity: FakeIdentity::new(world.faults.clone(), ACCOUNT),
            logins: Arc::default(),
            terraform,
            answers: YES,
            cancel: Cancel::never(),
            notices: Arc::default(),
        }
    }

    /// Somebody promotes to another target here.
    pub(crate) fn to(self, environment: &'static str) -> Self {
        Self { environment, ..self }
    }

    /// Its engine is this one.
    pub(crate) fn on(self, engine: FakeEngine) -> Self {
        Self { engine, ..self }
    }

    pub(crate) fn answering(self, answers: Answers) -> Self {
        Self { answers, ..self }
    }

    /// Somebody presses Ctrl-C when the command makes this call.
    pub(crate) fn interrupted_at(self, call: &str) -> Self {
        let (canceller, cancel) = Cancel::channel();
        self.world.faults.on(call, 1, Fault::after(move || canceller.cancel()));
        Self { cancel, ..self }
    }

    /// The plans of its Terraform change this resource too.
    pub(crate) fn changing(self, resource: serde_json::Value) -> Self {
        Self { terraform: self.terraform.changing(resource), ..self }
    }

    pub(crate) fn with_mute(self, edition: u32) -> Self {
        Self { mute: Some(edition), ..self }
    }

    pub(crate) fn options(&self) -> PromotionOptions {
        let world = self.world;
        let probe = FakeProbe {
            services: world.services.clone(),
            cluster: format!("shop-{}", self.environment),
            mute: self.mute.map(digest),
            faults: world.faults.clone(),
        };
        let engines: Arc<dyn ContainerEngines> = Arc::new(self.engine.clone());
        let project = ProjectOptions {
            directory: world.repository.path().to_owned(),
            compose: devenv_runtime::ComposeOptions::default(),
            state_dir: Some(world.state()),
            ephemeral: false,
            runtimes: Arc::new(ContainerHosts::new(engines.clone(), Arc::new(ProcessHost))),
        };
        let (objects, registry, services) = (world.objects.clone(), world.registry.clone(), world.services.clone());
        let clouds = FakeClouds {
            identity: self.identity.clone(),
            account: FakeAccount::new(objects.clone(), registry.clone(), services.clone(), world.faults.clone()),
            objects,
            registry,
            abroad: world.abroad.clone(),
            services,
            logins: self.logins.clone(),
        };
        let tools = PromotionTools {
            engines,
            clouds: Arc::new(clouds),
            terraforms: Arc::new(FakeTerraforms {
                terraform: self.terraform.clone(),
                faults: world.terraform_faults.clone(),
            }),
            probe: Arc::new(probe),
            clock: Arc::new(self.clock.clone()),
        };
        PromotionOptions { project, tools }
    }

    pub(crate) async fn promote(&self) -> Ended {
        self.run(&Order::Promote).await
    }

    pub(crate) async fn roll_back(&self) -> Ended {
        self.run(&Order::RollBack(None)).await
    }

    pub(crate) async fn roll_back_to(&self, release: &str) -> Ended {
        self.run(&Order::RollBack(Some(release.to_owned()))).await
    }

    pub(crate) async fn plan(&self) -> Ended {
        self.run(&Order::Plan).await
    }

    /// Records the evidence of its tests in the target's bucket.
    pub(crate) async fn record(&self) -> Result<RecordedEvidence, Error> {
        let (emitter, events) = Emitter::channel();
        self.listen(events);
        promotion::record_evidence(&self.options(), self.environment, &emitter, &Cancel::never()).await
    }

    /// Newest first.
    pub(crate) async fn records(&self) -> Result<Vec<Result<Record, Error>>, Error> {
        let (emitter, _events) = Emitter::channel();
        promotion::history(&self.options(), self.environment, 100, &emitter).await
    }

    /// The same, where every record can be read.
    pub(crate) async fn history(&self) -> Result<Vec<Record>, Error> {
        self.records().await?.into_iter().collect()
    }

    pub(crate) fn project(&self) -> Project {
        Project::load(&self.options().project).expect("its files are right")
    }

    /// The folder's lock may still be open in a child of another test that has not become git yet.
    async fn run(&self, order: &Order) -> Ended {
        let deadline = std::time::Instant::now() + FORKS;
        loop {
            match Box::pin(self.run_once(order)).await {
                Ended::Failed(error)
                    if matches!(
                        *error,
                        Error::Engine(devenv_engine::Error::Runtime(devenv_runtime::Error::Locked { .. }))
                    ) && std::time::Instant::now() < deadline =>
                {
                    std::thread::yield_now();
                }
                ended => return ended,
            }
        }
    }

    async fn run_once(&self, order: &Order) -> Ended {
        let (emitter, events) = Emitter::channel();
        let (faults, terraform) = (self.world.faults.clone(), self.world.terraform_faults.clone());
        self.listen(events);
        let options = self.options();
        let work = async {
            let (decider, cancel) = (&self.answers, &self.cancel);
            let environment = self.environment.to_owned();
            if let Order::RollBack(to) = order {
                let order = RollbackOptions { environment, to: to.clone() };
                return promotion::roll_back(&options, &order, decider, &emitter, cancel).await;
            }
            let order = PromoteOptions { environment, only_plan: matches!(order, Order::Plan) };
            promotion::promote(&options, &order, decider, &emitter, cancel).await
        };
        tokio::select! {
            biased;
            () = faults.killed() => Ended::Killed,
            () = terraform.killed() => Ended::Killed,
            () = tokio::time::sleep(PATIENCE) => Ended::Hangs,
            done = work => match done {
                Ok(promoted) => Ended::Done(Box::new(promoted)),
                Err(error) => Ended::Failed(Box::new(error)),
            },
        }
    }

    /// Puts the calls under the stages, and keeps the notices.
    fn listen(&self, mut events: UnboundedReceiver<Event>) {
        let marks = [self.world.faults.clone(), self.world.terraform_faults.clone()];
        let notices = self.notices.clone();
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                let mark = match event {
                    Event::StageStarted { stage } => stage,
                    Event::StageFinished { stage, .. } => format!("after {stage}"),
                    Event::StageFailed { stage, .. } => format!("failed {stage}"),
                    Event::Notice { message: text } | Event::Question { text } => {
                        notices.lock().expect("no test panicked").push(text);
                        continue;
                    }
                    _ => continue,
                };
                for faults in &marks {
                    faults.mark(&mark);
                }
            }
        });
    }

    /// What is live when nothing goes on any more.
    pub(crate) async fn standing(&self) -> Standing {
        self.world.faults.clear();
        self.world.terraform_faults.clear();
        tokio::time::sleep(SETTLES).await;
        let running = self
            .world
            .services
            .live(&format!("shop-{}", self.environment), "web")
            .iter()
            .map(|live| edition(live))
            .collect();
        let planned = match self.run(&Order::Plan).await {
            Ended::Done(planned) => planned.proposal.expect("a plan proposes"),
            other => panic!("a plan without faults must come to its end: {other:?}"),
        };
        let recorded = planned.images[0].from.as_deref().map(edition);
        Standing { running, recorded, planned_is_empty: planned.is_empty }
    }
}

/// Runs on a clock of its own, which goes on by itself whenever everything waits for it.
pub(crate) fn on_paused_clock<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(work)
}

/// For what another thread answers: a paused clock would not wait for it.
pub(crate) fn on_real_clock<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work)
}
