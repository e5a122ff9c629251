//! Specifications of containers.

use std::collections::BTreeMap;
use std::time::Duration;

use devenv_model::container::{ContainerSpec, PublishedPort, RestartPolicy, VolumeMount};
use devenv_model::manifest::{EmulatorKind, Limits, Service};
use devenv_model::unit::{EMULATOR, Probe};

use super::address::{LOOPBACK, bound};
use super::aws::{aws_environment, keep_local, region};
use super::processes::{EMULATOR_GRACE, probe};
use crate::choice::RuntimeKind;
use crate::containers::Scope;
use crate::ports::Ports;
use crate::{Error, Project};

/// As a crashing process is started again, and then left.
const RESTARTS: u32 = 5;
/// Where an emulator that keeps data has its volume.
const DATA: &str = "/data";
const MEBIBYTE: u64 = 1024 * 1024;
/// A Java virtual machine takes a quarter of what it may.
const JAVA_MEMORY: u64 = 1024 * MEBIBYTE;
const PYTHON_MEMORY: u64 = 1024 * MEBIBYTE;
const EMBEDDED_MEMORY: u64 = 512 * MEBIBYTE;
const EMULATOR_PIDS: i64 = 512;

/// Of the caller, for images that want an account.
const TOKEN: &str = "LOCALSTACK_AUTH_TOKEN";

/// The specification of the environment's own emulator. `image` is an id, or a reference from `devenv.toml`.
pub(crate) fn emulator(project: &Project, kind: EmulatorKind, image: String, ports: &Ports) -> ContainerSpec {
    let host = ports[EMULATOR][&kind.port()];
    let url = format!("http://127.0.0.1:{host}");
    let hardened = |memory| Limits {
        memory: Some(memory),
        pids: Some(EMULATOR_PIDS),
        read_only: true,
        cap_drop: vec!["ALL".to_owned()],
        security_opt: vec![NO_NEW_PRIVILEGES.to_owned()],
        tmpfs: vec!["/tmp".to_owned()],
        ..Limits::default()
    };
    let volume = VolumeMount { volume: Scope::of(project).volume(kind), target: DATA.to_owned() };
    let spec = ContainerSpec {
        name: EMULATOR.to_owned(),
        image,
        entrypoint: None,
        command: None,
        environment: BTreeMap::new(),
        ports: vec![loopback(kind.port(), host)],
        probe: Probe::Http { url: url.clone() },
        stop_grace_period: EMULATOR_GRACE,
        user: None,
        limits: Limits::default(),
        healthcheck: None,
        volume: None,
        binds: Vec::new(),
        labels: BTreeMap::new(),
        restart: RestartPolicy::OnFailure { times: RESTARTS },
    };
    match kind {
        EmulatorKind::Embedded => ContainerSpec {
            command: Some(words(&[
                "--listen",
                &format!("0.0.0.0:{}", kind.port()),
                "--allow-any-address",
                "--data",
                "/data/dynamodb.sqlite",
            ])),
            volume: Some(volume),
            limits: hardened(EMBEDDED_MEMORY),
            ..spec
        },
        EmulatorKind::DynamodbLocal => {
            let program = ["-Djava.library.path=./DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar", "-sharedDb"];
            let keeps = !project.instance.ephemeral;
            let data: &[&str] = if keeps { &["-dbPath", DATA] } else { &["-inMemory"] };
            ContainerSpec {
                command: Some(words(&[&QUICK_START[..], &program, data].concat())),
                environment: [("DDB_LOCAL_TELEMETRY".to_owned(), "0".to_owned())].into(),
                // It refuses a request without a signature, which is an answer.
                probe: Probe::Answer { url },
                // A new volume belongs to root, and the image's own user could not write to it.
                user: keeps.then(|| "0:0".to_owned()),
                volume: keeps.then_some(volume),
                // Whoever wrote to it has ended by then, and its SQLite file is whole after a kill: its own way to end
                // takes a third of a second for nothing.
                stop_grace_period: Duration::ZERO,
                limits: hardened(JAVA_MEMORY),
                ..spec
            }
        }
        EmulatorKind::Localstack => {
            let mut environment = BTreeMap::from([("SERVICES".to_owned(), "dynamodb".to_owned())]);
            environment.insert("DISABLE_EVENTS".to_owned(), "1".to_owned());
            environment.extend(std::env::var(TOKEN).ok().map(|token| (TOKEN.to_owned(), token)));
            ContainerSpec {
                environment,
                probe: Probe::Services {
                    url: format!("{url}/_localstack/health"),
                    services: vec!["dynamodb".to_owned()],
                },
                // It writes to many places of its own, as root.
                limits: Limits {
                    memory: Some(PYTHON_MEMORY),
                    pids: Some(EMULATOR_PIDS),
                    security_opt: vec![NO_NEW_PRIVILEGES.to_owned()],
                    ..Limits::default()
                },
                ..spec
            }
        }
    }
}

