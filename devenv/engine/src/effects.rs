//! The narrow trait between a plan and its effects.

use std::future::Future;

use devenv_model::resource::ResourceId;

use crate::error::Error;

/// One method for each operation of a plan. A method only does its operation; it decides nothing.
pub(crate) trait Effects: Send + Sync {
    /// `progress` gets each line of the build that is worth showing.
    fn build(
        &self,
        packages: &[String],
        progress: impl Fn(String) + Send + Sync,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    fn build_unit(
        &self,
        unit: &str,
        progress: impl Fn(String) + Send + Sync,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    /// `progress` gets a line now and then.
    fn pull(
        &self,
        image: &str,
        progress: impl Fn(String) + Send + Sync,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    fn start(&self, unit: &str) -> impl Future<Output = Result<(), Error>> + Send;
    fn restart(&self, unit: &str) -> impl Future<Output = Result<(), Error>> + Send;
    fn stop(&self, unit: &str) -> impl Future<Output = Result<(), Error>> + Send;
    /// `progress` gets a line now and then from a unit that runs once.
    fn await_ready(
        &self,
        unit: &str,
        progress: impl Fn(String) + Send + Sync,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    /// Returns when a unit has ended for good for which others may wait: a unit of `started`, or a unit that ran before and is
    /// not in `touched`, the units that the plan changes.
    fn lost(&self, started: &[String], touched: &[String]) -> impl Future<Output = Error> + Send;
    fn end_leftover(&self, unit: &str) -> impl Future<Output = Result<(), Error>> + Send;
    fn ensure(&self, resource: &ResourceId) -> impl Future<Output = Result<(), Error>> + Send;
    fn seed(&self, resource: &ResourceId) -> impl Future<Output = Result<(), Error>> + Send;
}
