//! The narrow traits between a plan and the world.

use std::collections::BTreeMap;
use std::future::Future;

use devenv_model::observed::{Leftover, ObservedUnit};

use crate::Error;

/// What keeps units alive: the supervisor's processes here, a container engine where there is one.
pub(crate) trait Runtime: Send + Sync {
    /// What it is told of a unit.
    type Spec;

    fn observe(&self) -> impl Future<Output = Result<Observation, Error>> + Send;
    /// Starts a unit; one of the same name is stopped first.
    fn start(&self, spec: Self::Spec) -> impl Future<Output = Result<(), Error>> + Send;
    /// Stops a unit and forgets it.
    fn remove(&self, unit: &str) -> impl Future<Output = Result<(), Error>> + Send;
    /// Returns once the unit's probe passes; a unit that fails before is the error.
    fn await_ready(&self, unit: &str) -> impl Future<Output = Result<(), Error>> + Send;
    /// Ends what an earlier run left of this unit.
    fn end_leftover(&self, unit: &str) -> impl Future<Output = Result<(), Error>> + Send;
}

/// What a runtime sees in one look.
#[derive(Debug, Default)]
pub(crate) struct Observation {
    /// The units it keeps, each probed anew.
    pub(crate) units: BTreeMap<String, ObservedUnit>,
    /// Processes of an earlier run that nobody keeps.
    pub(crate) leftovers: Vec<Leftover>,
    /// Ports of this machine that others hold, as far as the runtime knows better than the operating system.
    pub(crate) held_ports: BTreeMap<u16, String>,
}

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
    fn ensure_table(&self, table: &str) -> impl Future<Output = Result<(), Error>> + Send;
    fn apply_seed(&self, table: &str) -> impl Future<Output = Result<(), Error>> + Send;
}