const NO_NEW_PRIVILEGES: &str = "no-new-privileges:true";

/// DynamoDB Local lives for minutes, and its start is what a person waits for. The quick compiler makes up for its slower
/// code, what is in a pinned image need not be verified, a heap that need not grow is collected less, and nobody
/// manages it through JMX. A Java machine that does not know an option goes on without it.
const QUICK_START: [&str; 6] = [
    "-XX:+IgnoreUnrecognizedVMOptions",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UnlockDiagnosticVMOptions",
    "-XX:-BytecodeVerificationRemote",
    "-Xms256m",
    "-Dlog4j2.disable.jmx=true",
];

/// The specification of one service. `image` is an id, or a reference from the Compose file.
pub(crate) fn service(
    project: &Project,
    service: &Service,
    image: String,
    emulator: EmulatorKind,
    ports: &Ports,
) -> Result<ContainerSpec, Error> {
    let own_ports = ports.get(&service.name).cloned().unwrap_or_default();
    let mut environment = aws_environment(&format!("http://{EMULATOR}:{}", emulator.port()), region(project));
    environment.insert("IMAGE".to_owned(), image.clone());
    environment.extend(service.environment.clone());
    let neighbours: Vec<&str> = project.manifest.services.keys().map(String::as_str).chain([EMULATOR]).collect();
    keep_local(&service.name, &mut environment, &neighbours)?;
    let published = own_ports.iter().map(|(container, host)| {
        let host_ip = bound(RuntimeKind::Docker, Some(service), *container);
        PublishedPort { container: *container, host: *host, host_ip }
    });
    Ok(ContainerSpec {
        name: service.name.clone(),
        image,
        entrypoint: service.entrypoint.clone(),
        command: service.command.clone(),
        environment,
        ports: published.collect(),
        probe: match probe(RuntimeKind::Docker, service, &own_ports) {
            // Nothing better is known than what the Compose file asks the engine to look at.
            Probe::Started | Probe::Tcp { .. } if has_healthcheck(service) => Probe::Healthcheck,
            probe => probe,
        },
        stop_grace_period: service.stop_grace_period,
        user: service.user.clone(),
        limits: service.limits.clone(),
        healthcheck: service.healthcheck.clone(),
        volume: None,
        binds: Vec::new(),
        labels: service.labels.clone(),
        restart: restart(service),
    })
}

fn loopback(container: u16, host: u16) -> PublishedPort {
    PublishedPort { container, host, host_ip: LOOPBACK }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn has_healthcheck(service: &Service) -> bool {
    use devenv_model::manifest::HealthTest;
    service.healthcheck.as_ref().is_some_and(|check| check.test != HealthTest::Disabled)
}

/// As the Compose file says; a service that dies is started again where it says nothing.
fn restart(service: &Service) -> RestartPolicy {
    match service.restart.as_deref() {
        Some("always") => RestartPolicy::Always,
        Some("unless-stopped") => RestartPolicy::UnlessStopped,
        Some(policy) => {
            let times = policy.strip_prefix("on-failure:").and_then(|times| times.parse().ok());
            RestartPolicy::OnFailure { times: times.unwrap_or(RESTARTS) }
        }
        None => RestartPolicy::OnFailure { times: RESTARTS },
    }
}
