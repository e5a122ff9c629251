use std::collections::BTreeMap;

use devenv_model::observed::ObservedUnit;
use devenv_model::unit::EMULATOR;

use crate::control::Client;
use crate::ports::Ports;
use crate::{Error, Project, desired};

/// What a shell needs to use the AWS CLI, any SDK, or the services themselves against this environment.
///
/// `AWS_*` as every service has them, `<SERVICE>_URL` for a service's first published port, and
/// `<SERVICE>_<CONTAINER PORT>_URL` for each of its ports; `-` in a name becomes `_`.
pub async fn environment(project: &Project) -> Result<BTreeMap<String, String>, Error> {
    let ports = running_ports(project).await?;
    let mut variables = desired::aws_environment(&desired::emulator_url(&ports), desired::region(project));
    for service in project.manifest.services.values() {
        let Some(ports) = ports.get(&service.name) else {
            continue;
        };
        let name = service.name.to_uppercase().replace(|character: char| !character.is_ascii_alphanumeric(), "_");
        for (container, port) in ports {
            variables.insert(format!("{name}_{container}_URL"), format!("http://127.0.0.1:{port}"));
        }
        if let Some(port) = service.ports.first().and_then(|first| ports.get(&first.container)) {
            variables.insert(format!("{name}_URL"), format!("http://127.0.0.1:{port}"));
        }
    }
    Ok(variables)
}

/// The ports of every unit of the environment, which must be running.
pub(crate) async fn running_ports(project: &Project) -> Result<Ports, Error> {
    let not_running = || Error::NotRunning { project: project.instance.name.clone() };
    let mut client = Client::reach(&project.state).await?.ok_or_else(not_running)?;
    let units: Vec<ObservedUnit> = client.observe().await?;
    let ports: Ports = units.into_iter().map(|unit| (unit.name, unit.ports)).collect();
    if ports.contains_key(EMULATOR) { Ok(ports) } else { Err(not_running()) }
}
