//! Until every service runs the release that was applied, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use devenv_model::promotion::{ContainerEnd, Deployment, Judged, Release, RolloutFailure, Wanted, ended, judge};

use super::Error;
use super::cloud::LogPlace;
use super::site::Site;
use crate::Cancel;

/// What was just changed may be described as it was before.
const SETTLES_WITHIN: Duration = Duration::from_secs(10);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A deployment of a service behind a load balancer drains the older tasks for minutes.
const WITHIN: Duration = Duration::from_mins(20);
const LOG_TAIL: u16 = 20;

/// `task_definitions` are what Terraform's outputs name, by service.
pub(super) async fn wait(
    site: &Site<'_>,
    cluster: &str,
    release: &Release,
    task_definitions: &BTreeMap<String, String>,
    cancel: &Cancel,
) -> Result<(), crate::Error> {
    let services = &site.cloud.services;
    let mut wanted = BTreeMap::new();
    for (service, name) in task_definitions {
        let definition = services.task_definition(name).await.map_err(Error::from)?;
        let digest = release.images.get(service).map(|image| image.digest().to_owned()).unwrap_or_default();
        wanted.insert(service, (Wanted { task_definition: definition.arn.clone(), digest }, definition, None));
    }
    let began = tokio::time::Instant::now();
    let deadline = began + WITHIN;
    let mut seen = BTreeSet::new();
    let mut told: BTreeMap<&String, String> = BTreeMap::new();
    loop {
        let mut waiting = Vec::new();
        for (service, (wanted, definition, first_end)) in &mut wanted {
            let service = *service;
            let Some(state) = services.service(cluster, service).await.map_err(Error::from)? else {
                let cause = "the service is not there".to_owned();
                if began.elapsed() >= SETTLES_WITHIN {
                    return Err(Error::Rollout { service: service.clone(), cause, log: Vec::new() }.into());
                }
                waiting.push(format!("{service}: {cause}"));
                continue;
            };
            let tasks = services.tasks(cluster, service).await.map_err(Error::from)?;
            let ends = ended(wanted, &tasks);
            if first_end.is_none()
                && let Some(end) = ends.first()
            {
                let log = log_of(site, &definition.logs, end).await;
                site.progress(format!("{service}: {end}"));
                for line in &log {
                    site.progress(format!("  {line}"));
                }
                *first_end = Some((end.clone(), log));
            }
            let is_ours =
                |deployment: &Deployment| deployment.primary && deployment.task_definition == wanted.task_definition;
            if state.deployments.iter().any(is_ours) {
                seen.insert(service);
            }
            let running: Vec<_> = tasks.into_iter().filter(|task| task.runs).collect();
            match judge(wanted, &state, &running, &ends) {
                Judged::Done => {}
                Judged::Going(what) => {
                    if told.get(service) != Some(&what) {
                        site.progress(format!("{service}: {what}"));
                        told.insert(service, what.clone());
                    }
                    waiting.push(format!("{service}: {what}"));
                }
                Judged::Failed(RolloutFailure::Superseded { .. } | RolloutFailure::Breaker { .. })
                    if !seen.contains(service) && began.elapsed() < SETTLES_WITHIN =>
                {
                    waiting.push(format!("{service}: its deployment is not there yet"));
                }
                Judged::Failed(failure) => {
                    let (mut cause, mut log) = (failure.to_string(), Vec::new());
                    if let Some((end, lines)) = first_end.take() {
                        cause = format!("{cause}; {end}");
                        log = lines;
                    }
                    return Err(Error::Rollout { service: service.clone(), cause, log }.into());
                }
            }
        }
        if waiting.is_empty() {
            return Ok(());
        }
        if tokio::time::Instant::now() >= deadline {
            return Err(Error::RolloutDeadline { minutes: WITHIN.as_secs() / 60, waiting }.into());
        }
        tokio::select! {
            () = cancel.cancelled() => return Err(crate::Error::Cancelled),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// Without its log an end is told all the same.
async fn log_of(site: &Site<'_>, logs: &BTreeMap<String, (String, String)>, end: &ContainerEnd) -> Vec<String> {
    let Some((group, prefix)) = logs.get(&end.container) else {
        return Vec::new();
    };
    let place = LogPlace { group: group.clone(), stream: format!("{prefix}/{}/{}", end.container, end.task) };
    site.cloud.services.log(&place, LOG_TAIL).await.unwrap_or_default()
}
