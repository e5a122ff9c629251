use std::time::Duration;

use devenv_promotion::{CloudErrorKind, Services};
use devenv_releases::ecs::{ServiceState, TaskState};
use tokio::time::Instant;

use crate::{Account, CLUSTER};

const WITHIN: Duration = Duration::from_mins(1);

async fn service(services: &dyn Services) -> ServiceState {
    services.service(CLUSTER, "web").await.expect("it answers").expect("it is there")
}

/// The tasks that run.
async fn running(services: &dyn Services) -> Vec<TaskState> {
    let tasks = services.tasks(CLUSTER, "web").await.expect("it answers");
    tasks.into_iter().filter(|task| task.runs).collect()
}

async fn eventually(services: &dyn Services, what: &str, holds: impl Fn(&ServiceState, &[TaskState]) -> bool) {
    let deadline = Instant::now() + WITHIN;
    loop {
        let (state, tasks) = (service(services).await, running(services).await);
        if holds(&state, &tasks) {
            return;
        }
        assert!(Instant::now() < deadline, "{what}: {state:#?} {tasks:#?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

pub(crate) async fn a_service_runs_what_it_is_told(account: &dyn Account) {
    let services = account.services();
    assert_eq!(services.service(CLUSTER, "web").await, Ok(None), "what is absent is no error");
    let scaled = services.scale(CLUSTER, "web", 1).await;
    assert_eq!(scaled.map_err(|error| error.kind), Err(CloudErrorKind::NotFound), "nothing is there to scale");
    services.task_definition("contract-web").await.expect_err("there is none");

    account.release(&image('1')).await;
    let first = services.task_definition("contract-web").await.expect("the newest of its family");
    assert!(first.arn.ends_with("task-definition/contract-web:1"), "{first:?}");
    assert_eq!(services.task_definition(&first.arn).await, Ok(first.clone()), "by its name with a revision");
    let is_primary = |state: &ServiceState, arn: &str| {
        let primary = state.deployments.iter().find(|deployment| deployment.primary);
        state.task_definition == arn && primary.is_some_and(|deployment| deployment.task_definition == arn)
    };
    let one = |tasks: &[TaskState], arn: &str| matches!(tasks, [task] if task.task_definition == arn && task.containers.iter().any(|part| part.name == "web"));
    eventually(services, "one task runs", |state, tasks| {
        state.desired == 1 && is_primary(state, &first.arn) && one(tasks, &first.arn)
    })
    .await;

    services.scale(CLUSTER, "web", 0).await.expect("it is there");
    eventually(services, "none runs", |state, tasks| state.desired == 0 && tasks.is_empty()).await;
    services.scale(CLUSTER, "web", 1).await.expect("it is there");
    eventually(services, "one runs again", |state, tasks| state.desired == 1 && one(tasks, &first.arn)).await;

    services.scale(CLUSTER, "web", 0).await.expect("it is there");
    account.release(&image('2')).await;
    let second = services.task_definition("contract-web").await.expect("the newest of its family");
    assert!(second.arn.ends_with("task-definition/contract-web:2"), "{second:?}");
    eventually(services, "the second took its place, with its number of tasks", |state, tasks| {
        state.desired == 1 && is_primary(state, &second.arn) && one(tasks, &second.arn)
    })
    .await;
}

fn image(digit: char) -> String {
    format!("registry.example/contract/web@sha256:{}", digit.to_string().repeat(64))
}
