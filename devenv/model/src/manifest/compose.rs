//! One file of the Compose Specification, as far as devenv supports it. Everything else is an error, never ignored.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::compose_values::{bytes, duration};
use super::interpolate::interpolate;
use super::tree::{Data, Entry, Node, is_nothing};
use super::types::{Limits, Port, Service, StartOrder};
use super::yaml::parse;
use super::{Problem, SourceFile};
use crate::names::closest;

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
/// What Compose takes when the file does not say.
const GRACE: Duration = Duration::from_secs(10);
/// As long as a label of DNS, by which other services know this one.
const SERVICE_NAME_LIMIT: usize = 63;

/// Keys that people know from Compose, and what to do instead.
const INSTEAD: [(&str, &str); 19] = [
    ("build", "devenv builds the package named in [services.NAME.process]; name the image with `image`"),
    ("configs", "put the value under `environment`"),
    ("container_name", "remove it: devenv names what it makes after the project"),
    ("deploy", "use mem_limit and pids_limit for limits; one instance of each service runs"),
    ("env_file", "put the variables under `environment`"),
    ("extends", "share settings with a YAML anchor and `<<: *anchor`"),
    ("hostname", "remove it: services find each other by their names"),
    ("include", "keep everything in one file"),
    ("links", "remove it: services find each other by their names"),
    ("logging", "remove it: devenv keeps the logs, see devenv logs"),
    ("mode", "remove it: it has a meaning in swarms only"),
    ("network_mode", "remove it: the project has one network of its own"),
    ("networks", "remove it: the project has one network of its own"),
    ("platform", "remove it: images run on this machine's platform"),
    ("privileged", "name single capabilities under `cap_add`"),
    ("profiles", "name the services to start on the command line: devenv up SERVICE"),
    ("secrets", "put the value under `environment`; locally there are no secrets"),
    ("volumes", "remove it: data is kept by the emulator"),
    ("working_dir", "set it in the image"),
];

/// A service and the places in the file that later checks point at.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) service: Service,
    pub(super) name_span: Range<usize>,
    pub(super) port_spans: Vec<Range<usize>>,
    pub(super) dependency_spans: BTreeMap<String, Range<usize>>,
    /// Something in it could not be read, so that nothing follows from what it lacks.
    pub(super) incomplete: bool,
}

pub(super) struct Reader<'a> {
    pub(super) file: &'a Arc<SourceFile>,
    pub(super) variables: &'a BTreeMap<String, String>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a Arc<SourceFile>, variables: &'a BTreeMap<String, String>) -> Self {
        Self { file, variables, problems: Vec::new() }
    }

    /// Every service that could be read, or nothing when the file could not; what is wrong is in `problems`.
    pub(super) fn services(&mut self) -> Option<Vec<Read>> {
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

    /// The name is that of a log file and of a host too.
    fn check_name(&mut self, entry: &Entry) {
        let name = &entry.key;
        let allowed = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
        let begins = name.starts_with(|first: char| first.is_ascii_alphanumeric());
        if !begins || !name.chars().all(allowed) || name.len() > SERVICE_NAME_LIMIT {
            let help = format!("use letters, digits, `.`, `_` and `-`, {SERVICE_NAME_LIMIT} at most");
            let problem = Problem::new("compose.name", self.file, entry.key_span.clone(), "this is no service's name");
            self.problems.push(problem.help(help));
        }
    }

    pub(super) fn report(&mut self, code: &'static str, span: Range<usize>, message: impl Into<String>) {
        self.problems.push(Problem::new(code, self.file, span, message));
    }

    pub(super) fn known_keys(&mut self, entries: &[Entry], known: &[&str]) {
        for entry in entries {
            if known.contains(&entry.key.as_str()) || entry.key.starts_with("x-") {
                continue;
            }
            let instead = INSTEAD.iter().find(|(key, _)| *key == entry.key).map(|(_, instead)| (*instead).to_owned());
            let meant = || closest(&entry.key, known.iter().copied()).map(|meant| format!("did you mean {meant}?"));
            let help =
                instead.or_else(meant).unwrap_or_else(|| format!("the keys here are {} and x-*", known.join(", ")));
            let message = format!("devenv does not support the Compose key {}", entry.key);
            self.problems
                .push(Problem::new("compose.unsupported_key", self.file, entry.key_span.clone(), message).help(help));
        }
    }

    /// The same tree with every variable replaced.
    fn interpolated(&mut self, node: &Node) -> Node {
        let data = match &node.data {
            Data::Scalar { text, plain } => match interpolate(text, self.variables) {
                // An empty variable is an empty text: nothing is only what is written so.
                Ok(filled) => Data::Scalar { plain: *plain && (filled == *text || !is_nothing(&filled)), text: filled },
                Err(failure) => {
                    let span = self.file.within(&node.span, text, &failure.span);
                    let problem = Problem::new("compose.variable", self.file, span, failure.message);
                    self.problems.push(problem.maybe_help(failure.help));
                    node.data.clone()
                }
            },
            Data::Sequence(items) => Data::Sequence(items.iter().map(|item| self.interpolated(item)).collect()),
            Data::Mapping(entries) => {
                let interpolated = |entry: &Entry| Entry { value: self.interpolated(&entry.value), ..entry.clone() };
                Data::Mapping(entries.iter().map(interpolated).collect())
            }
        };
        Node { span: node.span.clone(), data }
    }

    pub(super) fn expected(&mut self, node: &Node, what: &str) {
        self.report("compose.value", node.span.clone(), format!("{what} is expected here, not {}", node.kind()));
    }

    pub(super) fn mapping<'n>(&mut self, node: &'n Node) -> Option<&'n [Entry]> {
        if node.entries().is_none() {
            self.expected(node, "a mapping");
        }
        node.entries()
    }

    pub(super) fn list<'n>(&mut self, node: &'n Node) -> &'n [Node] {
        if node.items().is_none() {
            self.expected(node, "a list");
        }
        node.items().unwrap_or_default()
    }

    pub(super) fn text(&mut self, node: &Node) -> Option<String> {
        if node.text().is_none() || node.is_null() {
            self.expected(node, "a text");
            return None;
        }
        node.text().map(str::to_owned)
    }

    pub(super) fn boolean(&mut self, node: &Node) -> bool {
        node.boolean().unwrap_or_else(|| {
            self.expected(node, "true or false");
            false
        })
    }

    pub(super) fn number<T: std::str::FromStr>(&mut self, node: &Node) -> Option<T> {
        let number = node.text().and_then(|text| text.parse().ok());
        if number.is_none() {
            self.expected(node, "a whole number");
        }
        number
    }

    pub(super) fn parsed<T>(&mut self, node: &Node, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(node)?;
        parse(&text).map_err(|message| self.report("compose.value", node.span.clone(), message)).ok()
    }

    pub(super) fn texts(&mut self, node: Option<&Node>) -> Vec<String> {
        let items = node.map(|node| self.list(node)).unwrap_or_default();
        items.iter().filter_map(|item| self.text(item)).collect()
    }

    fn texts_or_one(&mut self, node: Option<&Node>) -> Vec<String> {
        match node {
            Some(node) if node.text().is_some() => self.text(node).into_iter().collect(),
            _ => self.texts(node),
        }
    }
}
