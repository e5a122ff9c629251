use std::collections::BTreeMap;

use devenv_model::intent::Ports;
use devenv_model::unit::EMULATOR;
use devenv_resources::endpoint::Endpoint;
use devenv_resources::resources::Resources;

use crate::chosen_emulator::ChosenEmulator;
use crate::runtime::Abilities;
use crate::{Error, Project, desired, resolve};

/// What a shell needs to use the AWS CLI, any SDK, or the services themselves against this environment.
///
/// `AWS_*` as every service has them, `<SERVICE>_URL` for a service's first published port, and
/// `<SERVICE>_<CONTAINER PORT>_URL` for each of its ports; `-` in a name becomes `_`.
pub async fn environment(project: &Project) -> Result<BTreeMap<String, String>, Error> {
    let running = Running::find(project).await?;
    let ports = running.ports;
    let mut variables = desired::aws_environment(&running.emulator.to_string(), desired::region(project));
    for service in project.manifest.services.values() {
        let Some(ports) = ports.get(&service.name) else {
            continue;
        };
        let name = service.name.to_uppercase().replace(|character: char| !character.is_ascii_alphanumeric(), "_");
        let url = |container: u16, port: u16| {
            let bound = desired::bound(running.abilities, Some(service), container);
            format!("http://{}", desired::reached(bound, port))
        };
        for (container, port) in ports {
            variables.insert(format!("{name}_{container}_URL"), url(*container, *port));
        }
        let first = service.ports.first().and_then(|first| ports.get_key_value(&first.container));
        if let Some((container, port)) = first {
            variables.insert(format!("{name}_URL"), url(*container, *port));
        }
    }
    Ok(variables)
}

/// The resources of an environment that runs.
pub async fn resources(project: &Project) -> Result<Resources, Error> {
    Ok(Running::find(project).await?.resources(project))
}

/// Where the parts of an environment that runs answer.
pub(crate) struct Running {
    abilities: Abilities,
    pub(crate) ports: Ports,
    pub(crate) emulator: Endpoint,
}

impl Running {
    /// An environment without its emulator does not run.
    pub(crate) async fn find(project: &Project) -> Result<Self, Error> {
        let not_running = || Error::NotRunning { project: project.instance.name.clone() };
        let resolved = resolve::current(project).await?;
        let units = resolved.connect(project).await?.observe().await?.units;
        let runs = match resolved.emulator {
            ChosenEmulator::Own(_) => units.contains_key(EMULATOR),
            ChosenEmulator::Outside(_) => !units.is_empty(),
        };
        if !runs {
            return Err(not_running());
        }
        let ports: Ports = units.into_iter().map(|(name, unit)| (name, unit.ports)).collect();
        let emulator = resolved.emulator.endpoint(&ports)?;
        Ok(Self { abilities: resolved.host.abilities(), ports, emulator })
    }

    pub(crate) fn resources(&self, project: &Project) -> Resources {
        Resources::of(&project.manifest, &self.emulator, desired::region(project))
    }
}
