use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use devenv_cloud::{CloudError, CloudErrorKind, DefinedContainer, LogPlace, Services, TaskDefinition};
use devenv_releases::ecs::{ServiceState, TaskState};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::Faults;
use crate::ecs::{Behaviour, Definition, Ecs, Sidecar};

/// Services whose rollouts take seconds of tokio's clock.
#[derive(Debug, Clone)]
pub struct FakeServices {
    ecs: Arc<Mutex<Ecs>>,
    faults: Faults,
}

impl FakeServices {
    pub fn new(faults: Faults) -> Self {
        Self { ecs: Arc::default(), faults }
    }

    /// Another client of the same services, with faults of its own.
    #[must_use]
    pub fn client(&self, faults: Faults) -> Self {
        Self { ecs: self.ecs.clone(), faults }
    }

    /// A copy of these services with every rollout completed, and with faults of its own.
    #[must_use]
    pub fn copied(&self, faults: Faults) -> Self {
        let mut ecs = self.lock().clone();
        ecs.settle();
        Self { ecs: Arc::new(Mutex::new(ecs)), faults }
    }

    /// Sets the behaviour of an image's tasks, by its digest. The default is good.
    pub fn behaves(&self, digest: &str, behaviour: Behaviour) {
        self.lock().behaviours.insert(digest.to_owned(), behaviour);
    }

    /// Adds this container to every later task.
    pub fn add_sidecar(&self, sidecar: Sidecar) {
        self.lock().sidecar = Some(sidecar);
    }

    /// Registers a task definition of one container. Returns its name with its revision.
    pub fn register(&self, family: &str, container: &str, image: &str) -> String {
        self.lock().register(family, container, image)
    }

    /// Makes a service run a task definition; creates an absent service with one task.
    pub fn update(&self, cluster: &str, name: &str, definition: &str) {
        self.lock().update(cluster, name, definition);
    }

    /// Gives a service without tasks one.
    pub(crate) fn wake(&self, cluster: &str, name: &str) {
        let mut ecs = self.lock();
        if ecs.state(cluster, name).is_some_and(|service| service.desired == 0) {
            ecs.scale(cluster, name, 1);
        }
    }

    /// The task definition that a service should run, and its image.
    pub fn told(&self, cluster: &str, name: &str) -> Option<(String, String)> {
        self.lock().told(cluster, name).map(|definition| (definition.arn, definition.image))
    }

    /// The digests of the images that a service's tasks run now.
    pub fn live(&self, cluster: &str, name: &str) -> BTreeSet<String> {
        let mut ecs = self.lock();
        let named: BTreeMap<String, String> =
            ecs.definitions.values().flatten().map(|made| (made.arn.clone(), made.digest().to_owned())).collect();
        let tasks = ecs.tasks(cluster, name).unwrap_or_default().into_iter().filter(|task| task.runs);
        tasks.filter_map(|task| named.get(&task.task_definition).cloned()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Ecs> {
        self.ecs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed(action: String, cause: &str, kind: CloudErrorKind) -> CloudError {
    CloudError { action, cause: cause.to_owned(), kind }
}

fn described(definition: &Definition) -> TaskDefinition {
    let log = ("/fake".to_owned(), "task".to_owned());
    let container = DefinedContainer { image: definition.image.clone(), essential: true, log: Some(log) };
    TaskDefinition { arn: definition.arn.clone(), containers: [(definition.container.clone(), container)].into() }
}

impl Services for FakeServices {
    fn service<'a>(
        &'a self,
        cluster: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<ServiceState>, CloudError>> {
        self.faults.meet(format!("service {cluster}/{name}"), || Ok(self.lock().state(cluster, name))).boxed()
    }

    fn tasks<'a>(&'a self, cluster: &'a str, service: &'a str) -> BoxFuture<'a, Result<Vec<TaskState>, CloudError>> {
        let absent = move || {
            failed(format!("list the tasks of {service}"), "ServiceNotFoundException", CloudErrorKind::NotFound)
        };
        let look = move || self.lock().tasks(cluster, service).ok_or_else(absent);
        self.faults.meet(format!("tasks {cluster}/{service}"), look).boxed()
    }

    fn task_definition<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<TaskDefinition, CloudError>> {
        let absent =
            move || failed(format!("look at the task definition {name}"), "ClientException", CloudErrorKind::Other);
        let look = move || self.lock().definition(name).map(described).ok_or_else(absent);
        self.faults.meet(format!("task_definition {name}"), look).boxed()
    }

    fn scale<'a>(&'a self, cluster: &'a str, service: &'a str, tasks: u32) -> BoxFuture<'a, Result<(), CloudError>> {
        let absent = move || failed(format!("scale {service}"), "ServiceNotFoundException", CloudErrorKind::NotFound);
        let scale = move || self.lock().scale(cluster, service, tasks).then_some(()).ok_or_else(absent);
        self.faults.meet(format!("scale {cluster}/{service} {tasks}"), scale).boxed()
    }

    fn log<'a>(&'a self, place: &'a LogPlace, lines: u16) -> BoxFuture<'a, Result<Vec<String>, CloudError>> {
        let written = move || Ok((0..lines.min(1)).map(|_| "no configuration".to_owned()).collect());
        self.faults.meet(format!("log {}", place.stream), written).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use devenv_releases::ecs::Rollout;

    use super::*;

    async fn after(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    fn rollouts(state: &ServiceState) -> Vec<(bool, Rollout)> {
        state.deployments.iter().map(|deployment| (deployment.primary, deployment.rollout)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_good_rollout_replaces_what_ran() {
        let services = FakeServices::new(Faults::default());
        let first = services.register("shop-web", "web", "web@sha256:1");
        services.update("shop", "web", &first);
        after(5).await;
        assert_eq!(services.live("shop", "web"), ["sha256:1".to_owned()].into());
        let second = services.register("shop-web", "web", "web@sha256:2");
        services.update("shop", "web", &second);
        after(1).await;
        assert_eq!(services.live("shop", "web").len(), 2, "both run for a while");
        after(2).await;
        let state = services.service("shop", "web").await.expect("no fault").expect("it is there");
        assert_eq!((rollouts(&state), state.task_definition), (vec![(true, Rollout::Completed)], second));
        assert_eq!(services.live("shop", "web"), ["sha256:2".to_owned()].into());
    }

    #[tokio::test(start_paused = true)]
    async fn the_breaker_returns_to_what_ran() {
        let services = FakeServices::new(Faults::default());
        services.behaves("sha256:2", Behaviour::Crashes);
        for digest in ["sha256:1", "sha256:2"] {
            let definition = services.register("shop-web", "web", &format!("web@{digest}"));
            services.update("shop", "web", &definition);
            after(3).await;
            services.service("shop", "web").await.expect("no fault");
        }
        let state = services.service("shop", "web").await.expect("no fault").expect("it is there");
        assert_eq!(rollouts(&state), [(true, Rollout::InProgress), (false, Rollout::Failed)]);
        let ended = services.tasks("shop", "web").await.expect("no fault").into_iter().filter(|task| !task.runs);
        assert_eq!(ended.count(), 3);
    }
}
