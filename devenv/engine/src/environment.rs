use std::collections::BTreeMap;

use devenv_model::addresses::Addresses;
use devenv_model::functions::FUNCTION_HOST;
use devenv_model::intent::{Binding, Ports, binding_of};
use devenv_model::manifest::Service;
use devenv_model::names::{url_variable, variable};
use devenv_model::transport::Protocol;
use devenv_model::unit::EMULATOR;
use devenv_resources::chosen_emulator::ChosenEmulator;
use devenv_resources::endpoint::Endpoint;
use devenv_resources::function_host::client::FunctionHost;
use devenv_resources::messaging::queues::Queues;
use devenv_resources::resources::Resources;
use devenv_runtime::{Abilities, Error as RuntimeError, Project};

use crate::error::Error;
use crate::{desired, resolve};

/// The view of a program of this machine, whichever runtime runs the units.
const HERE: Abilities = Abilities { images: false, network: false, any_address: false };

/// The environment variables with which a shell uses the AWS CLI, any SDK, or the services of this environment.
///
/// `AWS_*` as every service has them, `<SERVICE>_URL` for a service's first published port, and
/// `<SERVICE>_<CONTAINER PORT>_URL` for each of its ports; of a database only `<DATABASE>_URL`, with its login. `-` in a name
/// becomes `_`.
pub async fn environment(project: &Project) -> Result<BTreeMap<String, String>, Error> {
    let running = Running::find(project).await?;
    let ports = running.ports;
    let mut variables = desired::variables(project, &running.emulator.urls());
    variables.extend(desired::functions_endpoint(project, &ports).filter(|_| ports.contains_key(FUNCTION_HOST)));
    // A database does not speak HTTP.
    let is_database = |service: &&Service| project.manifest.database(&service.name).is_some();
    for service in project.manifest.services.values().filter(|service| !is_database(service)) {
        let Some(bindings) = ports.get(&service.name) else {
            continue;
        };
        let name = variable(&service.name);
        let url = |binding: &Binding| format!("http://{}", desired::reached(binding.host));
        for binding in bindings.iter().filter(|binding| binding.protocol == Protocol::Tcp) {
            // If a port is published more than once, the first binding counts.
            variables.entry(format!("{name}_{}_URL", binding.container)).or_insert_with(|| url(binding));
        }
        if let Some(binding) = service.first_stream().and_then(|first| binding_of(bindings, first.container)) {
            variables.insert(url_variable(&service.name), url(binding));
        }
    }
    let databases = desired::database_urls(project, HERE, &ports)?;
    variables.extend(databases.into_iter().map(|(name, url)| (url_variable(&name), url)));
    Ok(variables)
}

/// The resources of a running environment.
pub async fn resources(project: &Project) -> Result<Resources, Error> {
    Ok(Running::find(project).await?.resources(project))
}

/// The queues of a running environment.
pub async fn queues(project: &Project) -> Result<Queues, Error> {
    Ok(Queues::of(&project.manifest, &Running::find(project).await?.emulator.messages, desired::region(project)))
}

/// The host of a running environment's functions.
pub async fn function_host(project: &Project) -> Result<FunctionHost, Error> {
    let running = Running::find(project).await?;
    let binding = running.ports.get(FUNCTION_HOST).and_then(|bindings| binding_of(bindings, desired::INVOKE_PORT));
    let binding = binding.ok_or_else(|| Error::NotStarted { service: FUNCTION_HOST.to_owned() })?;
    Ok(FunctionHost::at(&Endpoint::parse(&format!("http://{}", binding.host))?))
}

/// The bindings of a running environment; none if it does not run.
pub async fn running_ports(project: &Project) -> Ports {
    Running::find(project).await.map(|running| running.ports).unwrap_or_default()
}

/// The addresses of a running environment.
pub(crate) struct Running {
    pub(crate) ports: Ports,
    pub(crate) emulator: Addresses<Endpoint>,
}

impl Running {
    /// Finds the running environment. Without its emulator, an environment counts as not running.
    pub(crate) async fn find(project: &Project) -> Result<Self, Error> {
        let not_running = || RuntimeError::NotRunning { project: project.instance.name.clone() };
        let resolved = resolve::current(project).await?;
        let units = resolved.connect(project).await?.observe().await?.units;
        let runs = match resolved.emulator {
            ChosenEmulator::Own(_) => units.contains_key(EMULATOR),
            ChosenEmulator::Outside(_) | ChosenEmulator::Absent => !units.is_empty(),
        };
        if !runs {
            return Err(not_running().into());
        }
        let ports: Ports = units.into_iter().map(|(name, unit)| (name, unit.bindings)).collect();
        let emulator = resolved.emulator.endpoints(&ports)?;
        Ok(Self { ports, emulator })
    }

    pub(crate) fn resources(&self, project: &Project) -> Resources {
        Resources::of(&project.manifest, &self.emulator, desired::region(project))
    }
}
