use std::collections::BTreeMap;
use std::fmt;

use devenv_releases::ecs::{ServiceState, TaskState};
use futures_util::future::BoxFuture;

use crate::CloudError;

/// Services and their tasks (ECS), and their logs (CloudWatch Logs).
pub trait Services: Send + Sync + fmt::Debug {
    fn service<'a>(
        &'a self,
        cluster: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<ServiceState>, CloudError>>;
    /// Running tasks and recently stopped ones.
    fn tasks<'a>(&'a self, cluster: &'a str, service: &'a str) -> BoxFuture<'a, Result<Vec<TaskState>, CloudError>>;
    /// A task definition by name and revision, or the newest of a family.
    fn task_definition<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<TaskDefinition, CloudError>>;
    fn scale<'a>(&'a self, cluster: &'a str, service: &'a str, tasks: u32) -> BoxFuture<'a, Result<(), CloudError>>;
    /// The last lines, oldest first; none if the log is empty.
    fn log<'a>(&'a self, place: &'a LogPlace, lines: u16) -> BoxFuture<'a, Result<Vec<String>, CloudError>>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskDefinition {
    /// Includes the revision.
    pub arn: String,
    /// The containers, by name.
    pub containers: BTreeMap<String, DefinedContainer>,
}

/// A container of a task definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinedContainer {
    /// The reference in the definition, such as `REPOSITORY@sha256:...`.
    pub image: String,
    /// Whether its end is the task's end.
    pub essential: bool,
    /// Group and prefix of its log, if it has one.
    pub log: Option<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPlace {
    pub group: String,
    pub stream: String,
}
