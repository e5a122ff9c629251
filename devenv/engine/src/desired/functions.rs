//! The intent of the function host, and what a function's unit gets to know of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use devenv_model::addresses::Addresses;
use devenv_model::artifact::{Artifact, CommandArtifact, CommandInputs};
use devenv_model::container::Mount;
use devenv_model::functions::FUNCTION_HOST;
use devenv_model::intent::{Lifetime, Ports, RestartPolicy, UnitIntent, binding_of};
use devenv_model::manifest::Service;
use devenv_model::unit::Probe;
use devenv_resources::function_host::settings::{
    HOST_FORMAT, HOST_SETTINGS, HostSettings, HostedFunction, HostedMapping, HostedUnit, READY_PATH, RUNTIME_API,
    UnitRunner,
};
use devenv_runtime::{Abilities, FUNCTION_HOST_PROGRAM, OWN_FUNCTION_HOST, Project};

use super::aws::region;
use super::emulator::{DATA, MEBIBYTE, hardened, plain};
use crate::snapshot::Snapshot;

/// The number of the Invoke API's port; those of the units' Runtime APIs follow. A process has no ports of a container, so these are
/// only names there.
pub(crate) const INVOKE_PORT: u16 = 9001;
/// Batches under way at the end have five seconds.
const GRACE: Duration = Duration::from_secs(8);
/// Of the host's container: a batch has at most 6 MiB, and several are under way.
const MEMORY: u64 = 512 * MEBIBYTE;

/// The ports of the host that this machine reaches: none in a project without functions, and in a container that of the Invoke API alone.
pub(crate) fn host_ports(project: &Project, abilities: Abilities) -> Vec<u16> {
    match units(project).count() {
        0 => Vec::new(),
        _ if abilities.network => vec![INVOKE_PORT],
        units => (0..=units).filter_map(|nth| Some(INVOKE_PORT + u16::try_from(nth).ok()?)).collect(),
    }
}

/// The functions' units, each with its function and its Runtime API's port.
fn units(project: &Project) -> impl Iterator<Item = (String, String, u16)> {
    let manifest = &project.manifest;
    let services = manifest.functions.functions.iter().filter_map(|one| manifest.services.get(&one.name));
    let units = services.flat_map(|service| service.units().map(|unit| (service.name.clone(), unit)));
    units.zip(INVOKE_PORT + 1..).map(|((function, unit), port)| (function, unit, port))
}

/// The address on this machine.
fn address(ports: &Ports, container: u16) -> SocketAddr {
    let binding = ports.get(FUNCTION_HOST).and_then(|bindings| binding_of(bindings, container));
    binding.map_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), |binding| binding.host)
}

/// HOST:PORT for a unit.
fn seen_by_units(abilities: Abilities, ports: &Ports, container: u16) -> String {
    if abilities.network { format!("{FUNCTION_HOST}:{container}") } else { address(ports, container).to_string() }
}

fn any_function(project: &Project, services: &[&Service]) -> bool {
    services.iter().any(|service| project.manifest.functions.function(&service.name).is_some())
}

/// The artifact of the host in a container, if one of the services is a function.
pub(super) fn image(project: &Project, services: &[&Service]) -> Option<Artifact> {
    any_function(project, services).then(|| Artifact::Cargo { package: OWN_FUNCTION_HOST.to_owned() })
}

