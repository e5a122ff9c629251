//! The intent of the function host, and what a function's unit gets to know of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use devenv_model::addresses::Addresses;
use devenv_model::artifact::{Artifact, CommandArtifact, CommandInputs};
use devenv_model::functions::FUNCTION_HOST;
use devenv_model::intent::{Ports, UnitIntent, binding_of};
use devenv_model::manifest::Service;
use devenv_model::unit::Probe;
use devenv_resources::function_host::settings::{
    HOST_FORMAT, HOST_SETTINGS, HostSettings, HostedFunction, HostedMapping, HostedUnit, READY_PATH,
};
use devenv_runtime::Project;

use super::aws::region;
use super::emulator::plain;
use crate::error::Error;
use crate::snapshot::Snapshot;

/// The host's program, beside this one.
const PROGRAM: &str = "devenv-functions";
/// The number of the Invoke API's port; those of the units' Runtime APIs follow. A process has no ports of a container, so these are
/// only names.
pub(crate) const INVOKE_PORT: u16 = 9001;
/// Batches under way at the end have five seconds.
const GRACE: Duration = Duration::from_secs(8);

/// The ports of the host: none in a project without functions.
pub(crate) fn host_ports(project: &Project) -> Vec<u16> {
    let units = units(project).count();
    if units == 0 {
        Vec::new()
    } else {
        (0..=units).filter_map(|nth| Some(INVOKE_PORT + u16::try_from(nth).ok()?)).collect()
    }
}

/// The functions' units, each with its function and its Runtime API's port.
fn units(project: &Project) -> impl Iterator<Item = (String, String, u16)> {
    let manifest = &project.manifest;
    let services = manifest.functions.functions.iter().filter_map(|one| manifest.services.get(&one.name));
    let units = services.flat_map(|service| service.units().map(|unit| (service.name.clone(), unit)));
    units.zip(INVOKE_PORT + 1..).map(|((function, unit), port)| (function, unit, port))
}

fn address(ports: &Ports, container: u16) -> SocketAddr {
    let binding = ports.get(FUNCTION_HOST).and_then(|bindings| binding_of(bindings, container));
    binding.map_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), |binding| binding.host)
}

/// The host's intent, if one of the services is a function. `emulator` has the addresses at which the host reaches the emulator.
pub(super) fn host(
    project: &Project,
    snapshot: &Snapshot,
    emulator: &Addresses,
    ports: &Ports,
    services: &[&Service],
) -> Result<Option<UnitIntent>, Error> {
    let is_function = |service: &&&Service| project.manifest.functions.function(&service.name).is_some();
    let functions: Vec<String> = services.iter().filter(is_function).map(|service| service.name.clone()).collect();
    if functions.is_empty() {
        return Ok(None);
    }
    if snapshot.abilities.images {
        return Err(Error::FunctionsNeedProcesses { functions });
    }
    let program = snapshot.caller.program.with_file_name(PROGRAM);
    let artifact = Artifact::Command(CommandArtifact {
        run: vec![program.to_string()],
        inputs: CommandInputs::Files(vec![program]),
        ..CommandArtifact::default()
    });
    let settings = settings(project, emulator, ports).to_json();
    let probe = Probe::Http { url: format!("http://{}/", address(ports, INVOKE_PORT)) };
    let bindings = ports.get(FUNCTION_HOST).cloned().unwrap_or_default();
    Ok(Some(UnitIntent {
        environment: [(HOST_SETTINGS.to_owned(), settings)].into(),
        stop_grace_period: GRACE,
        ..plain(FUNCTION_HOST, artifact, probe, bindings)
    }))
}

