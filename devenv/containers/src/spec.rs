//! Translates a unit intent into a container specification.

use std::collections::BTreeMap;

use camino::Utf8Path;
use devenv_model::container::{Attachment, ContainerSettings, MountSource, Namespace, NetworkMode};
use devenv_model::intent::{Binding, Lifetime, RestartPolicy, UnitIntent};
use devenv_model::manifest::Service;
use devenv_model::names::short_digest;
use devenv_model::unit::is_own;
use devenv_runtime::Error;

use crate::container::{ContainerSpec, PublishedPort};
use crate::scope::Scope;
use crate::{files, init};

/// The variable that names the image to its program, unless the Compose file sets it.
const IMAGE: &str = "IMAGE";
const DIGEST_BYTES: usize = 12;

/// The environment of the units: their names in the engine, and the services of the manifest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) services: &'a BTreeMap<String, Service>,
    /// The folder of the files that an engine cannot put into a container.
    pub(crate) folder: &'a Utf8Path,
    /// The id of the function host's image; empty if it is not built yet.
    pub(crate) init: &'a str,
}

/// Returns the specification. `image` is an id, or a reference with an exact version.
pub(crate) fn spec(intent: &UnitIntent, image: &str, surroundings: Surroundings) -> Result<ContainerSpec, Error> {
    let mut environment = intent.environment.clone();
    if !is_own(&intent.name) {
        environment.entry(IMAGE.to_owned()).or_insert_with(|| image.to_owned());
    }
    let digests = files::digests(&intent.name, &intent.container.files)?;
    let companions = intent.container.companions().into_iter().filter_map(|name| surroundings.services.get(name));
    Ok(ContainerSpec {
        name: intent.name.clone(),
        image: image.to_owned(),
        entrypoint: intent.entrypoint.clone(),
        command: intent.command.clone(),
        environment,
        ports: intent.bindings.iter().map(published).collect(),
        probe: intent.probe.clone(),
        stop_grace_period: intent.stop_grace_period,
        user: intent.user.clone(),
        healthcheck: intent.healthcheck.clone(),
        settings: settings(intent, surroundings),
        digests: digests.into_iter().chain(companions.map(digest)).collect(),
        labels: intent.labels.clone(),
        restart: match intent.lifetime {
            Lifetime::OneShot => RestartPolicy::No,
            Lifetime::LongLived { restart } => restart,
        },
        init: intent.runs_under_init.then(|| surroundings.init.to_owned()),
    })
}

fn published(binding: &Binding) -> PublishedPort {
    let Binding { container, protocol, host } = *binding;
    PublishedPort { container, protocol, host: host.port(), host_ip: host.ip() }
}

/// A digest of another service, whose container is replaced when it changes.
fn digest(service: &Service) -> String {
    // A notice has a line number.
    let service = Service { notices: Vec::new(), ..service.clone() };
    short_digest(format!("{service:?}"), DIGEST_BYTES)
}

/// The settings with the engine's names.
fn settings(intent: &UnitIntent, surroundings: Surroundings) -> ContainerSettings {
    let Surroundings { scope, services, folder, .. } = surroundings;
    let mut settings = intent.container.clone();
    settings.mounts.extend(intent.runs_under_init.then(init::mount));
    for mount in &mut settings.mounts {
        if let MountSource::Volume { volume, .. } = &mut mount.source {
            let is_own = is_own(&intent.name);
            volume.name = Some(if is_own { scope.volume(&volume.key) } else { scope.volume_of(volume) });
        }
    }
    for from in &mut settings.volumes_from {
        from.service = scope.container(&from.service);
    }
    let namespaces = &mut settings.security.namespaces;
    for namespace in [&mut namespaces.ipc, &mut namespaces.pid, &mut namespaces.uts, &mut namespaces.cgroup] {
        if let Some(Namespace::Service(service)) = namespace {
            *namespace = Some(Namespace::Named(format!("container:{}", scope.container(service))));
        }
    }
    match &mut settings.networking.mode {
        NetworkMode::Joined(attachments) => {
            if is_own(&intent.name) {
                attachments.extend(of_services(services));
            } else if attachments.iter().all(|attachment| attachment.network.external) {
                // The emulator is not on the networks of others.
                attachments.push(Attachment::default());
            }
            // A replica has its service's name beside its own.
            let service = Some(&intent.service).filter(|service| **service != intent.name);
            for attachment in attachments {
                attachment.aliases.extend(intent.aliases.iter().chain(service).cloned());
                attachment.network.name = Some(scope.network_of(&attachment.network));
            }
        }
        NetworkMode::Service(service) => *service = scope.container(service),
        NetworkMode::None => {}
    }
    files::bind_the_rest(&intent.name, &mut settings, folder);
    settings
}

/// Every network of the environment but its own, as devenv's own units join it.
pub(crate) fn of_services(services: &BTreeMap<String, Service>) -> Vec<Attachment> {
    let mut joined: Vec<Attachment> = Vec::new();
    for attachment in services.values().flat_map(|service| service.container.networking.mode.attachments()) {
        let network = &attachment.network;
        let is_known = joined.iter().any(|joined| joined.network == *network);
        if !network.external && !network.key.is_empty() && !is_known {
            joined.push(Attachment { network: network.clone(), ..Attachment::default() });
        }
    }
    joined
}

#[cfg(test)]
#[path = "spec_tests.rs"]
mod tests;