/// The host's intent, if one of the services is a function. `emulator` has the addresses at which the host reaches the emulator.
pub(super) fn host(
    project: &Project,
    snapshot: &Snapshot,
    emulator: &Addresses,
    ports: &Ports,
    services: &[&Service],
) -> Option<UnitIntent> {
    let image = image(project, services)?;
    let abilities = snapshot.abilities;
    let artifact = if abilities.images {
        image
    } else {
        let program = snapshot.caller.program.with_file_name(FUNCTION_HOST_PROGRAM);
        Artifact::Command(CommandArtifact {
            run: vec![program.to_string()],
            inputs: CommandInputs::Files(vec![program]),
            ..CommandArtifact::default()
        })
    };
    let settings = settings(project, abilities, emulator, ports).to_json();
    let probe = Probe::Http { url: format!("http://{}/", address(ports, INVOKE_PORT)) };
    let bindings = ports.get(FUNCTION_HOST).cloned().unwrap_or_default();
    Some(UnitIntent {
        environment: [(HOST_SETTINGS.to_owned(), settings)].into(),
        stop_grace_period: GRACE,
        container: hardened(MEMORY, Some(Mount::volume(FUNCTION_HOST, DATA))),
        ..plain(FUNCTION_HOST, artifact, probe, bindings)
    })
}

fn settings(project: &Project, abilities: Abilities, emulator: &Addresses, ports: &Ports) -> HostSettings {
    // A container has a loopback that no other one reaches.
    let listen = |port: u16| {
        if abilities.network { SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)) } else { address(ports, port) }
    };
    let functions = project.manifest.functions.functions.iter().map(|function| HostedFunction {
        name: function.name.clone(),
        timeout_seconds: function.timeout_seconds,
        memory_megabytes: function.memory_megabytes,
        units: units(project)
            .filter(|(of, ..)| *of == function.name)
            .map(|(_, name, port)| HostedUnit { name, runtime: listen(port) })
            .collect(),
    });
    let mappings = project.manifest.functions.mappings.iter().map(|mapping| HostedMapping {
        name: mapping.name.clone(),
        function: mapping.function.clone(),
        source: mapping.source.clone(),
        definition: mapping.definition.clone(),
    });
    let (data, runner) = if abilities.network {
        (DATA.into(), UnitRunner::Containers)
    } else {
        (project.state.data().join(FUNCTION_HOST), UnitRunner::Supervisor(project.state.path().to_owned()))
    };
    HostSettings {
        format: HOST_FORMAT,
        region: region(project).to_owned(),
        invoke: listen(INVOKE_PORT),
        queues: emulator.messages.clone(),
        streams: emulator.tables.clone(),
        data,
        runner,
        functions: functions.collect(),
        mappings: mappings.collect(),
    }
}

/// The intent of a function's unit as a container: the host orders the end of its program, and has it back soon after any end.
pub(super) fn contained(mut intent: UnitIntent) -> UnitIntent {
    // Two inits would each wait for the other's processes.
    intent.container.execution.init = false;
    UnitIntent {
        lifetime: Lifetime::LongLived { restart: RestartPolicy::OnFailure { times: u32::MAX } },
        runs_under_init: true,
        ..intent
    }
}

/// The probe of a unit of a function: it is ready when the host reports that it has asked for its first event.
pub(super) fn probe(project: &Project, service: &Service, unit: &str, ports: &Ports) -> Option<Probe> {
    project.manifest.functions.function(&service.name)?;
    Some(Probe::Elsewhere { url: format!("http://{}{READY_PATH}{unit}", address(ports, INVOKE_PORT)) })
}

/// The variables about functions for a unit of a service: the address of the Invoke API and, if the unit is of a function, what
/// Lambda gives a function's program. An image has its own handler and folder.
pub(super) fn variables(
    project: &Project,
    service: &Service,
    unit: &str,
    abilities: Abilities,
    ports: &Ports,
) -> Vec<(String, String)> {
    let functions = &project.manifest.functions;
    if functions.is_empty() {
        return Vec::new();
    }
    let invoke = format!("http://{}", seen_by_units(abilities, ports, INVOKE_PORT));
    let mut variables = vec![(ENDPOINT, invoke)];
    if let Some(function) = functions.function(&service.name) {
        let port = units(project).find(|(_, name, _)| name == unit).map(|(.., port)| port).unwrap_or_default();
        variables.extend([
            (RUNTIME_API, seen_by_units(abilities, ports, port)),
            ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_megabytes.to_string()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.name)),
            ("AWS_LAMBDA_LOG_STREAM_NAME", unit.to_owned()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ]);
        if !abilities.images {
            let root = project.instance.root.to_string();
            variables.extend([("_HANDLER", "bootstrap".to_owned()), ("LAMBDA_TASK_ROOT", root)]);
        }
    }
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The variable with the address of the Invoke API.
const ENDPOINT: &str = "AWS_ENDPOINT_URL_LAMBDA";

