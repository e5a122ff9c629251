//! Delivers a release and observes its rollout. The steps of a promotion know only these traits; `chosen_delivery` names the
//! implementations.

use std::collections::BTreeMap;

use devenv_model::promotion::changes::Changes;
use devenv_releases::record::{Kind, Release};
use devenv_releases::rollout::{ContainerEnd, RolloutView};
use devenv_runtime::Cancel;
use futures_util::future::BoxFuture;

use crate::cloud::CloudError;
use crate::context::PromotionContext;
use crate::error::Error;
use crate::tree::Tree;

/// The definition that the scheduler runs for each service, in the scheduler's own terms.
pub(crate) type Definitions = BTreeMap<String, String>;

/// The services, as their scheduler reports them.
pub(crate) trait Scheduler: Send + Sync {
    /// Watches a service until it runs the image with this digest.
    fn rollout<'a>(
        &'a self,
        service: &'a str,
        definition: &'a str,
        digest: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn Rollout + 'a>, CloudError>>;
    /// The desired number of instances; `None` if the service does not exist.
    fn desired<'a>(&'a self, service: &'a str) -> BoxFuture<'a, Result<Option<u32>, CloudError>>;
    fn scale<'a>(&'a self, service: &'a str, instances: u32) -> BoxFuture<'a, Result<(), CloudError>>;
}

/// One service on its way to a release.
pub(crate) trait Rollout: Send + Sync {
    /// `None` if the service does not exist.
    fn view(&self) -> BoxFuture<'_, Result<Option<RolloutView>, CloudError>>;
    /// The last log lines of an ended container, oldest first; none if they cannot be read.
    fn log<'a>(&'a self, end: &'a ContainerEnd) -> BoxFuture<'a, Vec<String>>;
}

/// The changes of a planned release. The delivery keeps the rest of the plan.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) changes: Changes,
    /// The plan, as the delivery's own tool prints it.
    pub(crate) text: String,
    /// Whether there is anything to apply. A plan without changes may still set new outputs.
    pub(crate) is_something: bool,
}

/// Plans and applies releases. There is no `restore`: a run plans and applies the previous release, and verifies its lease in
/// between.
pub(crate) trait Delivery: Send + Sync {
    /// Reads everything that a plan depends on. For a promotion it first creates or compares it; a rollback takes it as it is.
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
    /// The definitions of the applied release.
    fn definitions(&self) -> BoxFuture<'_, Result<Definitions, Error>>;
    fn scheduler(&self) -> Box<dyn Scheduler + '_>;
    /// Ends what still runs of services that the applied release does not have, if applying it did not.
    fn retire(&self) -> BoxFuture<'_, Result<(), Error>>;
    /// The URL of the system.
    fn address(&self) -> &str;
    /// The URLs of single services, by service, where the target has any.
    fn addresses(&self) -> &BTreeMap<String, String>;
}
