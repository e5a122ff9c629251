//! One file of the Compose Specification, as far as devenv supports it. Everything else is an error, never ignored.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use devenv_model::manifest::{Limits, Port, Service, StartOrder};

use crate::compose_reader::Reader;
use crate::compose_values::{bytes, duration};
use devenv_document::problem::Problem;
use devenv_document::tree::Entry;
use devenv_document::yaml::parse;

const TOP_KEYS: [&str; 3] = ["name", "services", "version"];
const SERVICE_KEYS: [&str; 20] = [
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
];
/// Compose's default.
const GRACE: Duration = Duration::from_secs(10);
/// The length limit of a DNS label: other services reach this one by its name.
const SERVICE_NAME_LIMIT: usize = 63;

/// A service, with the places in the file that later checks mark.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) service: Service,
    pub(crate) name_span: Range<usize>,
    pub(crate) port_spans: Vec<Range<usize>>,
    pub(crate) dependency_spans: BTreeMap<String, Range<usize>>,
    /// True if a part of the service was unreadable: a missing value then proves nothing.
    pub(crate) incomplete: bool,
}

impl Reader<'_> {
    /// Returns every readable service, or `None` if the file itself is unreadable. Mistakes go into `problems`.
    pub(crate) fn services(&mut self) -> Option<Vec<Read>> {
        let document = parse(self.file).map_err(|problem| self.problems.push(problem)).ok()?;
        let entries = self.mapping(&document)?;
        self.known_keys(entries, &TOP_KEYS);
        let Some(services) = document.get("services") else {
            self.report("compose.no_services", 0..0, "there is no `services` section");
            return None;
        };
        let services = self.mapping(services)?;
        Some(services.iter().map(|entry| self.service(entry)).collect())
    }

    fn service(&mut self, entry: &Entry) -> Read {
        let before = self.problems.len();
        self.check_name(entry);
        let node = self.interpolated(&entry.value);
        let entries = self.mapping(&node).unwrap_or_default();
        self.known_keys(entries, &SERVICE_KEYS);
        let get = |key: &str| node.get(key);
        let ports: Vec<(Port, Range<usize>)> = self.ports(get("ports"));
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
            name_span: entry.key_span.clone(),
            port_spans: ports.into_iter().map(|(_, span)| span).collect(),
            dependency_spans: depends_on.into_iter().map(|(name, (_, span))| (name, span)).collect(),
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
            let problem =
                Problem::new("compose.name", self.file, entry.key_span.clone(), "this is not a valid service name");
            self.problems.push(problem.help(help));
        }
    }
}
