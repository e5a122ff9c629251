//! Specifications of processes.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8PathBuf;
use devenv_model::manifest::{EmulatorKind, ProcessRun, Service, template};
use devenv_model::unit::{EMULATOR, Probe, UnitSpec};

use super::address::{bound, reached};
use super::aws::{aws_environment, keep_local, region};
use crate::choice::RuntimeKind;
use crate::ports::Ports;
use crate::{Error, Project, cargo};

/// The only emulator that is a process.
const KIND: EmulatorKind = EmulatorKind::Embedded;
/// Names a file in which the emulator notes which service makes which calls.
const CALLS: &str = "DEVENV_EMULATOR_CALLS";
pub(super) const EMULATOR_GRACE: Duration = Duration::from_secs(10);

/// The emulator's specification. It is this very program, so that nothing has to be found or fetched.
pub(crate) fn emulator(project: &Project, ports: &Ports) -> Result<UnitSpec, Error> {
    let program = own_program()?;
    let port = ports[EMULATOR][&KIND.port()];
    let artifact = cargo::fingerprint(&program);
    let mut command = vec![
        program.into_string(),
        "emulator".to_owned(),
        "--listen".to_owned(),
        format!("127.0.0.1:{port}"),
        "--data".to_owned(),
        project.state.database().into_string(),
    ];
    if let Some(file) = std::env::var_os(CALLS) {
        // As seen from where the command was given, not from where the emulator runs.
        let file = std::path::absolute(&file).unwrap_or(file.into());
        command.extend(["--calls".to_owned(), file.to_string_lossy().into_owned()]);
    }
    Ok(UnitSpec {
        name: EMULATOR.to_owned(),
        artifact,
        command,
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
    binaries: &BTreeMap<String, String>,
    emulator: &str,
) -> Result<UnitSpec, Error> {
    let process = service.process.as_ref().ok_or_else(|| Error::NotAProcess { service: service.name.clone() })?;
    let lookup = template::Lookup { service: &service.name, ports, emulator };
    let fill = |text: &str| {
        template::fill(text, &lookup)
            .map_err(|error| Error::Template { service: service.name.clone(), cause: error.to_string() })
    };
    let (command, artifact) = match &process.run {
        ProcessRun::Package(package) => {
            let binary = binaries.get(package).ok_or_else(|| Error::NoBinary { package: package.clone() })?;
            (vec![binary.clone()], cargo::fingerprint(binary.as_ref()))
        }
        ProcessRun::Command(command) => {
            let filled = command.iter().map(|word| fill(word)).collect::<Result<Vec<_>, _>>()?;
            (filled, String::new())
        }
    };
    let mut environment = aws_environment(emulator, region(project));
    environment.extend(service.environment.clone());
    for (name, value) in &process.env {
        environment.insert(name.clone(), fill(value)?);
    }
    keep_local(&service.name, &mut environment, &[])?;
    let own_ports = ports.get(&service.name).cloned().unwrap_or_default();
    Ok(UnitSpec {
        name: service.name.clone(),
        command,
        directory: project.instance.root.clone(),
        environment,
        probe: probe(RuntimeKind::Process, service, &own_ports),
        ports: own_ports,
        stop_grace_period: service.stop_grace_period,
        artifact,
    })
}

/// `health` where the manifest names one, else a connection to the first published port, else that it runs.
pub(super) fn probe(runtime: RuntimeKind, service: &Service, ports: &BTreeMap<u16, u16>) -> Probe {
    let address = |container: u16| {
        let port = ports.get(&container)?;
        Some(reached(bound(runtime, Some(service), container), *port))
    };
    if let Some(health) = &service.health
        && let Some(address) = address(health.port)
    {
        return Probe::Http { url: format!("http://{address}{}", health.path) };
    }
    let first = service.ports.first().and_then(|port| address(port.container));
    first.map_or(Probe::Started, |address| Probe::Tcp { address })
}

pub fn own_program() -> Result<Utf8PathBuf, Error> {
    let own = std::env::current_exe()
        .and_then(|path| Utf8PathBuf::from_path_buf(path).map_err(|_| std::io::Error::other("its path is not UTF-8")));
    own.map_err(|source| Error::ReadFile { path: "the devenv program itself".into(), source })
}
