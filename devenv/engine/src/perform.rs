//! `perform`: the effect of each operation of a plan.

use std::sync::Arc;
use std::time::Duration;

use devenv_model::intent::{Lifetime, UnitIntent};
use devenv_model::manifest::StartOrder;
use devenv_model::observed::{Observed, ObservedUnit, UnitState};
use devenv_model::resource::ResourceId;
use devenv_model::unit::EMULATOR;
use devenv_resources::resources::Resources;
use devenv_runtime::{Project, Runtime};
use futures_util::future::join_all;
use tokio::sync::Semaphore;

use crate::desired;
use crate::effects::Effects;
use crate::error::Error;

/// The interval between two looks at the log of a unit that runs once.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

pub(crate) struct Performer<'a> {
    pub(crate) project: &'a Project,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) observed: &'a Observed,
    pub(crate) intents: &'a [UnitIntent],
    pub(crate) resources: Resources,
    /// One permit for each core: as many units are built at the same time.
    pub(crate) builds: Semaphore,
}

/// The permits for builds on this machine.
pub(crate) fn builds() -> Semaphore {
    Semaphore::new(std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
}

impl Performer<'_> {
    fn intent(&self, unit: &str) -> &UnitIntent {
        let intent = self.intents.iter().find(|intent| intent.name == unit);
        intent.expect("a plan names units of its intents only")
    }

    fn is_one_shot(&self, unit: &str) -> bool {
        self.intents.iter().any(|intent| intent.name == unit && intent.lifetime == Lifetime::OneShot)
    }

    /// Waits for the end of a unit that runs once. It may take minutes: each new last line of its log is progress.
    async fn await_completion(&self, unit: &str, progress: impl Fn(String) + Send + Sync) -> Result<(), Error> {
        let completion = self.runtime.await_ready(unit);
        tokio::pin!(completion);
        let mut last = Vec::new();
        loop {
            tokio::select! {
                outcome = &mut completion => return Ok(outcome?),
                () = tokio::time::sleep(PROGRESS_EVERY) => {}
            }
            let lines = self.runtime.last_lines(unit, 1).await;
            if lines != last {
                lines.iter().cloned().for_each(&progress);
                last = lines;
            }
        }
    }

    /// Whether the running unit is still the wanted one: a build may have left the program unchanged.
    fn is_unchanged(&self, intent: &UnitIntent) -> Result<bool, Error> {
        let Some(running) = self.observed.units.get(&intent.name) else {
            return Ok(false);
        };
        let is_over = matches!(running.state, UnitState::Stopped { .. } | UnitState::Failed { .. });
        let is_over = is_over || running.state == UnitState::Completed && desired::runs_again(intent);
        Ok(!is_over && running.config_hash == self.runtime.config_hash(intent)?)
    }

    /// While the emulator starts, prepares the absent units that wait for the tables and whose artifacts exist.
    async fn prepare_services(&self) {
        let is_there = |intent: &&UnitIntent| {
            let built = intent.artifact.package().is_none_or(|package| !self.observed.stale.contains_key(package));
            let fetched = intent.artifact.image().is_none_or(|image| !self.observed.absent_images.contains(image));
            let own = !self.observed.stale_units.contains_key(&intent.service);
            built && fetched && own && !self.observed.units.contains_key(&intent.name)
        };
        let waits = |intent: &&UnitIntent| {
            let service = self.project.manifest.services.get(&intent.service);
            intent.name != EMULATOR && service.is_some_and(|service| service.start == StartOrder::AfterTables)
        };
        let prepared = self.intents.iter().filter(waits).filter(is_there).map(|intent| self.runtime.prepare(intent));
        join_all(prepared).await;
    }
}

impl Effects for Performer<'_> {
    async fn build(&self, packages: &[String], progress: impl Fn(String) + Send + Sync) -> Result<(), Error> {
        Ok(self.runtime.build(packages, &progress).await?)
    }

    async fn build_unit(&self, unit: &str, progress: impl Fn(String) + Send + Sync) -> Result<(), Error> {
        let _permit = self.builds.acquire().await.expect("nobody closes it");
        Ok(self.runtime.build_unit(self.intent(unit), &progress).await?)
    }

    async fn pull(&self, image: &str, progress: impl Fn(String) + Send + Sync) -> Result<(), Error> {
        Ok(self.runtime.pull(image, &progress).await?)
    }

    async fn start(&self, unit: &str) -> Result<(), Error> {
        let intent = self.intent(unit);
        if self.is_unchanged(intent)? {
            return Ok(());
        }
        if unit != EMULATOR {
            return Ok(self.runtime.start(intent).await?);
        }
        // The emulator first: an engine makes containers one by one, and other steps wait for this one.
        if !self.observed.units.contains_key(unit) {
            self.runtime.prepare(intent).await;
        }
        Ok(tokio::join!(self.runtime.start(intent), self.prepare_services()).0?)
    }

    async fn restart(&self, unit: &str) -> Result<(), Error> {
        self.runtime.remove(unit).await?;
        Ok(self.runtime.start(self.intent(unit)).await?)
    }

    async fn stop(&self, unit: &str) -> Result<(), Error> {
        Ok(self.runtime.remove(unit).await?)
    }

    async fn await_ready(&self, unit: &str, progress: impl Fn(String) + Send + Sync) -> Result<(), Error> {
        if self.is_one_shot(unit) {
            return self.await_completion(unit, progress).await;
        }
        Ok(self.runtime.await_ready(unit).await?)
    }

    async fn lost(&self, started: &[String], touched: &[String]) -> Error {
        let stands = |unit: &&ObservedUnit| {
            matches!(unit.state, UnitState::Ready { .. } | UnitState::Starting { .. }) && !touched.contains(&unit.name)
        };
        let standing = self.observed.units.values().filter(stands).map(|unit| unit.name.clone());
        let watched = standing.chain(started.iter().cloned());
        // The end of a unit that runs once is no loss, and its own step waits for it.
        let watched: Vec<String> = watched.filter(|unit| !self.is_one_shot(unit)).collect();
        self.runtime.lost(&watched).await.into()
    }

    async fn end_leftover(&self, unit: &str) -> Result<(), Error> {
        Ok(self.runtime.end_leftover(unit).await?)
    }

    async fn ensure(&self, resource: &ResourceId) -> Result<(), Error> {
        Ok(self.resources.ensure(resource).await?)
    }

    async fn seed(&self, resource: &ResourceId) -> Result<(), Error> {
        self.resources.seed(resource).await?;
        Ok(())
    }
}
