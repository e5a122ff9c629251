//! What is wanted of every unit that a command is about.

use std::net::SocketAddr;

use devenv_model::artifact::Artifact;
use devenv_model::intent::{Binding, Ports, Protocol, UnitIntent};
use devenv_model::manifest::{Service, StartOrder};
use devenv_model::reconcile::{Desired, DesiredUnit};
use devenv_model::unit::EMULATOR;

use super::address::bound;
use super::selection::dependencies;
use super::{emulator, service};
use crate::chosen_emulator::ChosenEmulator;
use crate::runtime::Abilities;
use crate::snapshot::Snapshot;
use crate::{Error, Project};

/// What has to be compiled or fetched before the selected units can run.
pub(crate) fn artifacts(
    project: &Project,
    chosen: &ChosenEmulator,
    abilities: Abilities,
    services: &[&Service],
) -> Result<Vec<Artifact>, Error> {
    let of_emulator = match chosen {
        // A process of it is this very program.
        ChosenEmulator::Own(kind) if abilities.images => Some(emulator::image(project, *kind)),
        ChosenEmulator::Own(_) | ChosenEmulator::Outside(_) => None,
    };
    of_emulator.into_iter().chain(services.iter().map(|service| service::artifact(service, abilities))).collect()
}

/// The emulator, where it is this environment's own, and the selected services.
pub(crate) fn intents(
    project: &Project,
    chosen: &ChosenEmulator,
    snapshot: &Snapshot,
    ports: &Ports,
    services: &[&Service],
) -> Result<Vec<UnitIntent>, Error> {
    let mut intents = Vec::new();
    if let ChosenEmulator::Own(kind) = chosen {
        intents.push(emulator::intent(project, *kind, snapshot, bindings(snapshot.abilities, EMULATOR, None, ports))?);
    }
    let address = chosen.seen_by_units(snapshot.abilities, ports)?;
    for service in services {
        let own = bindings(snapshot.abilities, &service.name, Some(service), ports);
        intents.push(service::intent(project, service, snapshot.abilities, &address, ports, own)?);
    }
    Ok(intents)
}

/// What the plan is made from. `hashes` are those of the intents, in their order.
pub(crate) fn desired(
    project: &Project,
    chosen: &ChosenEmulator,
    abilities: Abilities,
    intents: &[UnitIntent],
    hashes: Vec<String>,
) -> Desired {
    let manifest = &project.manifest;
    let unit = |(intent, config_hash): (&UnitIntent, String)| {
        let service = manifest.services.get(&intent.name).filter(|_| intent.name != EMULATOR);
        DesiredUnit {
            name: intent.name.clone(),
            config_hash,
            package: intent.artifact.package().map(str::to_owned),
            image: intent.artifact.image().map(str::to_owned),
            depends_on: service.map(dependencies).unwrap_or_default(),
            start: match service {
                // A unit without a network is told the emulator's port, which is known when it listens.
                Some(service) if abilities.network => service.start,
                _ => StartOrder::AfterTables,
            },
        }
    };
    let mut known: Vec<String> = manifest.services.keys().cloned().collect();
    if matches!(chosen, ChosenEmulator::Own(_)) {
        known.push(EMULATOR.to_owned());
    }
    Desired {
        units: intents.iter().zip(hashes).map(unit).collect(),
        known,
        resources: manifest.resources(),
        seeds: manifest.seeded(),
    }
}

fn bindings(abilities: Abilities, unit: &str, service: Option<&Service>, ports: &Ports) -> Vec<Binding> {
    let binding = |(container, port): (&u16, &u16)| Binding {
        container: *container,
        protocol: Protocol::Tcp,
        host: SocketAddr::new(bound(abilities, service, *container), *port),
    };
    ports.get(unit).into_iter().flatten().map(binding).collect()
}