/// The same for a program of this machine, in a project with functions.
pub(crate) fn endpoint(project: &Project, ports: &Ports) -> Option<(String, String)> {
    let url = || format!("http://{}", address(ports, INVOKE_PORT));
    (!project.manifest.functions.is_empty()).then(|| (ENDPOINT.to_owned(), url()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use devenv_fakes::FakeProject;
    use devenv_model::intent::Binding;
    use devenv_model::manifest::EmulatorKind;
    use devenv_model::observed::Observed;
    use devenv_resources::chosen_emulator::ChosenEmulator;

    use super::*;
    use crate::desired::{artifacts, desired, intents};
    use crate::error::Error;
    use crate::snapshot::Caller;

    const FUNCTION: &str = r#"{ "FunctionName": "api", "PackageType": "Image", "Timeout": 7, "MemorySize": 256 }"#;

    fn project() -> (FakeProject, Project) {
        let fake = FakeProject::new();
        std::fs::create_dir(fake.path().join("functions")).expect("writable");
        fake.write("functions/api.json", FUNCTION);
        let settings = fake.settings().replace("tables = ", "functions = \"functions\"\ntables = ");
        let settings: Vec<&str> = settings.lines().filter(|line| !line.starts_with("health = ")).collect();
        fake.write("devenv.toml", &settings.join("\n"));
        let loaded = fake.load();
        (fake, loaded)
    }

    fn wanted(project: &Project, abilities: Abilities, names: &[&str]) -> Result<Vec<UnitIntent>, Error> {
        let caller = Caller { program: "/bin/devenv".into(), ..Caller::default() };
        let snapshot = Snapshot { observed: Observed::default(), held_ports: BTreeMap::new(), abilities, caller };
        let bindings =
            host_ports(project, abilities).into_iter().map(|port| Binding::on_loopback(port, port + 20_000)).collect();
        let ports: Ports =
            [(FUNCTION_HOST.to_owned(), bindings), ("api".to_owned(), vec![Binding::on_loopback(80, 20180)])].into();
        let services: Vec<&Service> = names.iter().map(|name| &project.manifest.services[*name]).collect();
        intents(project, &ChosenEmulator::Own(EmulatorKind::Embedded), &snapshot, &ports, &services)
    }

    const PROCESSES: Abilities = Abilities { images: false, network: false, any_address: false };
    const CONTAINERS: Abilities = Abilities { images: true, network: true, any_address: true };

    #[test]
    fn a_function_asks_its_host_which_is_a_unit_before_it() {
        let (_fake, project) = project();
        let intents = wanted(&project, PROCESSES, &["api"]).expect("no mistake");
        let [_emulator, host, api] = &intents[..] else { panic!("three units: {intents:?}") };
        assert_eq!(
            (host.name.as_str(), &host.environment[HOST_SETTINGS]),
            (FUNCTION_HOST, &host.environment[HOST_SETTINGS])
        );
        let settings: HostSettings = serde_json::from_str(&host.environment[HOST_SETTINGS]).expect("its settings");
        let function = &settings.functions[0];
        assert_eq!((function.timeout_seconds, function.memory_megabytes), (7, 256));
        assert_eq!(function.units[0].runtime.to_string(), api.environment["AWS_LAMBDA_RUNTIME_API"]);
        assert_eq!(api.environment["AWS_ENDPOINT_URL_LAMBDA"], "http://127.0.0.1:29001");
        let Probe::Elsewhere { url } = &api.probe else { panic!("{:?}", api.probe) };
        assert_eq!(url, "http://127.0.0.1:29001/devenv/units/api");
        let hashes = intents.iter().map(|intent| intent.name.clone()).collect();
        let chosen = ChosenEmulator::Own(EmulatorKind::Embedded);
        let desired = desired(&project, &chosen, PROCESSES, &intents, hashes);
        let unit = desired.units.iter().find(|unit| unit.name == "api").expect("it is wanted");
        assert!(
            unit.depends_on.iter().any(|(name, _)| name == FUNCTION_HOST)
                && desired.known.contains(&FUNCTION_HOST.to_owned())
        );
    }

    #[test]
    fn in_containers_the_host_is_a_name_on_the_network_and_an_init_ends_programs() {
        let (_fake, project) = project();
        let intents = wanted(&project, CONTAINERS, &["api", "mailer"]).expect("no mistake");
        let [_emulator, host, api, mailer] = &intents[..] else { panic!("four units: {intents:?}") };
        let settings: HostSettings = serde_json::from_str(&host.environment[HOST_SETTINGS]).expect("its settings");
        assert_eq!(settings.runner, UnitRunner::Containers);
        assert_eq!((settings.invoke.to_string(), settings.data.as_str()), ("0.0.0.0:9001".to_owned(), "/data"));
        assert_eq!(settings.functions[0].units[0].runtime.to_string(), "0.0.0.0:9002");
        assert_eq!(settings.streams, "http://emulator:8000");
        assert_eq!(host.bindings, [Binding::on_loopback(INVOKE_PORT, 29_001)], "nobody here asks for events");
        assert_eq!(host.probe, Probe::Http { url: "http://127.0.0.1:29001/".to_owned() });
        assert!(
            host.container.security.read_only && host.container.mounts.contains(&Mount::volume("functions", "/data"))
        );
        assert!(api.runs_under_init && !host.runs_under_init && !mailer.runs_under_init);
        let Lifetime::LongLived { restart: RestartPolicy::OnFailure { times } } = api.lifetime else {
            panic!("{:?}", api.lifetime)
        };
        assert!(times > 1_000_000, "a function that crashes now and then stays");
        assert_eq!(api.environment[RUNTIME_API], "functions:9002");
        assert!(!api.environment.contains_key("LAMBDA_TASK_ROOT"), "the image has its own");
        for unit in [api, mailer] {
            assert_eq!(unit.environment[ENDPOINT], "http://functions:9001");
        }
        assert_eq!(api.probe, Probe::Elsewhere { url: "http://127.0.0.1:29001/devenv/units/api".to_owned() });
    }

    #[test]
    fn the_hosts_image_is_an_artifact_of_containers_with_a_function() {
        let (_fake, project) = project();
        let of = |abilities, names: &[&str]| {
            let services: Vec<&Service> = names.iter().map(|name| &project.manifest.services[*name]).collect();
            let emulator = ChosenEmulator::Own(EmulatorKind::Embedded);
            let artifacts = artifacts(&project, &emulator, abilities, &services).expect("no mistake");
            artifacts.into_iter().find(|(unit, _)| unit == FUNCTION_HOST).map(|(_, artifact)| artifact)
        };
        assert_eq!(of(CONTAINERS, &["api"]), Some(Artifact::Cargo { package: OWN_FUNCTION_HOST.to_owned() }));
        assert_eq!(of(CONTAINERS, &["mailer"]), None);
        assert_eq!(of(PROCESSES, &["api"]), None);
    }

    #[test]
    fn a_project_without_functions_has_no_host() {
        let project = FakeProject::new().load();
        assert!(host_ports(&project, PROCESSES).is_empty() && host_ports(&project, CONTAINERS).is_empty());
        let intents = wanted(&project, PROCESSES, &["api"]).expect("no mistake");
        assert!(
            intents
                .iter()
                .all(|intent| intent.name != FUNCTION_HOST
                    && !intent.environment.contains_key("AWS_ENDPOINT_URL_LAMBDA"))
        );
    }
}
