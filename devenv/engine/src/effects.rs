//! The narrow trait between a plan and the world.

use std::future::Future;

use devenv_model::resource::ResourceId;

use crate::error::Error;

/// One method for each operation of a plan. Each does its one thing and decides nothing.
pub(crate) trait Effects: Send + Sync {
    /// `progress` is given each line worth showing while the build runs.
    fn build(
        &self,
        packages: &[String],
        progress: impl Fn(String) + Send + Sync,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    /// `progress` is given a line now and then.
    fn pull(
        &self,
        image: &str,
        progress: impl Fn(String) + Send + Sync,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    fn start(&self, unit: &str) -> impl Future<Output = Result<(), Error>> + Send;
    fn stop(&self, unit: &str) -> impl Future<Output = Result<(), Error>> + Send;
    fn await_ready(&self, unit: &str) -> impl Future<Output = Result<(), Error>> + Send;
    /// Returns when a unit has ended for good that others may be waiting for: one of `started`, or one that ran before and
    /// that the plan leaves alone (it touches those in `touched`).
    fn lost(&self, started: &[String], touched: &[String]) -> impl Future<Output = Error> + Send;
    fn end_leftover(&self, unit: &str) -> impl Future<Output = Result<(), Error>> + Send;
    fn ensure(&self, resource: &ResourceId) -> impl Future<Output = Result<(), Error>> + Send;
    fn seed(&self, resource: &ResourceId) -> impl Future<Output = Result<(), Error>> + Send;
}
