//! A joined Compose model, as far as devenv runs it. Everything else is an error, never ignored.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8Path;
use devenv_compose::load::Project;
use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;
use devenv_document::tree::{Entry, Node};
use devenv_model::container::ContainerSettings;
use devenv_model::manifest::{Concerns, Port, Service, StartOrder};

use crate::compose_context::Context;
use crate::compose_keys::{FILE, SERVICE, Use};
use crate::compose_networks::finish_networks;
use crate::compose_reader::Reader;
use crate::compose_values::duration;
use crate::image_reference::flaw;

/// Compose's default.
const GRACE: Duration = Duration::from_secs(10);
/// The length limit of a DNS label: other services reach this one by its name.
const SERVICE_NAME_LIMIT: usize = 63;

/// A place in one of the Compose files.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) file: Arc<SourceFile>,
    pub(crate) span: Range<usize>,
}

impl Place {
    pub(crate) fn of(node: &Node) -> Self {
        Self { file: Arc::clone(&node.file), span: node.span.clone() }
    }

    pub(crate) fn of_key(entry: &Entry) -> Self {
        Self { file: Arc::clone(&entry.key_file), span: entry.key_span.clone() }
    }
}

/// A service, with the places in the files that later checks mark.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) service: Service,
    pub(crate) name_place: Place,
    pub(crate) port_places: Vec<Place>,
    pub(crate) dependency_places: BTreeMap<String, Place>,
    /// The places of the values of environment variables.
    pub(crate) variable_places: BTreeMap<String, Place>,
    /// True if a part of the service was unreadable: a missing value then proves nothing.
    pub(crate) incomplete: bool,
}

impl Reader {
    /// Returns every readable service, or `None` if there are none. Mistakes go into `problems`. `root` is the folder of
    /// `devenv.toml`.
    pub(crate) fn services(&mut self, project: &Project, root: &Utf8Path) -> Option<Vec<Read>> {
        let model = &project.model;
        self.use_keys(model.entries().unwrap_or_default(), FILE);
        let services = model.get("services").and_then(Node::entries).unwrap_or_default().iter();
        let services: Vec<&Entry> = services.filter(|entry| self.replaced.as_ref() != Some(&entry.key)).collect();
        if services.is_empty() {
            self.problems.push(no_services(project));
            return None;
        }
        let read = services.iter().map(|entry| self.service(entry, Context { project, root, service: &entry.key }));
        let mut read: Vec<Read> = read.collect();
        finish_networks(&services, read.iter_mut().map(|read| &mut read.service));
        self.check_container_names(&services);
        // A dependency that is not required may be on a service that is not there; the replaced one starts before all others.
        let names: BTreeSet<String> = services.iter().map(|entry| entry.key.clone()).collect();
        for read in &mut read {
            read.service.depends_on.retain(|name, _| names.contains(name));
        }
        Some(read)
    }

    fn service(&mut self, entry: &Entry, context: Context) -> Read {
        let before = self.problems.len();
        self.check_name(entry);
        let node = &entry.value;
        let entries = node.entries().unwrap_or_default();
        self.use_keys(entries, SERVICE);
        self.notice_process(entry);
        let get = |key: &str| node.get(key);
        let ports: Vec<(Port, Place)> = self.ports(get("ports"));
        let depends_on = self.depends_on(get("depends_on"));
        let image = get("image").and_then(|node| self.image(node, get("build").is_some()));
        let service = Service {
            name: entry.key.clone(),
            build: get("build").and_then(|node| self.build(node, image.clone())),
            image,
            entrypoint: get("entrypoint").and_then(|node| self.command(node)),
            command: get("command").and_then(|node| self.command(node)),
            environment: self.pairs(get("environment"), true),
            ports: ports.iter().map(|(port, _)| *port).collect(),
            replicas: self.replicas(get("scale"), get("deploy")),
            expose: self.expose(get("expose")),
            depends_on: depends_on.iter().map(|(name, (dependency, _))| (name.clone(), *dependency)).collect(),
            healthcheck: get("healthcheck").and_then(|node| self.healthcheck(node)),
            labels: self.pairs(get("labels"), false),
            user: get("user").and_then(|node| self.text(node)),
            container: ContainerSettings {
                identity: self.identity(node),
                execution: self.execution(node, context),
                mounts: self.mounts(node, context),
                volumes_from: self.volumes_from(get("volumes_from")),
                files: self.files(node, context),
                networking: self.networking(node, context),
                resources: self.resources(node),
                security: self.security(node, context),
            },
            stop_grace_period: get("stop_grace_period").and_then(|node| self.parsed(node, duration)).unwrap_or(GRACE),
            restart: get("restart").and_then(|node| self.restart(node)),
            health: None,
            start: StartOrder::default(),
            process: None,
            notices: std::mem::take(&mut self.notices),
        };
        Read {
            service,
            name_place: Place::of_key(entry),
            port_places: ports.into_iter().map(|(_, place)| place).collect(),
            variable_places: values(get("environment")),
            dependency_places: depends_on.into_iter().map(|(name, (_, place))| (name, place)).collect(),
            incomplete: self.problems.len() > before,
        }
    }

