//! The intent of a service.

use std::collections::BTreeMap;

use devenv_model::addresses::Addresses;
use devenv_model::artifact::{Artifact, CommandArtifact};
use devenv_model::intent::{Binding, Lifetime, Ports, RestartPolicy, UnitIntent, binding_of};
use devenv_model::manifest::{HealthTest, ProcessRun, ProcessSettings, Service};
use devenv_model::template;
use devenv_model::unit::{EMULATOR, MESSAGES, Probe};
use devenv_resources::variables::redirect;
use devenv_runtime::{Abilities, Project};

use super::address::reached;
use super::aws::{keep_local, region, variables};
use super::database;
use super::functions;
use crate::error::Error;

/// The restarts of a crashing container before it is left failed.
const RESTARTS: u32 = 5;

/// The service's artifact, before any port is known.
pub(super) fn artifact(project: &Project, service: &Service, abilities: Abilities) -> Result<Artifact, Error> {
    if let Some(package) = service.package() {
        return Ok(Artifact::Cargo { package: package.to_owned() });
    }
    if let Some(build) = service.build.as_ref().filter(|_| abilities.images) {
        return Ok(Artifact::Dockerfile(Box::new(build.clone())));
    }
    if abilities.images {
        return Ok(Artifact::Image { reference: service.image.clone().unwrap_or_default() });
    }
    if database::serves(project, service) {
        return Ok(Artifact::Command(CommandArtifact::default()));
    }
    match &process(service)?.run {
        ProcessRun::Package(package) => Ok(Artifact::Cargo { package: package.clone() }),
        ProcessRun::Command(command) => Ok(Artifact::Command(command.clone())),
    }
}

/// The intent of one of the service's units. `emulator` has the addresses at which the service reaches the emulator.
pub(super) fn intent(
    project: &Project,
    service: &Service,
    unit: &str,
    abilities: Abilities,
    emulator: &Addresses,
    ports: &Ports,
    bindings: Vec<Binding>,
) -> Result<UnitIntent, Error> {
    let mut artifact = artifact(project, service, abilities)?;
    let databases = database::urls(project, abilities, ports)?;
    let lookup = lookup(project, unit, emulator, ports, &databases);
    let environment = filled(project, service, abilities, &lookup)?;
    if !abilities.images
        && let Artifact::Command(CommandArtifact { run, .. }) = &mut artifact
    {
        *run = run.iter().map(|word| fill(word, &lookup)).collect::<Result<_, _>>()?;
    }
    let is_one_shot = project.manifest.is_one_shot(&service.name);
    let is_function = project.manifest.functions.function(&service.name).is_some();
    let intent = UnitIntent {
        name: unit.to_owned(),
        service: service.name.clone(),
        aliases: Vec::new(),
        artifact,
        entrypoint: service.entrypoint.clone(),
        command: service.command.clone(),
        environment,
        probe: match functions::probe(project, service, unit, ports) {
            Some(probe) => probe,
            None if is_one_shot => Probe::Completed,
            None => probe(service, &bindings),
        },
        bindings,
        healthcheck: service.healthcheck.clone(),
        container: service.container.clone(),
        user: service.user.clone(),
        labels: service.labels.clone(),
        stop_grace_period: service.stop_grace_period,
        lifetime: if is_one_shot { Lifetime::OneShot } else { Lifetime::LongLived { restart: restart(service) } },
        runs_under_init: false,
    };
    let intent = if is_function && abilities.images { functions::contained(intent) } else { intent };
    database::finish(project, service, abilities, intent)
}

/// The environment variables of one of the service's units.
pub(crate) fn environment(
    project: &Project,
    service: &Service,
    unit: &str,
    abilities: Abilities,
    emulator: &Addresses,
    ports: &Ports,
) -> Result<BTreeMap<String, String>, Error> {
    let databases = database::urls(project, abilities, ports)?;
    filled(project, service, abilities, &lookup(project, unit, emulator, ports, &databases))
}

fn filled(
    project: &Project,
    service: &Service,
    abilities: Abilities,
    lookup: &template::Lookup<'_>,
) -> Result<BTreeMap<String, String>, Error> {
    let template::Lookup { service: unit, ports, emulator, .. } = *lookup;
    let mut environment = variables(project, emulator);
    let written = service.environment.iter();
    environment.extend(written.map(|(name, value)| (name.clone(), template::fill_names(value, lookup))));
    if !abilities.network
        && let Some(replaced) = &project.manifest.emulator.replaces
    {
        redirect(&mut environment, &replaced.service, emulator.all());
    }
    database::complete(project, service, abilities, ports, &mut environment)?;
    if !abilities.images && !database::serves(project, service) {
        for (name, value) in &process(service)?.env {
            environment.insert(name.clone(), fill(value, lookup)?);
        }
    }
    environment.extend(functions::variables(project, service, unit, abilities, ports));
    keep_local(&service.name, &mut environment, &neighbours(project, abilities))?;
    Ok(environment)
}

fn lookup<'a>(
    project: &'a Project,
    service: &'a str,
    emulator: &'a Addresses,
    ports: &'a Ports,
    databases: &'a BTreeMap<String, String>,
) -> template::Lookup<'a> {
    template::Lookup { service, ports, emulator, region: region(project), databases }
}

fn process(service: &Service) -> Result<&ProcessSettings, Error> {
    service.process.as_ref().ok_or_else(|| Error::NotAProcess { service: service.name.clone() })
}

fn fill(text: &str, lookup: &template::Lookup<'_>) -> Result<String, Error> {
    let failed = |cause: String| Error::Template { service: lookup.service.to_owned(), cause };
    template::fill(text, lookup).map_err(|error| failed(error.to_string()))
}

/// The hosts that count as loopback: the other units on a network of their own.
fn neighbours(project: &Project, abilities: Abilities) -> Vec<&str> {
    let replaced = project.manifest.emulator.replaces.iter().map(|replaced| replaced.service.as_str());
    let own = [EMULATOR, MESSAGES].into_iter().chain(project.manifest.functions.host());
    let names = project.manifest.services.keys().map(String::as_str).chain(own).chain(replaced);
    if abilities.network { names.collect() } else { Vec::new() }
}

/// The probe of a service that keeps running: `health` of the manifest; else the Compose file's health check; else a connection
/// to the first published port of TCP; else only that the service runs.
fn probe(service: &Service, bindings: &[Binding]) -> Probe {
    let address = |container: u16| Some(reached(binding_of(bindings, container)?.host));
    if let Some(health) = &service.health
        && let Some(address) = address(health.port)
    {
        return Probe::Http { url: format!("http://{address}{}", health.path) };
    }
    if has_healthcheck(service) {
        return Probe::Healthcheck;
    }
    let first = service.first_stream().and_then(|port| address(port.container));
    first.map_or(Probe::Started, |address| Probe::Tcp { address })
}

fn has_healthcheck(service: &Service) -> bool {
    service.healthcheck.as_ref().is_some_and(|check| check.test != HealthTest::Disabled)
}

/// The Compose file's restart policy; without one, at most [`RESTARTS`] restarts.
fn restart(service: &Service) -> RestartPolicy {
    match service.restart.as_deref() {
        Some("no") => RestartPolicy::No,
        Some("always") => RestartPolicy::Always,
        Some("unless-stopped") => RestartPolicy::UnlessStopped,
        Some(policy) => {
            let times = policy.strip_prefix("on-failure:").and_then(|times| times.parse().ok());
            RestartPolicy::OnFailure { times: times.unwrap_or(RESTARTS) }
        }
        None => RestartPolicy::OnFailure { times: RESTARTS },
    }
}
