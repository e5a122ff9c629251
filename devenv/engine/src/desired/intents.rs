//! The intents of the units that a command selects.

use devenv_model::artifact::Artifact;
use devenv_model::functions::FUNCTION_HOST;
use devenv_model::intent::{Lifetime, Ports, RestartPolicy, UnitIntent};
use devenv_model::manifest::{Condition, Dependency, Manifest, Service, StartOrder};
use devenv_model::reconcile::{Desired, DesiredUnit};
use devenv_resources::chosen_emulator::ChosenEmulator;
use devenv_resources::emulator_ports::emulator_units;
use devenv_runtime::{Abilities, Project};

use super::selection::dependencies;
use super::{emulator, functions, service};
use crate::error::Error;
use crate::snapshot::Snapshot;

/// The artifacts of the selected units, with the units' names, which must be built or pulled before the units run.
pub(crate) fn artifacts(
    project: &Project,
    chosen: &ChosenEmulator,
    abilities: Abilities,
    services: &[&Service],
) -> Result<Vec<(String, Artifact)>, Error> {
    let of_emulator: Vec<_> = match chosen {
        ChosenEmulator::Own(kind) if abilities.images => {
            let units = emulator_units(&project.manifest, *kind).into_iter();
            units.map(|unit| Ok((unit.to_owned(), emulator::image(project, unit, *kind)?))).collect()
        }
        // As a process, it is this `devenv` program.
        ChosenEmulator::Own(_) | ChosenEmulator::Outside(_) | ChosenEmulator::Absent => Vec::new(),
    };
    // As a process, it is the program beside this one.
    let of_functions = functions::image(project, services).filter(|_| abilities.images);
    let of_functions = of_functions.map(|artifact| Ok((FUNCTION_HOST.to_owned(), artifact)));
    let wanted = services.iter().filter(|service| service.replicas > 0);
    let of_service = |service: &&Service| Ok((service.name.clone(), service::artifact(project, service, abilities)?));
    of_emulator.into_iter().chain(of_functions).chain(wanted.map(of_service)).collect()
}

/// The intents of the emulator, if it is this environment's own, and of the selected services.
pub(crate) fn intents(
    project: &Project,
    chosen: &ChosenEmulator,
    snapshot: &Snapshot,
    ports: &Ports,
    services: &[&Service],
) -> Result<Vec<UnitIntent>, Error> {
    let bindings = |unit: &str| ports.get(unit).cloned().unwrap_or_default();
    let mut intents = Vec::new();
    if let ChosenEmulator::Own(kind) = chosen {
        for unit in emulator_units(&project.manifest, *kind) {
            intents.push(emulator::intent(project, unit, *kind, snapshot, bindings(unit))?);
        }
    }
    let address = chosen.seen_by_units(snapshot.abilities.network, ports)?;
    intents.extend(functions::host(project, snapshot, &address, ports, services));
    for service in services {
        for unit in service.units() {
            let own = bindings(&unit);
            intents.push(service::intent(project, service, &unit, snapshot.abilities, &address, ports, own)?);
        }
    }
    Ok(intents)
}

/// The wanted state for the plan. `hashes` are the hashes of the intents, in their order.
pub(crate) fn desired(
    project: &Project,
    chosen: &ChosenEmulator,
    abilities: Abilities,
    intents: &[UnitIntent],
    hashes: Vec<String>,
) -> Desired {
    let manifest = &project.manifest;
    let unit = |(intent, config_hash): (&UnitIntent, String)| {
        let service = manifest.services.get(&intent.service);
        DesiredUnit {
            name: intent.name.clone(),
            service: intent.service.clone(),
            config_hash,
            artifact: intent.artifact.clone(),
            depends_on: service.map(|service| needed(manifest, service)).unwrap_or_default(),
            is_one_shot: intent.lifetime == Lifetime::OneShot,
            runs_again: runs_again(intent),
            start: match service {
                // A unit without a network gets the emulator's port, which is known once the emulator listens.
                Some(service) if abilities.network => service.start,
                _ => StartOrder::AfterTables,
            },
        }
    };
    let mut known: Vec<String> = manifest.units().collect();
    known.extend(chosen.units(manifest).into_iter().map(str::to_owned));
    known.extend(manifest.functions.host().map(str::to_owned));
    Desired {
        units: intents.iter().zip(hashes).map(unit).collect(),
        known,
        resources: manifest.resources(),
        needs: manifest.needs(),
        seeds: manifest.seeded(),
    }
}

