//! Runs a command beside the program of a running unit.

use devenv_model::exec::ExecOrder;
use devenv_runtime::{Error as RuntimeError, Project};

use crate::error::Error;
use crate::{desired, resolve};

/// Runs the command and returns its exit code. Input, output and signals are those of this process.
pub async fn exec(project: &Project, service: &str, order: &ExecOrder) -> Result<i32, Error> {
    let resolved = resolve::current(project).await?;
    let runtime = resolved.connect(project).await?;
    let units = runtime.observe().await?.units;
    if units.is_empty() {
        return Err(RuntimeError::NotRunning { project: project.instance.name.clone() }.into());
    }
    if !units.contains_key(service) {
        let known = units.into_keys().collect();
        return Err(if project.manifest.service_of(service).is_some() {
            Error::NotStarted { service: service.to_owned() }
        } else {
            Error::UnknownService { name: service.to_owned(), known }
        });
    }
    let mut order = order.clone();
    let environment = match project.manifest.service_of(service) {
        Some(of) => {
            let ports = units.iter().map(|(name, unit)| (name.clone(), unit.bindings.clone())).collect();
            let abilities = resolved.host.abilities();
            let emulator = resolved.emulator.seen_by_units(abilities.network, &ports)?;
            if !abilities.images && order.directory.is_none() {
                order.directory = of.process.as_ref().and_then(|process| process.run.workdir());
            }
            desired::environment(project, of, service, abilities, &emulator, &ports)?
        }
        None => std::collections::BTreeMap::new(),
    };
    Ok(runtime.exec(service, &environment, &order).await?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use devenv_fakes::FakeProject;
    use devenv_model::manifest::EmulatorKind;
    use devenv_model::observed::UnitState;
    use devenv_runtime::{Remembered, RememberedChoice, RuntimeKind};

    use super::*;

    #[tokio::test]
    async fn a_command_runs_beside_a_running_service_only() {
        let fake = FakeProject::new();
        let project = fake.load();
        let order = ExecOrder {
            command: vec!["env".to_owned()],
            environment: BTreeMap::new(),
            directory: None,
            user: None,
            tty: false,
        };
        project.state.prepare().expect("writable");
        let mut remembered = Remembered::default();
        let (runtime, emulator) = (RuntimeKind::Docker, EmulatorKind::DynamodbLocal);
        remembered.chosen = Some(RememberedChoice { runtime, emulator, emulator_url: None });
        remembered.keep(&project.state).expect("writable");
        let run = async |service: &str| exec(&project, service, &order).await;
        assert!(matches!(run("api").await, Err(Error::Runtime(RuntimeError::NotRunning { .. }))));
        fake.runtime.set("api", UnitState::Ready { pid: 7, since: 0 });
        assert!(matches!(run("mailer").await, Err(Error::NotStarted { service }) if service == "mailer"));
        assert!(matches!(run("ghost").await, Err(Error::UnknownService { name, .. }) if name == "ghost"));
        assert_eq!(run("api").await.expect("it runs"), 7);
        let asked = fake.runtime.done();
        let asked = asked.iter().find(|line| line.starts_with("exec")).expect("it is asked for");
        assert_eq!(asked, "exec env in api with GREETING");
    }
}
