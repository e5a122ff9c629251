//! How a release comes to where it runs, and what can be seen of it there. The steps of a promotion know these traits alone;
//! `chosen_delivery` names what implements them.

use std::collections::BTreeMap;

use devenv_engine::Cancel;
use devenv_model::promotion::changes::Changes;
use devenv_model::promotion::record::{Kind, Release};
use devenv_model::promotion::rollout::{ContainerEnd, RolloutView};
use futures_util::future::BoxFuture;

use crate::cloud::CloudError;
use crate::context::PromotionContext;
use crate::error::Error;
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

/// What a release would change. The delivery that planned it keeps the rest of the plan.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) changes: Changes,
    /// The plan as the delivery's own tool prints it.
    pub(crate) text: String,
    /// Whether there is anything to apply. A plan without changes may still set new outputs.
    pub(crate) is_something: bool,
}

/// Brings releases about. There is no `restore`: a run plans and applies the previous release, and makes sure of its lease
/// between the two.
pub(crate) trait Delivery: Send + Sync {
    /// Makes sure of everything that a plan stands on. A promotion also makes or compares it; a rollback takes it as it is.
    fn prepare<'a>(
        context: &'a PromotionContext<'a>,
        kind: Kind,
        cancel: &'a Cancel,
    ) -> BoxFuture<'a, Result<Box<dyn Delivery + 'a>, Error>>
    where
        Self: Sized;
    /// The registry's host and the repository to which a service's image is pushed.
    fn repository(&self, service: &str) -> Result<(&str, &str), Error>;
    /// Plans a release. `only_look` takes no lock.
    fn plan<'a>(
        &'a self,
        tree: &'a Tree,
        release: &'a Release,
        only_look: bool,
        cancel: &'a Cancel,
    ) -> BoxFuture<'a, Result<Planned, Error>>;
    /// Carries out the last plan, and nothing else.
    fn apply<'a>(&'a self, cancel: &'a Cancel) -> BoxFuture<'a, Result<(), Error>>;
    /// What the applied release is to run.
    fn definitions(&self) -> BoxFuture<'_, Result<Definitions, Error>>;
    fn scheduler(&self) -> Box<dyn Scheduler + '_>;
    /// Where the system answers.
    fn address(&self) -> &str;
}
