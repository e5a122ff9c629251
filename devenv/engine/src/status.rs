use std::collections::BTreeMap;
use std::net::SocketAddr;

use devenv_model::event::{EnvironmentReport, UnitReport};
use devenv_model::intent::{Binding, binding_of};
use devenv_model::manifest::{EmulatorKind, Service};
use devenv_model::observed::{Exit, ObservedUnit, UnitState};
use devenv_model::transport::Protocol;
use devenv_model::unit::EMULATOR;
use devenv_resources::chosen_emulator::ChosenEmulator;
use devenv_runtime::{LOG_TAIL, Observation, Project, Runtime};

use crate::desired;
use crate::error::Error;
use crate::resolve::{self, ResolvedRuntime};

pub(crate) const READY: &str = "ready";
pub(crate) const STARTING: &str = "starting";
pub(crate) const COMPLETED: &str = "completed";

/// The environment as it is now. Units that do not run are reported as stopped.
pub async fn status(project: &Project) -> Result<EnvironmentReport, Error> {
    let resolved = resolve::current(project).await?;
    let runtime = resolved.connect(project).await?;
    of_runtime(project, &resolved, runtime.as_ref()).await
}

pub(crate) async fn of_runtime(
    project: &Project,
    resolved: &ResolvedRuntime,
    runtime: &dyn Runtime,
) -> Result<EnvironmentReport, Error> {
    let Observation { units, leftovers, .. } = runtime.observe().await?;
    let answers = matches!(units.get(EMULATOR).map(|unit| &unit.state), Some(UnitState::Ready { .. }));
    // Somebody removed the running emulator's data file.
    let is_lost = answers && runtime.has_lost_data();
    let mut reports = Vec::new();
    for name in resolved.emulator.units(&project.manifest) {
        reports.push(report(project, name, units.get(name)));
    }
    let host = project.manifest.functions.host().map(str::to_owned);
    for name in host.into_iter().chain(project.manifest.units()) {
        reports.push(report(project, &name, units.get(&name)));
    }
    for (name, unit) in &units {
        if reports.iter().all(|report| report.name != *name) {
            reports.push(report(project, name, Some(unit)));
        }
    }
    for report in reports.iter_mut().filter(|report| units.contains_key(&report.name)) {
        report.container = runtime.container_name(&report.name);
    }
    for report in &mut reports {
        let died = units.get(&report.name).is_some_and(|unit| {
            matches!(unit.state, UnitState::Failed { .. } | UnitState::Backoff { .. })
                || matches!(unit.state, UnitState::Stopped { exit: Some(exit) } if exit != Exit::Code(0))
        });
        if died {
            report.log = runtime.last_lines(&report.name, LOG_TAIL).await;
        }
    }
    for leftover in leftovers {
        if let Some(report) = reports.iter_mut().find(|report| report.name == leftover.unit) {
            report.detail = Some(format!("process {} is left from a killed run", leftover.pid));
        }
    }
    Ok(EnvironmentReport {
        project: project.instance.name.clone(),
        runtime: resolved.host.kind().to_string(),
        emulator: resolved.describe_emulator(project),
        data: data(project, &resolved.emulator, runtime).filter(|_| !is_lost),
        supervisor_pid: runtime.supervisor_pid().await,
        units: reports,
    })
}

/// The place of data that outlives the environment; `None` if no data does.
fn data(project: &Project, emulator: &ChosenEmulator, runtime: &dyn Runtime) -> Option<String> {
    match emulator {
        _ if project.instance.ephemeral => None,
        ChosenEmulator::Absent | ChosenEmulator::Outside(_) | ChosenEmulator::Own(EmulatorKind::Localstack) => None,
        ChosenEmulator::Own(kind) => Some(runtime.data_place(*kind)),
    }
}

