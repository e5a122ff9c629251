//! Stops, starts and restarts single services of a running environment.

use std::time::Duration;

use devenv_model::observed::{ObservedUnit, UnitState};
use devenv_runtime::{Cancel, Emitter, Error as RuntimeError, LOG_TAIL, Project, Runtime};

use crate::command_lock::command_lock;
use crate::error::Error;
use crate::{desired, resolve};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// SIGTERM, and SIGKILL after the grace period. The service stays stopped until a start, a restart or an `up`.
    Stop,
    Start,
    Restart,
}

/// Stops, starts or restarts these services; all of the environment if none is named. Dependents stop first, and
/// dependencies start first. Returns the services that it changed.
///
/// A start that is not ready within `timeout` fails.
pub async fn control(
    project: &Project,
    control: Control,
    services: &[String],
    timeout: Duration,
    emitter: &Emitter,
    cancel: &Cancel,
) -> Result<Vec<String>, Error> {
    let named = match control {
        Control::Restart => desired::restarted_with(project, services),
        Control::Stop | Control::Start => services.to_vec(),
    };
    let ordered = desired::in_order(project, &named)?;
    let runtime = resolve::current(project).await?.connect(project).await?;
    let units = runtime.observe().await?.units;
    if units.is_empty() {
        return Err(RuntimeError::NotRunning { project: project.instance.name.clone() }.into());
    }
    let is_there =
        |service: &&String| project.manifest.services[*service].units().any(|unit| units.contains_key(&unit));
    if let Some(absent) = services.iter().find(|service| !is_there(service)) {
        return Err(Error::NotStarted { service: absent.clone() });
    }
    let wanted: Vec<&ObservedUnit> = ordered.iter().filter_map(|unit| units.get(unit)).collect();
    let is_named =
        |unit: &str| project.manifest.service_of(unit).is_some_and(|service| services.contains(&service.name));
    let _alone = command_lock(project)?;
    let is_over = |unit: &ObservedUnit| matches!(unit.state, UnitState::Stopped { .. } | UnitState::Completed);
    let changed: Vec<&str> = wanted
        .iter()
        .filter(|unit| match control {
            Control::Stop => !is_over(unit),
            Control::Start => !matches!(unit.state, UnitState::Ready { .. } | UnitState::Completed),
            // Another one restarts with these only if it runs.
            Control::Restart => services.is_empty() || is_named(&unit.name) || !is_over(unit),
        })
        .map(|unit| unit.name.as_str())
        .collect();
    let running = |service: &&str| !is_over(&units[*service]);
    let work = async {
        if control != Control::Start {
            for service in changed.iter().copied().rev().filter(running) {
                emitter.stage(format!("stop {service}"), runtime.interrupt(service)).await?;
            }
        }
        if control != Control::Stop {
            for service in changed.iter().copied() {
                emitter.stage(format!("start {service}"), start(runtime.as_ref(), service, timeout)).await?;
            }
        }
        Ok(())
    };
    tokio::select! {
        outcome = work => outcome.map(|()| changed.iter().map(|service| (*service).to_owned()).collect()),
        () = cancel.cancelled() => Err(Error::Cancelled),
    }
}

async fn start(runtime: &dyn Runtime, service: &str, timeout: Duration) -> Result<(), Error> {
    match tokio::time::timeout(timeout, runtime.resume(service)).await {
        Ok(outcome) => Ok(outcome?),
        Err(_) => Err(Error::Deadline {
            waiting_for: format!("start {service}"),
            unit: Some(service.to_owned()),
            after: timeout,
            log: runtime.last_lines(service, LOG_TAIL).await,
        }),
    }
}

#[cfg(test)]
mod tests {
    use devenv_fakes::FakeProject;
    use devenv_runtime::RuntimeRequest;

    use super::*;
    use crate::up::{UpOptions, up};

    async fn act(project: &FakeProject, action: Control, services: &[&str]) -> Result<Vec<String>, Error> {
        let services: Vec<String> = services.iter().map(|name| (*name).to_owned()).collect();
        let limit = Duration::from_secs(20);
        control(&project.load(), action, &services, limit, &Emitter::channel().0, &Cancel::never()).await
    }

    /// A project whose services `api` and `mailer` are ready; `api` depends on `mailer`.
    async fn ready() -> FakeProject {
        let project = FakeProject::new();
        bring_up(&project, &[]).await;
        project
    }

