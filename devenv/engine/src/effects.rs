//! The narrow traits between a plan and the world.

use std::collections::BTreeMap;
use std::future::Future;

use devenv_model::observed::{Leftover, ObservedUnit};
use devenv_model::unit::UnitSpec;

use crate::Error;

/// What keeps units alive: the supervisor's processes here, a container engine where there is one.
pub trait Runtime: Send + Sync {
    /// The units it keeps, each probed anew, and processes of an earlier run that nobody keeps.
    fn observe(&self) -> impl Future<Output = Result<(BTreeMap<String, ObservedUnit>, Vec<Leftover>), Error>> + Send;
    /// Starts a unit; one of the same name is stopped first.
    fn start(&self, spec: UnitSpec) -> impl Future<Output = Result<(), Error>> + Send;
    /// Stops a unit and forgets it.
    fn remove(&self, unit: &str) -> impl Future<Output = Result<(), Error>> + Send;
    /// Returns once the unit's probe passes; a unit that fails before is the error.
    fn await_ready(&self, unit: &str) -> impl Future<Output = Result<(), Error>> + Send;
    /// Ends what an earlier run left of this unit.
    fn end_leftover(&self, unit: &str) -> impl Future<Output = Result<(), Error>> + Send;
}

/// One method for each operation of a plan. Each does its one thing and decides nothing.
pub(crate) trait Effects: Send + Sync {
    /// `progress` is given each line worth showing while the build runs.
    fn build(
        &self,
        packages: &[String],
        progress: impl Fn(String) + Send + Sync,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    fn start(&self, unit: &str) -> impl Future<Output = Result<(), Error>> + Send;
    fn stop(&self, unit: &str) -> impl Future<Output = Result<(), Error>> + Send;
    fn await_ready(&self, unit: &str) -> impl Future<Output = Result<(), Error>> + Send;
    fn end_leftover(&self, unit: &str) -> impl Future<Output = Result<(), Error>> + Send;
    fn ensure_table(&self, table: &str) -> impl Future<Output = Result<(), Error>> + Send;
    fn apply_seed(&self, table: &str) -> impl Future<Output = Result<(), Error>> + Send;
}
