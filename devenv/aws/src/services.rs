use aws_config::SdkConfig;
use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{Container, ContainerDefinition, DeploymentRolloutState, DesiredStatus, Service, Task};
use devenv_promotion::{CloudError, CloudErrorKind, DefinedContainer, LogPlace, Services, TaskDefinition};
use devenv_releases::ecs::{Deployment, Rollout, ServiceState, TaskContainer, TaskState};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::error::{failed, unless_absent};

/// The most tasks that one request may name.
const TASKS_AT_ONCE: usize = 100;

#[derive(Debug)]
pub(crate) struct Ecs {
    client: Client,
    logs: aws_sdk_cloudwatchlogs::Client,
}

impl Ecs {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config), logs: aws_sdk_cloudwatchlogs::Client::new(config) }
    }

    async fn list(&self, cluster: &str, service: &str, status: DesiredStatus) -> Result<Vec<Task>, CloudError> {
        let action = format!("list the tasks of {service}");
        let request = self.client.list_tasks().cluster(cluster).service_name(service).desired_status(status);
        let mut pages = request.into_paginator().items().send();
        let mut arns = Vec::new();
        while let Some(arn) = pages.next().await {
            arns.push(arn.map_err(failed(action.clone()))?);
        }
        let mut tasks = Vec::new();
        for arns in arns.chunks(TASKS_AT_ONCE) {
            let request = self.client.describe_tasks().cluster(cluster).set_tasks(Some(arns.to_vec()));
            let answer = request.send().await.map_err(failed(action.clone()))?;
            tasks.extend(answer.tasks.unwrap_or_default());
        }
        Ok(tasks)
    }
}

impl Services for Ecs {
    fn service<'a>(
        &'a self,
        cluster: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<ServiceState>, CloudError>> {
        async move {
            let answer = self.client.describe_services().cluster(cluster).services(name).send().await;
            let answer = unless_absent(answer.map_err(failed(format!("look at the service {name}"))))?;
            let found = answer.and_then(|answer| answer.services).unwrap_or_default().into_iter().next();
            Ok(found.filter(|service| service.status.as_deref() == Some("ACTIVE")).map(state))
        }
        .boxed()
    }

    fn tasks<'a>(&'a self, cluster: &'a str, service: &'a str) -> BoxFuture<'a, Result<Vec<TaskState>, CloudError>> {
        async move {
            let (running, stopped) = tokio::join!(
                self.list(cluster, service, DesiredStatus::Running),
                self.list(cluster, service, DesiredStatus::Stopped)
            );
            Ok(running?.into_iter().chain(stopped?).map(task).collect())
        }
        .boxed()
    }

    fn task_definition<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<TaskDefinition, CloudError>> {
        async move {
            let action = format!("look at the task definition {name}");
            let answer = self.client.describe_task_definition().task_definition(name).send().await;
            let definition = answer.map_err(failed(action.clone()))?.task_definition;
            let definition = definition.ok_or(CloudError {
                action,
                cause: "the answer holds no task definition".to_owned(),
                kind: CloudErrorKind::NotFound,
            })?;
            let containers = definition.container_definitions.unwrap_or_default().into_iter();
            Ok(TaskDefinition {
                arn: definition.task_definition_arn.unwrap_or_default(),
                containers: containers.filter_map(defined).collect(),
            })
        }
        .boxed()
    }

    fn scale<'a>(&'a self, cluster: &'a str, service: &'a str, tasks: u32) -> BoxFuture<'a, Result<(), CloudError>> {
        async move {
            let tasks = i32::try_from(tasks).unwrap_or(i32::MAX);
            let request = self.client.update_service().cluster(cluster).service(service).desired_count(tasks);
            request.send().await.map(drop).map_err(failed(format!("scale {service}")))
        }
        .boxed()
    }

    fn log<'a>(&'a self, place: &'a LogPlace, lines: u16) -> BoxFuture<'a, Result<Vec<String>, CloudError>> {
        async move {
            let request = self.logs.get_log_events().log_group_name(&place.group).log_stream_name(&place.stream);
            let answer = request.limit(i32::from(lines)).start_from_head(false).send().await;
            let answer = unless_absent(answer.map_err(failed(format!("read the log {}", place.stream))))?;
            let events = answer.and_then(|answer| answer.events).unwrap_or_default();
            Ok(events.into_iter().filter_map(|event| event.message).collect())
        }
        .boxed()
    }
}

fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn state(service: Service) -> ServiceState {
    let deployments = service.deployments.unwrap_or_default().into_iter().map(|deployment| Deployment {
        task_definition: deployment.task_definition.unwrap_or_default(),
        primary: deployment.status.as_deref() == Some("PRIMARY"),
        rollout: match deployment.rollout_state {
            Some(DeploymentRolloutState::Completed) => Rollout::Completed,
            Some(DeploymentRolloutState::Failed) => Rollout::Failed,
            _ => Rollout::InProgress,
        },
        reason: deployment.rollout_state_reason.unwrap_or_default(),
        desired: count(deployment.desired_count),
        running: count(deployment.running_count),
    });
    ServiceState {
        deployments: deployments.collect(),
        name: service.service_name.unwrap_or_default(),
        task_definition: service.task_definition.unwrap_or_default(),
        desired: count(service.desired_count),
    }
}

fn task(task: Task) -> TaskState {
    let id = task.task_arn.unwrap_or_default();
    TaskState {
        id: id.rsplit('/').next().unwrap_or_default().to_owned(),
        task_definition: task.task_definition_arn.unwrap_or_default(),
        runs: task.last_status.as_deref() == Some("RUNNING"),
        stopped_reason: task.stopped_reason.unwrap_or_default(),
        containers: task.containers.unwrap_or_default().into_iter().map(container).collect(),
    }
}

fn defined(container: ContainerDefinition) -> Option<(String, DefinedContainer)> {
    let options = container.log_configuration.and_then(|log| log.options).unwrap_or_default();
    let log = options.get("awslogs-group").cloned().zip(options.get("awslogs-stream-prefix").cloned());
    let image = container.image.unwrap_or_default();
    // The default.
    let essential = container.essential.unwrap_or(true);
    Some((container.name?, DefinedContainer { image, essential, log }))
}

fn container(container: Container) -> TaskContainer {
    TaskContainer {
        name: container.name.unwrap_or_default(),
        digest: container.image_digest,
        exit_code: container.exit_code,
        reason: container.reason.unwrap_or_default(),
    }
}
