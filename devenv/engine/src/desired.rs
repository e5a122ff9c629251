//! From the manifest and the chosen ports to specifications with nothing left open.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8PathBuf;
use devenv_model::manifest::{Condition, ProcessRun, Service, template};
use devenv_model::unit::{EMULATOR, Probe, UnitSpec};

use crate::ports::{EMULATOR_PORT, Ports};
use crate::{Error, Project, cargo};

/// Credentials that open nothing. DynamoDB Local wants letters and digits only.
const DUMMY: &str = "devenv";
const DEFAULT_REGION: &str = "eu-west-1";
const EMULATOR_GRACE: Duration = Duration::from_secs(10);

/// `http://127.0.0.1:PORT` of the emulator.
pub(crate) fn emulator_url(ports: &Ports) -> String {
    let port = ports.get(EMULATOR).and_then(|ports| ports.get(&EMULATOR_PORT)).copied().unwrap_or_default();
    format!("http://127.0.0.1:{port}")
}

/// What keeps every SDK away from real AWS: an endpoint for all services, dummy credentials, no profile, no metadata.
pub(crate) fn aws_environment(emulator: &str, region: &str) -> BTreeMap<String, String> {
    let told = [
        ("AWS_ENDPOINT_URL", emulator),
        ("AWS_ENDPOINT_URL_DYNAMODB", emulator),
        ("AWS_REGION", region),
        ("AWS_DEFAULT_REGION", region),
    ];
    owned(told).chain(dummy_credentials()).collect()
}

fn dummy_credentials() -> impl Iterator<Item = (String, String)> {
    owned([
        ("AWS_ACCESS_KEY_ID", DUMMY),
        ("AWS_SECRET_ACCESS_KEY", DUMMY),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ])
}

fn owned<const N: usize>(pairs: [(&str, &str); N]) -> impl Iterator<Item = (String, String)> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter()
}

/// The region that the services are told, or the default one.
pub(crate) fn region(project: &Project) -> &str {
    let told = project.manifest.services.values().find_map(|service| service.environment.get("AWS_REGION"));
    told.map_or(DEFAULT_REGION, String::as_str)
}

/// The emulator's specification. It is this very program, so that nothing has to be found or fetched.
pub(crate) fn emulator(project: &Project, ports: &Ports) -> Result<UnitSpec, Error> {
    let program = own_program()?;
    let port = ports[EMULATOR][&EMULATOR_PORT];
    Ok(UnitSpec {
        name: EMULATOR.to_owned(),
        artifact: cargo::fingerprint(&program),
        command: vec![
            program.into_string(),
            "emulator".to_owned(),
            "--listen".to_owned(),
            format!("127.0.0.1:{port}"),
            "--data".to_owned(),
            project.state.database().into_string(),
        ],
        directory: project.instance.root.clone(),
        environment: BTreeMap::new(),
        ports: ports[EMULATOR].clone(),
        probe: Probe::Http { url: format!("http://127.0.0.1:{port}/") },
        stop_grace_period: EMULATOR_GRACE,
    })
}

/// The specification of one service as a process.
pub(crate) fn service(
    project: &Project,
    service: &Service,
    ports: &Ports,
    binaries: &BTreeMap<String, Utf8PathBuf>,
) -> Result<UnitSpec, Error> {
    let process = service.process.as_ref().ok_or_else(|| Error::NotAProcess { service: service.name.clone() })?;
    let url = emulator_url(ports);
    let lookup = template::Lookup { service: &service.name, ports, emulator: &url };
    let fill = |text: &str| {
        template::fill(text, &lookup)
            .map_err(|error| Error::Template { service: service.name.clone(), cause: error.to_string() })
    };
    let (command, artifact) = match &process.run {
        ProcessRun::Package(package) => {
            let binary = binaries.get(package).ok_or_else(|| Error::NoBinary { package: package.clone() })?;
            (vec![binary.to_string()], cargo::fingerprint(binary))
        }
        ProcessRun::Command(command) => {
            let filled = command.iter().map(|word| fill(word)).collect::<Result<Vec<_>, _>>()?;
            (filled, String::new())
        }
    };
    let mut environment = aws_environment(&url, region(project));
    environment.extend(service.environment.clone());
    for (name, value) in &process.env {
        environment.insert(name.clone(), fill(value)?);
    }
    // Laid last: whatever the files or the caller say, nobody is given credentials that open anything.
    environment.extend(dummy_credentials());
    environment.remove("AWS_SESSION_TOKEN");
    environment.remove("AWS_PROFILE");
    keep_local(&service.name, &environment)?;
    let own_ports = ports.get(&service.name).cloned().unwrap_or_default();
    Ok(UnitSpec {
        name: service.name.clone(),
        command,
        directory: project.instance.root.clone(),
        environment,
        probe: probe(service, &own_ports),
        ports: own_ports,
        stop_grace_period: service.stop_grace_period,
        artifact,
    })
}

/// A service that could be told of an endpoint elsewhere could reach real AWS.
fn keep_local(service: &str, environment: &BTreeMap<String, String>) -> Result<(), Error> {
    for (name, value) in environment {
        if name.starts_with("AWS_ENDPOINT_URL") && crate::dynamo::Endpoint::parse(value).is_err() {
            return Err(Error::NotLocal { service: service.to_owned(), variable: name.clone(), value: value.clone() });
        }
    }
    Ok(())
}

/// `health` where the manifest names one, else a connection to the first published port, else that it runs.
fn probe(service: &Service, ports: &BTreeMap<u16, u16>) -> Probe {
    if let Some(health) = &service.health
        && let Some(port) = ports.get(&health.port)
    {
        return Probe::Http { url: format!("http://127.0.0.1:{port}{}", health.path) };
    }
    let first = service.ports.first().and_then(|port| ports.get(&port.container));
    first.map_or(Probe::Started, |port| Probe::Tcp { port: *port })
}

/// The services a command is about: those named, and all that they depend on; every one when none is named.
pub(crate) fn selected<'a>(project: &'a Project, names: &[String]) -> Result<Vec<&'a Service>, Error> {
    let services = &project.manifest.services;
    let mut wanted: Vec<&str> = Vec::new();
    let mut open: Vec<&str> = if names.is_empty() {
        services.keys().map(String::as_str).collect()
    } else {
        names.iter().map(String::as_str).collect()
    };
    while let Some(name) = open.pop() {
        let service = services.get(name).ok_or_else(|| Error::UnknownService {
            name: name.to_owned(),
            known: services.keys().cloned().collect(),
        })?;
        if !wanted.contains(&name) {
            wanted.push(name);
            open.extend(service.depends_on.keys().map(String::as_str));
        }
    }
    wanted.sort_unstable();
    Ok(wanted.into_iter().map(|name| &services[name]).collect())
}

/// What the planner must know of a service's dependencies.
pub(crate) fn dependencies(service: &Service) -> Vec<(String, Condition)> {
    service.depends_on.iter().map(|(name, condition)| (name.clone(), *condition)).collect()
}

pub(crate) fn own_program() -> Result<Utf8PathBuf, Error> {
    let own = std::env::current_exe()
        .and_then(|path| Utf8PathBuf::from_path_buf(path).map_err(|_| std::io::Error::other("its path is not UTF-8")));
    own.map_err(|source| Error::ReadFile { path: "the devenv program itself".into(), source })
}
