//! Until every service runs the release that was applied, and nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use devenv_engine::Cancel;
use devenv_model::promotion::ecs::{ServiceState, TaskState, Wanted, ended, view};
use devenv_model::promotion::record::{Release, ReleasedImage};
use devenv_model::promotion::rollout::{ContainerEnd, Judged, RolloutFailure, judge};
use tokio::time::Instant;

use crate::cloud::{CloudError, DefinedContainer, LogPlace, Services, TaskDefinition};
use crate::error::Error;
use crate::patience::{answer, patiently};
use crate::site::Site;

/// What was just changed may be described as it was before.
const SETTLES_WITHIN: Duration = Duration::from_secs(10);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A deployment of a service behind a load balancer drains the older tasks for minutes.
const WITHIN: Duration = Duration::from_mins(20);
const LOG_TAIL: u16 = 20;

/// `task_definitions` are what Terraform's outputs name, by service.
pub(crate) async fn wait(
    site: &Site<'_>,
    cluster: &str,
    release: &Release,
    task_definitions: &BTreeMap<String, String>,
    cancel: &Cancel,
) -> Result<(), Error> {
    let watch = Watch { services: site.cloud.services.as_ref(), cluster, tell: &|line| site.progress(line) };
    watch.until_live(release, task_definitions, cancel).await
}

/// Looks at the services of a cluster. What AWS could not answer is asked again, until the deadline.
struct Watch<'a> {
    services: &'a dyn Services,
    cluster: &'a str,
    tell: &'a (dyn Fn(String) + Send + Sync),
}

/// A service that is not live yet.
struct Watched<'a> {
    name: &'a str,
    wanted: Wanted,
    containers: BTreeMap<String, DefinedContainer>,
    /// Since AWS first described it.
    described: Option<Instant>,
    /// Whether the wanted deployment was ever its own.
    arrived: bool,
    first_end: Option<(ContainerEnd, Vec<String>)>,
    /// What was missing when AWS last described it.
    missing: Option<String>,
    told: String,
}

impl Watch<'_> {
    async fn until_live(
        &self,
        release: &Release,
        task_definitions: &BTreeMap<String, String>,
        cancel: &Cancel,
    ) -> Result<(), Error> {
        let deadline = Instant::now() + WITHIN;
        let mut all = Vec::new();
        for (name, definition) in task_definitions {
            let ask = || self.services.task_definition(definition);
            let left = deadline.saturating_duration_since(Instant::now());
            let definition = patiently(left, self.tell, cancel, ask).await?;
            let digest = release.images.get(name).map(ReleasedImage::digest).unwrap_or_default();
            all.push(Watched::new(name, definition, digest));
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

    /// What is missing; `None` once it is live.
    async fn look(&self, watched: &mut Watched<'_>) -> Result<Option<String>, Error> {
        let missing = match self.describe(watched.name).await {
            Ok(described) => {
                let missing = self.judge(watched, described).await?;
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

    async fn describe(&self, service: &str) -> Result<(Option<ServiceState>, Vec<TaskState>), CloudError> {
        let Some(state) = answer(self.services.service(self.cluster, service)).await? else {
            return Ok((None, Vec::new()));
        };
        Ok((Some(state), answer(self.services.tasks(self.cluster, service)).await?))
    }

    async fn judge(
        &self,
        watched: &mut Watched<'_>,
        (state, tasks): (Option<ServiceState>, Vec<TaskState>),
    ) -> Result<Option<String>, Error> {
        let settles = watched.described.get_or_insert_with(Instant::now).elapsed() < SETTLES_WITHIN;
        let Some(state) = state else {
            let cause = "the service is not there".to_owned();
            return if settles { Ok(Some(cause)) } else { Err(watched.failed(cause)) };
        };
        let ends = ended(&watched.wanted, &tasks);
        if let Some(end) = ends.first().filter(|_| watched.first_end.is_none()) {
            watched.first_end = Some((end.clone(), self.show(watched, end).await));
        }
        let running: Vec<_> = tasks.into_iter().filter(|task| task.runs).collect();
        let view = view(&watched.wanted, &state, &running, ends);
        watched.arrived |= view.has_arrived();
        match judge(&view) {
            Judged::Done => Ok(None),
            Judged::Going(missing) => Ok(Some(missing)),
            Judged::Failed(RolloutFailure::Superseded { .. } | RolloutFailure::Breaker { .. })
                if !watched.arrived && settles =>
            {
                Ok(Some("its deployment is not there yet".to_owned()))
            }
            Judged::Failed(failure) => Err(watched.failed(failure.to_string())),
        }
    }

    /// Shows an end with the last lines of its log, where they can be read.
    async fn show(&self, watched: &Watched<'_>, end: &ContainerEnd) -> Vec<String> {
        let container = watched.containers.get(&end.container);
        let log = match container.and_then(|container| container.log.as_ref()) {
            Some((group, prefix)) => {
                let stream = format!("{prefix}/{}/{}", end.container, end.task);
                let place = LogPlace { group: group.clone(), stream };
                answer(self.services.log(&place, LOG_TAIL)).await.unwrap_or_default()
            }
            None => Vec::new(),
        };
        (self.tell)(format!("{}: {end}", watched.name));
        for line in &log {
            (self.tell)(format!("  {line}"));
        }
        log
    }
}

impl<'a> Watched<'a> {
    fn new(name: &'a str, definition: TaskDefinition, digest: &str) -> Self {
        let TaskDefinition { arn, containers } = definition;
        let named = |is_such: &dyn Fn(&DefinedContainer) -> bool| {
            containers.iter().filter(|(_, container)| is_such(container)).map(|(name, _)| name.clone()).collect()
        };
        let is_ours = |container: &DefinedContainer| container.image.ends_with(&format!("@{digest}"));
        let wanted = Wanted {
            task_definition: arn,
            containers: named(&is_ours),
            essential: named(&|container| container.essential || is_ours(container)),
            digest: digest.to_owned(),
        };
        Self {
            name,
            wanted,
            containers,
            described: None,
            arrived: false,
            first_end: None,
            missing: None,
            told: String::new(),
        }
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
