//! A scheduler of containers, as far as a promotion sees it. The state of a service is a function of the time since its last
//! order, computed at each look.

use std::collections::BTreeMap;
use std::time::Duration;

use devenv_releases::ecs::{Deployment, Rollout, ServiceState, TaskContainer, TaskState};
use tokio::time::Instant;

/// From the order to the first running task.
const STARTS: Duration = Duration::from_secs(1);
/// From the order until the older tasks are gone and the deployment reads as completed.
const COMPLETES: Duration = Duration::from_secs(3);
/// The life of a crashing task.
const CRASHES: Duration = Duration::from_secs(1);
/// The number of crashes after which the circuit breaker ends the deployment.
const BREAKER: u32 = 3;

/// The behaviour of an image's tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Behaviour {
    #[default]
    Good,
    /// Each task ends at once with exit code 3, and the circuit breaker returns to the deployment before.
    Crashes,
    /// No task ever runs.
    Hangs,
}

/// A container that AWS adds to every task, such as a monitoring agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sidecar {
    pub name: String,
    pub digest: String,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Ecs {
    /// Task definitions by family, the newest last.
    pub(crate) definitions: BTreeMap<String, Vec<Definition>>,
    /// Services by `CLUSTER/NAME`.
    pub(crate) services: BTreeMap<String, Service>,
    /// Behaviours by image digest.
    pub(crate) behaviours: BTreeMap<String, Behaviour>,
    pub(crate) sidecar: Option<Sidecar>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Definition {
    pub(crate) arn: String,
    pub(crate) container: String,
    /// `REPOSITORY@sha256:...`.
    pub(crate) image: String,
}

impl Definition {
    pub(crate) fn digest(&self) -> &str {
        self.image.split_once('@').map_or("", |(_, digest)| digest)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Service {
    name: String,
    desired: u32,
    current: Ordered,
    /// Older deployments whose tasks still run.
    earlier: Option<Definition>,
    failed: Vec<Definition>,
    ended: Vec<TaskState>,
}

#[derive(Debug, Clone)]
struct Ordered {
    definition: Definition,
    since: Instant,
    rollout: Rollout,
}

impl Ordered {
    fn now(definition: Definition) -> Self {
        Self { definition, since: Instant::now(), rollout: Rollout::InProgress }
    }

    fn has_started(&self) -> bool {
        self.rollout == Rollout::Completed || self.since.elapsed() >= STARTS
    }
}

impl Ecs {
    pub(crate) fn register(&mut self, family: &str, container: &str, image: &str) -> String {
        let revisions = self.definitions.entry(family.to_owned()).or_default();
        let arn = format!("arn:aws:ecs:eu-west-1:000000000000:task-definition/{family}:{}", revisions.len() + 1);
        revisions.push(Definition { arn: arn.clone(), container: container.to_owned(), image: image.to_owned() });
        arn
    }

    /// A task definition by name and revision, or the newest of a family.
    pub(crate) fn definition(&self, name: &str) -> Option<&Definition> {
        self.definitions
            .get(name)
            .and_then(|revisions| revisions.last())
            .or_else(|| self.definitions.values().flatten().find(|definition| definition.arn.ends_with(name)))
    }

    /// Creates the service, or changes its task definition and keeps its number of tasks.
    pub(crate) fn update(&mut self, cluster: &str, name: &str, definition: &str) {
        let definition = self.definition(definition).expect("a registered task definition").clone();
        match self.looked_at(cluster, name) {
            Some(service) => service.run(definition),
            None => {
                let service = Service {
                    name: name.to_owned(),
                    desired: 1,
                    current: Ordered::now(definition),
                    earlier: None,
                    failed: Vec::new(),
                    ended: Vec::new(),
                };
                self.services.insert(format!("{cluster}/{name}"), service);
            }
        }
    }

    pub(crate) fn scale(&mut self, cluster: &str, name: &str, tasks: u32) -> bool {
        let service = self.looked_at(cluster, name);
        service.map(|service| service.desired = tasks).is_some()
    }

    pub(crate) fn state(&mut self, cluster: &str, name: &str) -> Option<ServiceState> {
        let behaviours = self.behaviours.clone();
        self.looked_at(cluster, name).map(|service| service.state(&behaviours))
    }

    pub(crate) fn tasks(&mut self, cluster: &str, name: &str) -> Option<Vec<TaskState>> {
        let (behaviours, sidecar) = (self.behaviours.clone(), self.sidecar.clone());
        self.looked_at(cluster, name).map(|service| service.tasks(&behaviours, sidecar.as_ref()))
    }

    /// The task definition that a service should run.
    pub(crate) fn told(&mut self, cluster: &str, name: &str) -> Option<Definition> {
        self.looked_at(cluster, name).map(|service| service.current.definition.clone())
    }

    /// A service in its state at this moment.
    fn looked_at(&mut self, cluster: &str, name: &str) -> Option<&mut Service> {
        let service = self.services.get_mut(&format!("{cluster}/{name}"))?;
        let behaviour = self.behaviours.get(service.current.definition.digest()).copied().unwrap_or_default();
        service.age(behaviour);
        Some(service)
    }

    /// Completes every rollout.
    pub(crate) fn settle(&mut self) {
        for service in self.services.values_mut() {
            let behaviour = self.behaviours.get(service.current.definition.digest()).copied().unwrap_or_default();
            if behaviour == Behaviour::Good {
                (service.current.rollout, service.earlier) = (Rollout::Completed, None);
            }
        }
    }
}

impl Service {
    fn run(&mut self, definition: Definition) {
        if self.current.definition == definition {
            return;
        }
        let before = std::mem::replace(&mut self.current, Ordered::now(definition));
        if before.rollout == Rollout::Completed {
            self.earlier = Some(before.definition);
        }
    }

    fn age(&mut self, behaviour: Behaviour) {
        let elapsed = self.current.since.elapsed();
        match behaviour {
            Behaviour::Good if self.current.rollout == Rollout::InProgress && elapsed >= COMPLETES => {
                self.current.rollout = Rollout::Completed;
                self.earlier = None;
            }
            Behaviour::Crashes if self.current.rollout == Rollout::InProgress => {
                let definition = self.current.definition.clone();
                let seen = self.ended.iter().filter(|task| task.task_definition == definition.arn).count();
                let ends = u32::try_from(elapsed.as_secs() / CRASHES.as_secs()).unwrap_or(BREAKER).min(BREAKER);
                self.ended.extend((seen..ends as usize).map(|number| ended(&definition, number)));
                if ends == BREAKER {
                    self.break_off();
                }
            }
            _ => {}
        }
    }

    fn break_off(&mut self) {
        match self.earlier.take() {
            Some(earlier) => {
                let failed = std::mem::replace(&mut self.current, Ordered::now(earlier));
                self.failed.push(failed.definition);
            }
            None => self.current.rollout = Rollout::Failed,
        }
    }

    /// The running tasks of the current deployment.
    fn running(&self, behaviours: &BTreeMap<String, Behaviour>) -> u32 {
        let behaviour = behaviours.get(self.current.definition.digest()).copied().unwrap_or_default();
        if behaviour == Behaviour::Good && self.current.has_started() { self.desired } else { 0 }
    }

    fn state(&self, behaviours: &BTreeMap<String, Behaviour>) -> ServiceState {
        let deployment = |definition: &Definition, primary, rollout, desired, running| Deployment {
            task_definition: definition.arn.clone(),
            primary,
            rollout,
            reason: if rollout == Rollout::Failed { "tasks failed to start".to_owned() } else { String::new() },
            desired,
            running,
        };
        let current = &self.current;
        let running = self.running(behaviours);
        let mut deployments = vec![deployment(&current.definition, true, current.rollout, self.desired, running)];
        let earlier = self.earlier.iter();
        deployments
            .extend(earlier.map(|earlier| deployment(earlier, false, Rollout::Completed, self.desired, self.desired)));
        deployments.extend(self.failed.iter().map(|failed| deployment(failed, false, Rollout::Failed, 0, 0)));
        let task_definition = current.definition.arn.clone();
        ServiceState { name: self.name.clone(), task_definition, desired: self.desired, deployments }
    }

    fn tasks(&self, behaviours: &BTreeMap<String, Behaviour>, sidecar: Option<&Sidecar>) -> Vec<TaskState> {
        let current = (0..self.running(behaviours)).map(|number| task(&self.current.definition, number, sidecar));
        let earlier = self.earlier.iter();
        let earlier = earlier.flat_map(|earlier| (0..self.desired).map(move |number| task(earlier, number, sidecar)));
        current.chain(earlier).chain(self.ended.iter().cloned()).collect()
    }
}

fn task(definition: &Definition, number: u32, sidecar: Option<&Sidecar>) -> TaskState {
    let container = |name: &str, digest: &str| TaskContainer {
        name: name.to_owned(),
        digest: Some(digest.to_owned()),
        exit_code: None,
        reason: String::new(),
    };
    let mut containers = vec![container(&definition.container, definition.digest())];
    containers.extend(sidecar.map(|sidecar| container(&sidecar.name, &sidecar.digest)));
    TaskState {
        id: format!("{}-{number}", definition.arn.rsplit(':').next().unwrap_or_default()),
        task_definition: definition.arn.clone(),
        runs: true,
        stopped_reason: String::new(),
        containers,
    }
}

fn ended(definition: &Definition, number: usize) -> TaskState {
    let mut task = task(definition, u32::try_from(number).unwrap_or(u32::MAX), None);
    task.runs = false;
    "Essential container in task exited".clone_into(&mut task.stopped_reason);
    task.containers[0].exit_code = Some(3);
    task
}