/// The units that a service's units wait for: its dependencies and, if it is a function, the host of functions.
fn needed(manifest: &Manifest, service: &Service) -> Vec<(String, Dependency)> {
    let host = manifest.functions.function(&service.name).map(|_| {
        // A function's program may end when its host goes away.
        let dependency = Dependency { condition: Condition::ServiceHealthy, restart: true };
        (FUNCTION_HOST.to_owned(), dependency)
    });
    dependencies(manifest, service).into_iter().chain(host).collect()
}

/// Whether a unit that has completed starts again: its file does not declare that it runs once.
pub(crate) fn runs_again(intent: &UnitIntent) -> bool {
    matches!(intent.lifetime, Lifetime::LongLived { restart: RestartPolicy::OnFailure { .. } })
}

#[cfg(test)]
mod tests {
    use devenv_runtime::Error as RuntimeError;
    use std::collections::BTreeMap;

    use devenv_fakes::FakeProject;
    use devenv_model::artifact::CommandInputs;
    use devenv_model::container::Mount;
    use devenv_model::intent::Binding;
    use devenv_model::manifest::EmulatorKind;
    use devenv_model::observed::Observed;
    use devenv_model::unit::Probe;

    use super::*;
    use crate::snapshot::Caller;

    const PROCESSES: Abilities = Abilities { images: false, network: false, any_address: false };
    const CONTAINERS: Abilities = Abilities { images: true, network: true, any_address: true };

    fn wanted(abilities: Abilities, kind: EmulatorKind, names: &[&str]) -> Result<Vec<UnitIntent>, Error> {
        let project = FakeProject::new().load();
        let caller = Caller { program: "/bin/devenv".into(), ..Caller::default() };
        let snapshot = Snapshot { observed: Observed::default(), held_ports: BTreeMap::new(), abilities, caller };
        let api = Binding { host: "127.0.0.2:20180".parse().expect("an address"), ..Binding::on_loopback(80, 0) };
        let api = if abilities.any_address { api } else { Binding::on_loopback(80, 20180) };
        let emulator = Binding::on_loopback(kind.port(), 20100);
        let ports = [("emulator", emulator), ("api", api)].map(|(unit, one)| (unit.to_owned(), vec![one])).into();
        let services: Vec<&Service> = names.iter().map(|name| &project.manifest.services[*name]).collect();
        intents(&project, &ChosenEmulator::Own(kind), &snapshot, &ports, &services)
    }