    async fn bring_up(project: &FakeProject, services: &[&str]) {
        let options = UpOptions {
            request: RuntimeRequest::default(),
            services: services.iter().map(|name| (*name).to_owned()).collect(),
            timeout: Duration::from_secs(20),
        };
        up(&project.load(), &options, &Emitter::channel().0, &Cancel::never()).await.expect("nothing fails");
        project.runtime.done();
    }

    #[tokio::test]
    async fn dependents_stop_first_and_dependencies_start_first() {
        let project = ready().await;
        assert_eq!(act(&project, Control::Restart, &[]).await.expect("nothing fails"), ["mailer", "api"]);
        assert_eq!(project.runtime.done(), ["interrupt api", "interrupt mailer", "resume mailer", "resume api"]);
    }

    #[tokio::test]
    async fn only_the_named_service_changes_and_only_if_it_must() {
        let project = ready().await;
        assert_eq!(act(&project, Control::Stop, &["api"]).await.expect("nothing fails"), ["api"]);
        assert_eq!(project.runtime.done(), ["interrupt api"]);
        assert_eq!(act(&project, Control::Stop, &["api"]).await.expect("nothing fails"), [""; 0]);
        assert_eq!(project.runtime.done(), [""; 0], "it is stopped already");
        assert_eq!(act(&project, Control::Restart, &["api"]).await.expect("nothing fails"), ["api"]);
        assert_eq!(project.runtime.done(), ["resume api"], "a stopped service has nothing to end");
        project.runtime.set("api", UnitState::Ready { pid: 7, since: 0 });
        assert_eq!(act(&project, Control::Start, &["api"]).await.expect("nothing fails"), [""; 0]);
    }

    #[tokio::test]
    async fn a_completed_service_runs_again_only_when_it_is_restarted() {
        let project = ready().await;
        project.runtime.set_state("mailer", UnitState::Completed);
        for action in [Control::Stop, Control::Start] {
            assert_eq!(act(&project, action, &["mailer"]).await.expect("nothing fails"), [""; 0], "{action:?}");
        }
        assert_eq!(act(&project, Control::Restart, &["mailer"]).await.expect("nothing fails"), ["mailer"]);
        assert_eq!(project.runtime.done(), ["resume mailer"], "it has nothing to end");
    }

    #[tokio::test]
    async fn an_action_on_a_service_is_one_on_all_its_replicas() {
        let project = FakeProject::new();
        let compose = std::fs::read_to_string(project.path().join("compose.yaml")).expect("readable");
        project.write("compose.yaml", &compose.replace("image: api:1", "image: api:1\n    deploy: { replicas: 2 }"));
        bring_up(&project, &[]).await;
        assert_eq!(act(&project, Control::Stop, &["api"]).await.expect("nothing fails"), ["api", "api-2"]);
        assert_eq!(act(&project, Control::Restart, &["api"]).await.expect("nothing fails"), ["api", "api-2"]);
        assert_eq!(project.runtime.done(), ["interrupt api-2", "interrupt api", "resume api", "resume api-2"]);
    }

    #[tokio::test]
    async fn a_service_that_asks_for_it_restarts_with_its_dependency() {
        let project = FakeProject::new();
        let compose = std::fs::read_to_string(project.path().join("compose.yaml")).expect("readable");
        project.write("compose.yaml", &compose.replace("service_started", "service_started, restart: true"));
        bring_up(&project, &[]).await;
        assert_eq!(act(&project, Control::Restart, &["mailer"]).await.expect("nothing fails"), ["mailer", "api"]);
        assert_eq!(project.runtime.done(), ["interrupt api", "interrupt mailer", "resume mailer", "resume api"]);
        assert_eq!(
            act(&project, Control::Restart, &["mailer"]).await.expect("nothing fails"),
            ["mailer"],
            "api is stopped"
        );
    }

    #[tokio::test]
    async fn an_unknown_service_and_one_that_was_never_started_are_named() {
        let project = FakeProject::new();
        let stopped = act(&project, Control::Stop, &[]).await;
        assert!(matches!(stopped, Err(Error::Runtime(RuntimeError::NotRunning { .. }))), "{stopped:?}");
        bring_up(&project, &["mailer"]).await;
        let unknown = act(&project, Control::Stop, &["mailr"]).await;
        assert!(matches!(&unknown, Err(Error::UnknownService { name, .. }) if name == "mailr"), "{unknown:?}");
        let never = act(&project, Control::Restart, &["mailer", "api"]).await;
        assert!(matches!(&never, Err(Error::NotStarted { service }) if service == "api"), "{never:?}");
        assert_eq!(project.runtime.done(), [""; 0], "a refusal changes nothing");
    }
}
