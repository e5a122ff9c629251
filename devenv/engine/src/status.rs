use std::collections::BTreeMap;

use devenv_model::event::{EnvironmentReport, UnitReport};
use devenv_model::observed::{ObservedUnit, UnitState};
use devenv_model::unit::EMULATOR;

use crate::effects::Runtime;
use crate::process_runtime::ProcessRuntime;
use crate::{Error, Project};

/// The environment as it is now. One that does not run is reported as stopped.
pub async fn status(project: &Project) -> Result<EnvironmentReport, Error> {
    let runtime = ProcessRuntime::connect(&project.state).await?;
    of_runtime(project, &runtime).await
}

pub(crate) async fn of_runtime(project: &Project, runtime: &ProcessRuntime) -> Result<EnvironmentReport, Error> {
    let (units, leftovers) = runtime.observe().await?;
    let mut reports = vec![report(project, EMULATOR, units.get(EMULATOR))];
    for name in project.manifest.services.keys() {
        reports.push(report(project, name, units.get(name)));
    }
    for (name, unit) in &units {
        if name != EMULATOR && !project.manifest.services.contains_key(name) {
            reports.push(report(project, name, Some(unit)));
        }
    }
    for leftover in leftovers {
        if let Some(report) = reports.iter_mut().find(|report| report.name == leftover.unit) {
            report.detail = Some(format!("process {} is left of a run that was killed", leftover.pid));
        }
    }
    Ok(EnvironmentReport {
        project: project.instance.name.clone(),
        runtime: "process".to_owned(),
        emulator: "embedded".to_owned(),
        data: (!project.instance.ephemeral).then(|| project.state.database().into_string()),
        supervisor_pid: runtime.supervisor_pid().await,
        units: reports,
    })
}

fn report(project: &Project, name: &str, unit: Option<&ObservedUnit>) -> UnitReport {
    let (state, detail, pid) = match unit.map(|unit| &unit.state) {
        None => ("stopped", None, None),
        Some(UnitState::Starting { pid, .. }) => ("starting", None, Some(*pid)),
        Some(UnitState::Ready { pid, .. }) => ("ready", None, Some(*pid)),
        Some(UnitState::Backoff { exit, .. }) => ("backoff", Some(format!("ended with {exit}")), None),
        Some(UnitState::Stopped { exit }) => ("stopped", exit.map(|exit| format!("ended with {exit}")), None),
        Some(UnitState::Failed { error }) => ("failed", Some(error.clone()), None),
    };
    let ports: BTreeMap<u16, u16> = unit.map(|unit| unit.ports.clone()).unwrap_or_default();
    UnitReport {
        name: name.to_owned(),
        state: state.to_owned(),
        detail,
        url: first_port(project, name, &ports).map(|port| format!("http://127.0.0.1:{port}")),
        ports,
        pid,
        restarts: unit.map_or(0, |unit| unit.restarts),
        took_ms: None,
    }
}

/// The host port of a service's first published port; the emulator has only one.
fn first_port(project: &Project, name: &str, ports: &BTreeMap<u16, u16>) -> Option<u16> {
    let service = project.manifest.services.get(name);
    match service.and_then(|service| service.ports.first()) {
        Some(port) => ports.get(&port.container).copied(),
        None => ports.values().next().copied(),
    }
}