    /// Reads an image's name. The name of an image that is built may be empty: it has one without it.
    fn image(&mut self, node: &Node, is_built: bool) -> Option<String> {
        let text = self.text(node).filter(|text| !(is_built && text.is_empty()))?;
        if let Some(flaw) = flaw(&text) {
            let problem = Problem::at("compose.image", node, format!("no engine accepts the image `{text}`: {flaw}"));
            self.problems
                .push(problem.help("an image is named like `postgres:16` or `registry.example.com/team/app:1`"));
            return None;
        }
        Some(text)
    }

    /// Tells a person what the service goes without as a process.
    fn notice_process(&mut self, service: &Entry) {
        let is_used = |entry: &&Entry| {
            let used = SERVICE.iter().find(|(key, _)| *key == entry.key).map(|(_, used)| *used);
            used == Some(Use::InContainers) && !is_only_default(entry)
        };
        let entries = service.value.entries().unwrap_or_default();
        let keys: Vec<String> = entries.iter().filter(is_used).map(|entry| format!("`{}`", entry.key)).collect();
        if !keys.is_empty() {
            let text = format!("{} runs as a process and goes without {}", service.key, keys.join(", "));
            self.notice_at(&service.key_file, service.key_span.start, Concerns::Processes, &text);
        }
    }

    /// Checks the service's name, which also names a log file and a host.
    fn check_name(&mut self, entry: &Entry) {
        let name = &entry.key;
        let allowed = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
        let begins = name.starts_with(|first: char| first.is_ascii_alphanumeric());
        if !begins || !name.chars().all(allowed) || name.len() > SERVICE_NAME_LIMIT {
            let help = format!(
                "use 1 to {SERVICE_NAME_LIMIT} letters, digits, `.`, `_` and `-`; begin with a letter or digit"
            );
            let problem = Problem::new(
                "compose.name",
                &entry.key_file,
                entry.key_span.clone(),
                "this is not a valid service name",
            );
            self.problems.push(problem.help(help));
        }
    }
}

fn values(environment: Option<&Node>) -> BTreeMap<String, Place> {
    let entries = environment.and_then(Node::entries).unwrap_or_default();
    entries.iter().map(|entry| (entry.key.clone(), Place::of(&entry.value))).collect()
}

/// Whether a service has nothing but the default network.
fn is_only_default(entry: &Entry) -> bool {
    let names = entry.value.entries().unwrap_or_default();
    entry.key == "networks" && names.iter().all(|name| name.key == "default" && name.value.is_null())
}

fn no_services(project: &Project) -> Problem {
    let of_profiles = project.disabled.values().filter_map(|service| service.get("profiles")?.items());
    let profiles: BTreeSet<&str> = of_profiles.flatten().filter_map(Node::text).collect();
    let problem = |message: &str| Problem::new("compose.no_services", &project.model.file, 0..0, message);
    if profiles.is_empty() {
        return problem("there is no `services` section");
    }
    let profiles: Vec<&str> = profiles.into_iter().collect();
    problem("every service belongs to a profile, and none of these is enabled")
        .help(format!("enable one with --profile NAME: {}", profiles.join(", ")))
}
