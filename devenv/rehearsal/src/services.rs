//! The services of a rehearsal, from the Compose file: their container definitions, without the images.

use std::collections::BTreeMap;

use devenv_model::addresses::Addresses;
use devenv_model::database::{Database, PORT};
use devenv_model::intent::Ports;
use devenv_model::manifest::{Manifest, Service};
use devenv_model::names::short_digest;
use devenv_model::template::{Lookup, fill_names};
use devenv_model::transport::Protocol;
use devenv_model::unit::{EMULATOR, MESSAGES};
use devenv_resources::variables::{ENDPOINT, aws_environment, keep_emulated};
use serde_json::{Map, Value, json};

use crate::account::{REGION, balanced, endpoint, load_balancer, log_group};
use crate::addresses::{Host, Unreachable, bare, led};

/// The port of a service that names none.
const NO_PORT: u16 = 80;
/// Bytes of a whole digest.
const DIGEST: usize = 32;
/// ECS waits no longer between SIGTERM and SIGKILL. Seconds.
const LONGEST_GRACE: u64 = 120;

/// Why a rehearsal without Terraform of its own cannot run a project.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRehearsed {
    /// It cannot make a task of this service.
    #[error("a rehearsal cannot run {service}: {cause}")]
    Service { service: String, cause: String },
}

impl NotRehearsed {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Service { .. } => {
                "put the service into a profile of the Compose file, or write the rehearsal's own Terraform: docs/promotion.md"
            }
        }
    }
}

/// The services that a rehearsal runs: those with a task. The emulated AWS runs no function.
pub fn rehearsed(manifest: &Manifest) -> impl Iterator<Item = &Service> {
    let runs = |service: &&Service| service.replicas > 0 && manifest.functions.function(&service.name).is_none();
    manifest.services.values().filter(runs)
}

/// The port behind the service's load balancer: its first one.
pub fn port(service: &Service) -> u16 {
    let published = service.ports.iter().find(|port| port.protocol == Protocol::Tcp).map(|port| port.container);
    published.or(service.expose.first().copied()).unwrap_or(NO_PORT)
}

/// The service that answers for the system: the first one by name that publishes a port and that no other one depends on, or the
/// first of those that publish one.
pub fn public(manifest: &Manifest) -> &str {
    let is_needed = |name: &String| manifest.services.values().any(|other| other.depends_on.contains_key(name));
    let published = || rehearsed(manifest).filter(|service| service.first_stream().is_some());
    let chosen = published().find(|service| !is_needed(&service.name)).or_else(|| published().next());
    let chosen = chosen.or_else(|| rehearsed(manifest).next());
    chosen.map_or("", |service| service.name.as_str())
}

/// The health path behind the service's load balancer; `None` for one at another port.
fn health(service: &Service) -> Option<&str> {
    let health = service.health.as_ref().filter(|health| health.port == port(service))?;
    Some(&health.path)
}

/// The health path of each service that has one, as [`services`] describes them.
pub fn health_paths(services: &Value) -> BTreeMap<&str, &str> {
    let described = services.as_object().into_iter().flatten();
    described.filter_map(|(name, service)| Some((name.as_str(), service["health"].as_str()?))).collect()
}

/// By service that runs there: port, number of tasks, health path and container definition. An error if a rehearsal cannot run one.
pub fn services(manifest: &Manifest) -> Result<Value, NotRehearsed> {
    let hosts = hosts(manifest);
    let mut services = Map::new();
    for service in rehearsed(manifest) {
        if let Some(cause) = obstacle(manifest, service) {
            return Err(NotRehearsed::Service { service: service.name.clone(), cause: cause.to_owned() });
        }
        let container = container(manifest, service, &hosts)?;
        let described = json!({
            "port": port(service), "tasks": service.replicas, "health": health(service), "container": container,
        });
        services.insert(service.name.clone(), described);
    }
    Ok(Value::Object(services))
}

/// The digest of each service as [`services`] describes it (64 digits): of its variables too. Empty if a rehearsal cannot run one.
pub fn digests(manifest: &Manifest) -> BTreeMap<String, String> {
    let Ok(Value::Object(services)) = services(manifest) else { return BTreeMap::new() };
    services.into_iter().map(|(name, described)| (name, short_digest(described.to_string(), DIGEST))).collect()
}

