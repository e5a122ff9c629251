//! Waits until every service runs the applied release and nothing else.

use std::time::Duration;

use devenv_releases::record::{Release, ReleasedImage};
use devenv_releases::rollout::{ContainerEnd, Judged, RolloutFailure, RolloutView, judge};
use devenv_runtime::Cancel;
use tokio::time::Instant;

use crate::context::PromotionContext;
use crate::delivery::{Definitions, Rollout, Scheduler};
use crate::error::Error;
use crate::patience::patiently;

/// ECS may describe a changed service as it was before, for this long.
const SETTLES_WITHIN: Duration = Duration::from_secs(10);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A deployment of a service behind a load balancer drains the older tasks for minutes.
const WITHIN: Duration = Duration::from_mins(20);

/// `definitions` belong to the applied release.
pub(crate) async fn wait(
    context: &PromotionContext<'_>,
    scheduler: &dyn Scheduler,
    release: &Release,
    definitions: &Definitions,
    cancel: &Cancel,
) -> Result<(), Error> {
    let watch = Watch { scheduler, tell: &|line| context.progress(line) };
    watch.until_live(release, definitions, cancel).await
}

/// Observes the services of a release. Repeats a question that the scheduler did not answer, until the deadline.
struct Watch<'a> {
    scheduler: &'a dyn Scheduler,
    tell: &'a (dyn Fn(String) + Send + Sync),
}

/// A service during its rollout.
struct Watched<'a> {
    name: &'a str,
    rollout: Box<dyn Rollout + 'a>,
    /// When the scheduler first described it.
    described: Option<Instant>,
    /// Whether the scheduler ever had the wanted release.
    arrived: bool,
    first_end: Option<(ContainerEnd, Vec<String>)>,
    /// What the last description lacked.
    missing: Option<String>,
    told: String,
}

impl Watch<'_> {
    async fn until_live(&self, release: &Release, definitions: &Definitions, cancel: &Cancel) -> Result<(), Error> {
        let deadline = Instant::now() + WITHIN;
        let mut all = Vec::new();
        for (name, definition) in definitions {
            let digest = release.images.get(name).map(ReleasedImage::digest).unwrap_or_default();
            let ask = || self.scheduler.rollout(name, definition, digest);
            let left = deadline.saturating_duration_since(Instant::now());
            let rollout = patiently(left, self.tell, cancel, ask).await?;
            all.push(Watched::new(name, rollout));
        }
        loop {
            let mut waiting = Vec::new();
            for watched in &mut all {
                if let Some(missing) = self.look(watched).await? {
                    waiting.push(format!("{}: {missing}", watched.name));
                }
            }
            if waiting.is_empty() {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(Error::RolloutDeadline { minutes: WITHIN.as_secs() / 60, waiting });
            }
            tokio::select! {
                () = cancel.cancelled() => return Err(devenv_engine::Error::Cancelled.into()),
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// What the service still lacks; `None` once it is live.
    async fn look(&self, watched: &mut Watched<'_>) -> Result<Option<String>, Error> {
        let missing = match watched.rollout.view().await {
            Ok(view) => {
                let missing = self.judge(watched, view).await?;
                watched.missing.clone_from(&missing);
                missing
            }
            Err(error) if error.may_pass() => {
                let seen = watched.missing.as_deref().unwrap_or("nothing yet");
                Some(format!("{error} (seen before: {seen})"))
            }
            Err(error) => {
                let (service, seen) = (watched.name.to_owned(), watched.missing.clone());
                return Err(Error::Unseen { service, seen: seen.unwrap_or_else(|| "nothing".to_owned()), error });
            }
        };
        if let Some(missing) = missing.as_ref().filter(|missing| **missing != watched.told) {
            (self.tell)(format!("{}: {missing}", watched.name));
            watched.told.clone_from(missing);
        }
        Ok(missing)
    }

    async fn judge(&self, watched: &mut Watched<'_>, view: Option<RolloutView>) -> Result<Option<String>, Error> {
        let settles = watched.described.get_or_insert_with(Instant::now).elapsed() < SETTLES_WITHIN;
        let Some(view) = view else {
            let cause = "the service does not exist".to_owned();
            return if settles { Ok(Some(cause)) } else { Err(watched.failed(cause)) };
        };
        if let Some(end) = view.ends.first().filter(|_| watched.first_end.is_none()) {
            watched.first_end = Some((end.clone(), self.show(watched, end).await));
        }
        watched.arrived |= view.has_arrived();
        match judge(&view) {
            Judged::Done => Ok(None),
            Judged::Going(missing) => Ok(Some(missing)),
            Judged::Failed(RolloutFailure::Superseded { .. } | RolloutFailure::Breaker { .. })
                if !watched.arrived && settles =>
            {
                Ok(Some("its deployment does not exist yet".to_owned()))
            }
            Judged::Failed(failure) => Err(watched.failed(failure.to_string())),
        }
    }

    /// Reports an ended container with the last lines of its log.
    async fn show(&self, watched: &Watched<'_>, end: &ContainerEnd) -> Vec<String> {
        let log = watched.rollout.log(end).await;
        (self.tell)(format!("{}: {end}", watched.name));
        for line in &log {
            (self.tell)(format!("  {line}"));
        }
        log
    }
}

impl<'a> Watched<'a> {
    fn new(name: &'a str, rollout: Box<dyn Rollout + 'a>) -> Self {
        let told = String::new();
        Self { name, rollout, described: None, arrived: false, first_end: None, missing: None, told }
    }

    fn failed(&mut self, cause: String) -> Error {
        let service = self.name.to_owned();
        let (cause, log) = match self.first_end.take() {
            Some((end, log)) => (format!("{cause}; {end}"), log),
            None => (cause, Vec::new()),
        };
        Error::Rollout { service, cause, log }
    }
}

#[cfg(test)]
#[path = "wait_tests.rs"]
mod tests;