fn report(project: &Project, name: &str, unit: Option<&ObservedUnit>) -> UnitReport {
    let (state, detail, pid) = match unit.map(|unit| &unit.state) {
        None => ("stopped", None, None),
        Some(UnitState::Starting { pid, .. }) => (STARTING, None, Some(*pid)),
        Some(UnitState::Ready { pid, .. }) => (READY, None, Some(*pid)),
        Some(UnitState::Completed) => (COMPLETED, None, None),
        Some(UnitState::Backoff { exit, .. }) => ("backoff", Some(format!("ended with {exit}")), None),
        Some(UnitState::Stopped { exit }) => ("stopped", exit.map(|exit| format!("ended with {exit}")), None),
        Some(UnitState::Failed { error }) => ("failed", Some(error.clone()), None),
    };
    let bindings = unit.map(|unit| unit.bindings.clone()).unwrap_or_default();
    let mut ports = BTreeMap::new();
    for binding in &bindings {
        ports.entry(binding.container).or_insert(binding.host.port());
    }
    UnitReport {
        name: name.to_owned(),
        state: state.to_owned(),
        detail,
        url: first_address(project, name, &bindings).map(|address| match project.manifest.database(name) {
            Some(_) => format!("postgres://{address}"),
            None => format!("http://{address}"),
        }),
        ports,
        bindings,
        pid: pid.filter(|pid| *pid != 0),
        container: None,
        restarts: unit.map_or(0, |unit| unit.restarts),
        took_ms: None,
        log: Vec::new(),
    }
}

/// The address of a service's first published port of TCP, or of the emulator's first port.
fn first_address(project: &Project, name: &str, bindings: &[Binding]) -> Option<SocketAddr> {
    let first = project.manifest.service_of(name).and_then(Service::first_stream);
    let binding = match first {
        Some(port) => binding_of(bindings, port.container)?,
        None => bindings.first().filter(|binding| binding.protocol == Protocol::Tcp)?,
    };
    Some(desired::reached(binding.host))
}

#[cfg(test)]
mod tests {
    use devenv_fakes::FakeProject;
    use devenv_model::observed::Leftover;
    use devenv_runtime::RuntimeRequest;

    use super::*;
    use crate::resolve::choose;

    async fn report(project: &FakeProject) -> EnvironmentReport {
        let project = project.load();
        let resolved = choose(&project, &RuntimeRequest::default()).await.expect("a fake answers");
        let runtime = resolved.connect(&project).await.expect("a fake answers");
        of_runtime(&project, &resolved, runtime.as_ref()).await.expect("a fake answers")
    }

    #[tokio::test]
    async fn what_died_is_shown_with_its_last_lines_and_what_runs_with_its_address() {
        let project = FakeProject::new();
        project.runtime.set("api", UnitState::Ready { pid: 7, since: 0 });
        project.runtime.set("mailer", UnitState::Backoff { exit: Exit::Code(3), until: 0 });
        project.runtime.leftovers.lock().expect("not poisoned").push(Leftover { unit: "emulator".to_owned(), pid: 9 });
        let report = report(&project).await;
        let unit = |name: &str| report.units.iter().find(|unit| unit.name == name).expect("it is listed");
        assert_eq!(unit("api").url.as_deref(), Some("http://127.0.0.2:20180"));
        assert_eq!(unit("api").container.as_deref(), Some("shop-api"));
        assert!(unit("api").log.is_empty());
        assert_eq!(unit("mailer").state, "backoff");
        assert_eq!(unit("mailer").log, ["the end of mailer"]);
        let left = unit("emulator").detail.as_deref();
        assert_eq!(left, Some("process 9 is left from a killed run"));
        assert_eq!(unit("emulator").container, None);
    }

    #[tokio::test]
    async fn data_whose_place_is_gone_is_not_promised() {
        let project = FakeProject::new();
        project.runtime.set("emulator", UnitState::Ready { pid: 7, since: 0 });
        assert_eq!(report(&project).await.data.as_deref(), Some("memory of dynamodb-local"));
        *project.runtime.lost_data.lock().expect("not poisoned") = true;
        assert_eq!(report(&project).await.data, None);
    }
}
