//! The services of a cluster of ECS, and their rollouts.

use std::collections::BTreeMap;

use devenv_releases::ecs::{Wanted, ended, view};
use devenv_releases::rollout::{ContainerEnd, RolloutView};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::cloud::{CloudError, DefinedContainer, LogPlace, Services, TaskDefinition};
use crate::delivery::{Rollout, Scheduler};
use crate::patience::answer;

const LOG_TAIL: u16 = 20;

/// A cluster of ECS.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ecs<'a> {
    pub(crate) services: &'a dyn Services,
    pub(crate) cluster: &'a str,
}

impl Scheduler for Ecs<'_> {
    fn rollout<'a>(
        &'a self,
        service: &'a str,
        definition: &'a str,
        digest: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn Rollout + 'a>, CloudError>> {
        async move {
            let definition = self.services.task_definition(definition).await?;
            Ok(Box::new(EcsRollout::new(*self, service, definition, digest)) as Box<dyn Rollout>)
        }
        .boxed()
    }

    fn desired<'a>(&'a self, service: &'a str) -> BoxFuture<'a, Result<Option<u32>, CloudError>> {
        async move { Ok(self.services.service(self.cluster, service).await?.map(|state| state.desired)) }.boxed()
    }

    fn scale<'a>(&'a self, service: &'a str, instances: u32) -> BoxFuture<'a, Result<(), CloudError>> {
        self.services.scale(self.cluster, service, instances)
    }
}

/// A service of ECS and the task definition that it should run.
struct EcsRollout<'a> {
    ecs: Ecs<'a>,
    service: &'a str,
    wanted: Wanted,
    containers: BTreeMap<String, DefinedContainer>,
}

impl<'a> EcsRollout<'a> {
    fn new(ecs: Ecs<'a>, service: &'a str, definition: TaskDefinition, digest: &str) -> Self {
        let TaskDefinition { arn, containers } = definition;
        let named = |is_such: &dyn Fn(&DefinedContainer) -> bool| {
            containers.iter().filter(|(_, container)| is_such(container)).map(|(name, _)| name.clone()).collect()
        };
        let is_ours = |container: &DefinedContainer| container.image.ends_with(&format!("@{digest}"));
        let wanted = Wanted {
            task_definition: arn,
            containers: named(&is_ours),
            essential: named(&|container| container.essential || is_ours(container)),
            digest: digest.to_owned(),
        };
        Self { ecs, service, wanted, containers }
    }
}

impl Rollout for EcsRollout<'_> {
    fn view(&self) -> BoxFuture<'_, Result<Option<RolloutView>, CloudError>> {
        async {
            let Ecs { services, cluster } = self.ecs;
            let Some(state) = answer(services.service(cluster, self.service)).await? else {
                return Ok(None);
            };
            let tasks = answer(services.tasks(cluster, self.service)).await?;
            let ends = ended(&self.wanted, &tasks);
            let running: Vec<_> = tasks.into_iter().filter(|task| task.runs).collect();
            Ok(Some(view(&self.wanted, &state, &running, ends)))
        }
        .boxed()
    }

    fn log<'a>(&'a self, end: &'a ContainerEnd) -> BoxFuture<'a, Vec<String>> {
        async {
            let container = self.containers.get(&end.container);
            let Some((group, prefix)) = container.and_then(|container| container.log.as_ref()) else {
                return Vec::new();
            };
            let stream = format!("{prefix}/{}/{}", end.container, end.task);
            let place = LogPlace { group: group.clone(), stream };
            answer(self.ecs.services.log(&place, LOG_TAIL)).await.unwrap_or_default()
        }
        .boxed()
    }
}
