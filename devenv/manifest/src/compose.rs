//! A joined Compose model, as far as devenv runs it. Everything else is an error, never ignored.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use devenv_compose::load::Project;
use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;
use devenv_document::tree::{Entry, Node};
use devenv_model::manifest::{Limits, Port, Service, StartOrder};

use crate::compose_reader::Reader;
use crate::compose_values::{bytes, duration};

const TOP_KEYS: [&str; 2] = ["name", "services"];
const SERVICE_KEYS: [&str; 21] = [
    "image",
    "command",
    "entrypoint",
    "environment",
    "ports",
    "expose",
    "depends_on",
    "healthcheck",
    "labels",
    "user",
    "mem_limit",
    "pids_limit",
    "read_only",
    "cap_drop",
    "cap_add",
    "security_opt",
    "tmpfs",
    "init",
    "stop_grace_period",
    "restart",
    "profiles",
];
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
    /// True if a part of the service was unreadable: a missing value then proves nothing.
    pub(crate) incomplete: bool,
}

impl Reader {
    /// Returns every readable service, or `None` if there are none. Mistakes go into `problems`.
    pub(crate) fn services(&mut self, project: &Project) -> Option<Vec<Read>> {
        let model = &project.model;
        for entry in model.entries().unwrap_or_default() {
            let known = TOP_KEYS.contains(&entry.key.as_str()) || entry.key.starts_with("x-");
            // What only services refer to is reported at these.
            let referred = matches!(entry.key.as_str(), "volumes" | "secrets" | "configs");
            if !known && !referred && !is_default_network(entry, &project.name) {
                self.unsupported(entry, &TOP_KEYS);
            }
        }
        let services = model.get("services").and_then(Node::entries).unwrap_or_default().iter();
        let services: Vec<&Entry> = services.filter(|entry| self.replaced.as_ref() != Some(&entry.key)).collect();
        if services.is_empty() {
            self.problems.push(Problem::new(
                "compose.no_services",
                &model.file,
                0..0,
                "there is no `services` section",
            ));
            return None;
        }
        let mut read: Vec<Read> = services.iter().map(|entry| self.service(entry)).collect();
        // A dependency that is not required may be on a service that is not there; the replaced one starts before all others.
        let names: BTreeSet<String> = services.iter().map(|entry| entry.key.clone()).collect();
        for read in &mut read {
            read.service.depends_on.retain(|name, _| names.contains(name));
        }
        Some(read)
    }

    fn service(&mut self, entry: &Entry) -> Read {
        let before = self.problems.len();
        self.check_name(entry);
        let node = &entry.value;
        for key in node.entries().unwrap_or_default() {
            let known = SERVICE_KEYS.contains(&key.key.as_str()) || key.key.starts_with("x-");
            if !known && !is_only_default(key) {
                self.unsupported(key, &SERVICE_KEYS);
            }
        }
        let get = |key: &str| node.get(key);
        let ports: Vec<(Port, Place)> = self.ports(get("ports"));
        let depends_on = self.depends_on(get("depends_on"));
        let service = Service {
            name: entry.key.clone(),
            image: get("image").and_then(|node| self.text(node)),
            entrypoint: get("entrypoint").and_then(|node| self.command(node)),
            command: get("command").and_then(|node| self.command(node)),
            environment: self.pairs(get("environment"), true),
            ports: ports.iter().map(|(port, _)| *port).collect(),
            expose: self.expose(get("expose")),
            depends_on: depends_on.iter().map(|(name, (condition, _))| (name.clone(), *condition)).collect(),
            healthcheck: get("healthcheck").and_then(|node| self.healthcheck(node)),
            labels: self.pairs(get("labels"), false),
            user: get("user").and_then(|node| self.text(node)),
            limits: Limits {
                memory: get("mem_limit").and_then(|node| self.parsed(node, bytes)),
                pids: get("pids_limit").and_then(|node| self.number(node)),
                read_only: get("read_only").is_some_and(|node| self.boolean(node)),
                cap_drop: self.texts(get("cap_drop")),
                cap_add: self.texts(get("cap_add")),
                security_opt: self.texts(get("security_opt")),
                tmpfs: self.texts_or_one(get("tmpfs")),
                init: get("init").is_some_and(|node| self.boolean(node)),
            },
            stop_grace_period: get("stop_grace_period").and_then(|node| self.parsed(node, duration)).unwrap_or(GRACE),
            restart: get("restart").and_then(|node| self.restart(node)),
            health: None,
            start: StartOrder::default(),
            process: None,
        };
        Read {
            service,
            name_place: Place::of_key(entry),
            port_places: ports.into_iter().map(|(_, place)| place).collect(),
            dependency_places: depends_on.into_iter().map(|(name, (_, place))| (name, place)).collect(),
            incomplete: self.problems.len() > before,
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

/// Whether the section of networks has nothing but the default network, without any setting.
fn is_default_network(entry: &Entry, project: &str) -> bool {
    let networks = entry.value.entries().unwrap_or_default();
    let [network] = networks else {
        return networks.is_empty() && entry.key == "networks";
    };
    let is_plain = |settings: &[Entry]| match settings {
        [name] => name.key == "name" && name.value.text() == Some(&format!("{project}_default")),
        _ => false,
    };
    entry.key == "networks" && network.key == "default" && network.value.entries().is_some_and(is_plain)
}

/// Whether a service has nothing but the default network.
fn is_only_default(entry: &Entry) -> bool {
    let names = entry.value.entries().unwrap_or_default();
    entry.key == "networks" && names.iter().all(|name| name.key == "default" && name.value.is_null())
}