    fn host(intent: &UnitIntent) -> String {
        intent.bindings.first().map(|binding| binding.host.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_process_is_a_program_on_loopback_that_is_given_addresses_of_this_machine() {
        let intents = wanted(PROCESSES, EmulatorKind::Embedded, &["api"]).expect("no mistake");
        let [emulator, api] = &intents[..] else { panic!("two units") };
        let Artifact::Command(command) = &emulator.artifact else { panic!("this very program") };
        assert_eq!(command.inputs, CommandInputs::Files(vec!["/bin/devenv".into()]));
        assert_eq!(command.run[1], "emulator");
        assert_eq!(api.artifact.package(), Some("api"));
        assert_eq!(host(api), "127.0.0.1:20180");
        assert_eq!(api.environment["EMULATOR"], "http://127.0.0.1:20100");
        assert_eq!(api.environment["AWS_ENDPOINT_URL"], "http://127.0.0.1:20100");
        assert_eq!(api.probe, Probe::Http { url: "http://127.0.0.1:20180/health".to_owned() });
    }

    #[test]
    fn a_container_is_an_image_at_its_own_address_that_is_given_names() {
        let intents = wanted(CONTAINERS, EmulatorKind::DynamodbLocal, &["api", "mailer"]).expect("no mistake");
        let [emulator, api, mailer] = &intents[..] else { panic!("three units") };
        assert_eq!(emulator.artifact.image(), Some("amazon/dynamodb-local:2.6.1"));
        assert!(emulator.container.mounts.contains(&Mount::volume("dynamodb-local", "/data")));
        assert_eq!(host(api), "127.0.0.2:20180");
        assert_eq!(api.environment["AWS_ENDPOINT_URL"], "http://emulator:8000");
        assert_eq!(api.environment.get("EMULATOR"), None);
        assert_eq!(mailer.artifact.image(), Some("mailer:1"));
        assert_eq!(mailer.probe, Probe::Healthcheck);
    }

    #[test]
    fn services_reach_the_emulator_under_the_name_that_it_replaces() {
        let project = FakeProject::new();
        let compose = "services:\n  dynamo: { image: amazon/dynamodb-local, ports: [\"8000\"] }\n  api: { image: \"api:1\", \
                       ports: [\"80\"], environment: { AWS_ENDPOINT_URL: \"http://dynamo:8000\" } }\n";
        project.write("compose.yaml", compose);
        project.write("devenv.toml", &project.settings().replace("default", "replaces = \"dynamo\"\ndefault"));
        let project = project.load();
        let emulator = ChosenEmulator::Own(EmulatorKind::DynamodbLocal);
        let ports: Ports = [
            ("emulator".to_owned(), vec![Binding::on_loopback(8000, 20100)]),
            ("api".to_owned(), vec![Binding::on_loopback(80, 20180)]),
        ]
        .into();
        let api = &project.manifest.services["api"];
        for (abilities, expected) in [(PROCESSES, "http://127.0.0.1:20100"), (CONTAINERS, "http://dynamo:8000")] {
            let address = emulator.seen_by_units(abilities.network, &ports).expect("it is reached");
            let environment =
                service::environment(&project, api, "api", abilities, &address, &ports).expect("no mistake");
            assert_eq!(environment["AWS_ENDPOINT_URL"], expected);
        }
    }

    #[test]
    fn what_a_runtime_cannot_run_is_refused() {
        let unrunnable = wanted(PROCESSES, EmulatorKind::Embedded, &["mailer"]);
        assert!(matches!(unrunnable, Err(Error::NotAProcess { service }) if service == "mailer"));
        let unnamed = wanted(CONTAINERS, EmulatorKind::Localstack, &[]);
        assert!(matches!(unnamed, Err(Error::Runtime(RuntimeError::NoEmulatorImage { .. }))));
    }

    #[test]
    fn a_unit_without_a_network_waits_for_the_tables() {
        let project = FakeProject::new();
        project.write("devenv.toml", &project.settings().replace("health = ", "start = \"at-once\"\nhealth = "));
        let project = project.load();
        let emulator = ChosenEmulator::Own(EmulatorKind::Embedded);
        for (abilities, expected) in [(PROCESSES, StartOrder::AfterTables), (CONTAINERS, StartOrder::AtOnce)] {
            let intents = wanted(abilities, EmulatorKind::DynamodbLocal, &["api"]).expect("no mistake");
            let hashes = intents.iter().map(|intent| intent.name.clone()).collect();
            let desired = desired(&project, &emulator, abilities, &intents, hashes);
            let api = desired.units.iter().find(|unit| unit.name == "api").expect("it is wanted");
            assert_eq!((api.start, api.config_hash.as_str()), (expected, "api"));
        }
    }
}