/// What a rehearsal cannot do for this service.
fn obstacle(manifest: &Manifest, service: &Service) -> Option<&'static str> {
    if manifest.database(&service.name).is_some() {
        return Some("it is a database, and a rehearsal makes none");
    }
    if manifest.is_one_shot(&service.name) {
        return Some("it runs once, and a release has only services that keep running");
    }
    if service.entrypoint.is_some() {
        return Some("the emulated AWS runs the image's own entrypoint: write it as ENTRYPOINT into the Dockerfile");
    }
    let folder = service.container.execution.working_dir.as_ref();
    folder.map(|_| "the emulated AWS runs it in the image's own folder: write it as WORKDIR into the Dockerfile")
}

/// The other services by their load balancers, and the emulator by all its names.
fn hosts(manifest: &Manifest) -> BTreeMap<String, Host> {
    let balanced = |service: &Service| {
        let url = format!("{}/{}", endpoint(), balanced(&load_balancer(&manifest.name, &service.name)));
        (service.name.clone(), Host { port: Some(port(service)), url })
    };
    let replaced = manifest.emulator.replaces.iter().map(|replaced| replaced.service.clone());
    let emulator = [EMULATOR, MESSAGES].map(str::to_owned).into_iter().chain(replaced);
    let emulator = emulator.map(|name| (name, Host { port: None, url: endpoint() }));
    emulator.chain(manifest.services.values().map(balanced)).collect()
}

/// In the JSON of ECS.
fn container(manifest: &Manifest, service: &Service, hosts: &BTreeMap<String, Host>) -> Result<Value, NotRehearsed> {
    let environment = environment(manifest, service, hosts)?;
    let environment: Vec<Value> =
        environment.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let mut definition = json!({
        "name": service.name,
        "command": service.command,
        "user": service.user,
        "portMappings": [{ "containerPort": port(service) }],
        "environment": environment,
        "stopTimeout": service.stop_grace_period.as_secs().min(LONGEST_GRACE),
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": log_group(&manifest.name, &service.name),
                "awslogs-region": REGION,
                "awslogs-stream-prefix": "task",
            },
        },
    });
    if let Some(fields) = definition.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    Ok(definition)
}

/// As `up` has them: an endpoint for every service of AWS, credentials that open nothing, and the names of queues and topics in the
/// emulated AWS.
fn environment(
    manifest: &Manifest,
    service: &Service,
    hosts: &BTreeMap<String, Host>,
) -> Result<BTreeMap<String, String>, NotRehearsed> {
    let (emulator, ports) = (Addresses::single(endpoint()), Ports::default());
    // No address of a rehearsal: its user is refused by name.
    let url = |database: &Database| (database.name.clone(), format!("postgres://{}:{PORT}", database.name));
    let databases = manifest.databases.iter().map(url).collect();
    let names =
        Lookup { service: &service.name, ports: &ports, emulator: &emulator, region: REGION, databases: &databases };
    let own = aws_environment(&emulator, REGION, &manifest.messaging.services());
    let mut environment = own.clone();
    for (variable, value) in &service.environment {
        if let Some(host) = bare(&service.name, variable, value, hosts) {
            let unreachable = Unreachable { address: host.to_owned(), host: host.to_owned() };
            return Err(not_rehearsed(service, variable, &unreachable, hosts));
        }
        let value = fill_names(value, &names);
        let value = led(&value, hosts).map_err(|unreachable| not_rehearsed(service, variable, &unreachable, hosts))?;
        environment.insert(variable.clone(), value);
    }
    // An endpoint of the Compose file leads to the emulator under another name; everything else is the rehearsal's.
    environment.extend(own.into_iter().filter(|(name, _)| !name.starts_with(ENDPOINT)));
    keep_emulated(&mut environment, is_emulated).map_err(|variable| {
        let cause =
            format!("{variable} leads elsewhere than to the emulated AWS: name http://{EMULATOR}, or remove it");
        NotRehearsed::Service { service: service.name.clone(), cause }
    })?;
    Ok(environment)
}

/// Whether an endpoint is the emulated AWS. An SDK takes the one of real AWS where the variable is empty.
fn is_emulated(value: &str) -> bool {
    value.strip_prefix(&endpoint()).is_some_and(|path| path.is_empty() || path.starts_with('/'))
}

fn not_rehearsed(
    service: &Service,
    variable: &str,
    Unreachable { address, host }: &Unreachable,
    hosts: &BTreeMap<String, Host>,
) -> NotRehearsed {
    let port = hosts.get(host).and_then(|host| host.port).unwrap_or(NO_PORT);
    let cause = format!("{variable} names {address}, but its tasks reach {host} only as http://{host}:{port}");
    NotRehearsed::Service { service: service.name.clone(), cause }
}

#[cfg(test)]
#[path = "services_tests.rs"]
pub(crate) mod tests;