fn settings(project: &Project, emulator: &Addresses, ports: &Ports) -> HostSettings {
    let functions = project.manifest.functions.functions.iter().map(|function| HostedFunction {
        name: function.name.clone(),
        timeout_seconds: function.timeout_seconds,
        memory_megabytes: function.memory_megabytes,
        units: units(project)
            .filter(|(of, ..)| *of == function.name)
            .map(|(_, name, port)| HostedUnit { name, runtime: address(ports, port) })
            .collect(),
    });
    let mappings = project.manifest.functions.mappings.iter().map(|mapping| HostedMapping {
        name: mapping.name.clone(),
        function: mapping.function.clone(),
        source: mapping.source.clone(),
        definition: mapping.definition.clone(),
    });
    HostSettings {
        format: HOST_FORMAT,
        region: region(project).to_owned(),
        invoke: address(ports, INVOKE_PORT),
        queues: emulator.messages.clone(),
        streams: emulator.tables.clone(),
        data: project.state.data().join(FUNCTION_HOST),
        supervisor: Some(project.state.path().to_owned()),
        functions: functions.collect(),
        mappings: mappings.collect(),
    }
}

/// The probe of a unit of a function: it is ready when the host reports that it has asked for its first event.
pub(super) fn probe(project: &Project, service: &Service, unit: &str, ports: &Ports) -> Option<Probe> {
    project.manifest.functions.function(&service.name)?;
    Some(Probe::Elsewhere { url: format!("http://{}{READY_PATH}{unit}", address(ports, INVOKE_PORT)) })
}

/// The variables about functions for a unit of a service: the address of the Invoke API and, if the unit is of a function, what
/// Lambda gives a function's program.
pub(super) fn variables(project: &Project, service: &Service, unit: &str, ports: &Ports) -> Vec<(String, String)> {
    let functions = &project.manifest.functions;
    if functions.is_empty() {
        return Vec::new();
    }
    let mut variables = Vec::new();
    if let Some(function) = functions.function(&service.name) {
        let port = units(project).find(|(_, name, _)| name == unit).map(|(.., port)| port).unwrap_or_default();
        variables.extend([
            ("AWS_LAMBDA_RUNTIME_API", address(ports, port).to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_megabytes.to_string()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.name)),
            ("AWS_LAMBDA_LOG_STREAM_NAME", unit.to_owned()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            ("_HANDLER", "bootstrap".to_owned()),
            ("LAMBDA_TASK_ROOT", project.instance.root.to_string()),
        ]);
    }
    let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value));
    variables.chain(endpoint(project, ports)).collect()
}

/// The variable with the address of the Invoke API, in a project with functions.
pub(crate) fn endpoint(project: &Project, ports: &Ports) -> Option<(String, String)> {
    let url = || format!("http://{}", address(ports, INVOKE_PORT));
    (!project.manifest.functions.is_empty()).then(|| ("AWS_ENDPOINT_URL_LAMBDA".to_owned(), url()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use devenv_fakes::FakeProject;
    use devenv_model::intent::Binding;
    use devenv_model::manifest::EmulatorKind;
    use devenv_model::observed::Observed;
    use devenv_resources::chosen_emulator::ChosenEmulator;
    use devenv_runtime::Abilities;

    use super::*;
    use crate::desired::{desired, intents};
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
        let bindings = host_ports(project).into_iter().map(|port| Binding::on_loopback(port, port + 20_000)).collect();
        let ports: Ports =
            [(FUNCTION_HOST.to_owned(), bindings), ("api".to_owned(), vec![Binding::on_loopback(80, 20180)])].into();
        let services: Vec<&Service> = names.iter().map(|name| &project.manifest.services[*name]).collect();
        intents(project, &ChosenEmulator::Own(EmulatorKind::Embedded), &snapshot, &ports, &services)
    }

    const PROCESSES: Abilities = Abilities { images: false, network: false, any_address: false };

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
    fn containers_run_no_functions_but_the_other_services() {
        let (_fake, project) = project();
        let containers = Abilities { images: true, network: true, any_address: true };
        let refused = wanted(&project, containers, &["api"]);
        assert!(matches!(refused, Err(Error::FunctionsNeedProcesses { functions }) if functions == ["api"]));
    }

    #[test]
    fn a_project_without_functions_has_no_host() {
        let project = FakeProject::new().load();
        assert!(host_ports(&project).is_empty());
        let intents = wanted(&project, PROCESSES, &["api"]).expect("no mistake");
        assert!(
            intents
                .iter()
                .all(|intent| intent.name != FUNCTION_HOST
                    && !intent.environment.contains_key("AWS_ENDPOINT_URL_LAMBDA"))
        );
    }
}
