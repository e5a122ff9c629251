//! How a release comes to where it runs, and what can be seen of it there. Terraform with ECS is one way (`terraform_ecs`); the
//! steps of a promotion know none of its words.

use std::collections::BTreeMap;

use devenv_engine::Cancel;
use devenv_model::promotion::record::Release;
use devenv_model::promotion::rollout::{ContainerEnd, RolloutView};
use futures_util::future::BoxFuture;

use crate::cloud::CloudError;
use crate::error::Error;
use crate::plan::Planned;
use crate::tree::Tree;

/// By service: what its scheduler is told to run, in the scheduler's own words.
pub(crate) type Definitions = BTreeMap<String, String>;

/// What runs, as its scheduler reports it.
pub(crate) trait Scheduler: Send + Sync {
    /// A service that is to run the image with this digest.
    fn rollout<'a>(
        &'a self,
        service: &'a str,
        definition: &'a str,
        digest: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn Rollout + 'a>, CloudError>>;
    /// How many instances a service is to have; `None` where it is not there.
    fn desired<'a>(&'a self, service: &'a str) -> BoxFuture<'a, Result<Option<u32>, CloudError>>;
    fn scale<'a>(&'a self, service: &'a str, instances: u32) -> BoxFuture<'a, Result<(), CloudError>>;
}

/// One service on its way to a release.
pub(crate) trait Rollout: Send + Sync {
    /// `None` where the service is not there.
    fn view(&self) -> BoxFuture<'_, Result<Option<RolloutView>, CloudError>>;
    /// The last lines of what ended, oldest first; none where they cannot be read.
    fn log<'a>(&'a self, end: &'a ContainerEnd) -> BoxFuture<'a, Vec<String>>;
}

/// Brings releases about. What they stand on is there.
pub(crate) trait Delivery: Scheduler {
    /// What would change. `only_look` takes no lock.
    fn plan<'a>(
        &'a self,
        tree: &'a Tree,
        release: &'a Release,
        only_look: bool,
        cancel: &'a Cancel,
    ) -> BoxFuture<'a, Result<Planned, Error>>;
    /// Carries out exactly what was planned.
    fn apply<'a>(&'a self, planned: &'a Planned, cancel: &'a Cancel) -> BoxFuture<'a, Result<(), Error>>;
    /// What the applied release is to run.
    fn definitions<'a>(&'a self, planned: &'a Planned) -> BoxFuture<'a, Result<Definitions, Error>>;
    /// Where the system answers.
    fn address(&self) -> &str;
}
