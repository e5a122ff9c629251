//! One file of the Compose Specification, as far as devenv supports it. Everything else is an error, never ignored.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use super::compose_values::{bytes, duration, port};
use super::interpolate::interpolate;
use super::tree::{Data, Entry, Node, parse};
use super::types::{Condition, HealthTest, Healthcheck, Limits, Port, Service};
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
const HEALTH_INTERVAL: Duration = Duration::from_secs(30);
const HEALTH_RETRIES: u32 = 3;
const START_INTERVAL: Duration = Duration::from_secs(5);

/// Keys that people know from Compose, and what to do instead.
const INSTEAD: [(&str, &str); 8] = [
    ("build", "devenv builds the package named in [services.NAME.process]; name the image with `image`"),
    ("env_file", "put the variables under `environment`"),
    ("extends", "share settings with a YAML anchor and `<<: *anchor`"),
    ("include", "keep everything in one file"),
    ("networks", "remove it: the project has one network of its own"),
    ("profiles", "name the services to start on the command line: devenv up SERVICE"),
    ("volumes", "remove it: data is kept by the emulator"),
    ("secrets", "put the value under `environment`; locally there are no secrets"),
];

/// A service and the places in the file that later checks point at.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) service: Service,
    pub(super) name_span: Range<usize>,
    pub(super) port_spans: Vec<Range<usize>>,
    pub(super) dependency_spans: BTreeMap<String, Range<usize>>,
}

pub(super) struct Reader<'a> {
    file: &'a SourceFile,
    variables: &'a BTreeMap<String, String>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a SourceFile, variables: &'a BTreeMap<String, String>) -> Self {
        Self { file, variables, problems: Vec::new() }
    }

    /// Every service that could be read; what could not is in `problems`.
    pub(super) fn services(&mut self) -> Vec<Read> {
        let document = match parse(self.file) {
            Ok(document) => document,
            Err(problem) => {
                self.problems.push(problem);
                return Vec::new();
            }
        };
        let Some(entries) = self.mapping(&document).map(<[Entry]>::to_vec) else {
            return Vec::new();
        };
        self.known_keys(&entries, &TOP_KEYS);
        let Some(services) = document.get("services") else {
            self.report("compose.no_services", 0..0, "there is no `services` section");
            return Vec::new();
        };
        let services = self.mapping(services).map(<[Entry]>::to_vec).unwrap_or_default();
        services.iter().filter_map(|entry| self.service(entry)).collect()
    }

    fn service(&mut self, entry: &Entry) -> Option<Read> {
        let node = self.interpolated(&entry.value);
        let entries = self.mapping(&node)?.to_vec();
        self.known_keys(&entries, &SERVICE_KEYS);
        let get = |key: &str| entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value);
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
                tmpfs: self.texts(get("tmpfs")),
                init: get("init").is_some_and(|node| self.boolean(node)),
            },
            stop_grace_period: get("stop_grace_period").and_then(|node| self.parsed(node, duration)).unwrap_or(GRACE),
            restart: get("restart").and_then(|node| self.text(node)),
            health: None,
            process: None,
        };
        Some(Read {
            service,
            name_span: entry.key_span.clone(),
            port_spans: ports.into_iter().map(|(_, span)| span).collect(),
            dependency_spans: depends_on.into_iter().map(|(name, (_, span))| (name, span)).collect(),
        })
    }

    fn report(&mut self, code: &'static str, span: Range<usize>, message: impl Into<String>) {
        self.problems.push(Problem::new(code, self.file, span, message));
    }

    fn known_keys(&mut self, entries: &[Entry], known: &[&str]) {
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
                Ok(text) => Data::Scalar { text, plain: *plain },
                Err(failure) => {
                    let span = self.within(node, &failure.span);
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

    /// The place of a part of a scalar, where the file holds the text as it is.
    fn within(&self, node: &Node, part: &Range<usize>) -> Range<usize> {
        let source = self.file.text.get(node.span.clone()).unwrap_or_default();
        let text = node.text().unwrap_or_default();
        match source.find(text) {
            Some(offset) if !text.is_empty() => {
                node.span.start + offset + part.start..node.span.start + offset + part.end
            }
            _ => node.span.clone(),
        }
    }

    fn expected(&mut self, node: &Node, what: &str) {
        self.report("compose.value", node.span.clone(), format!("{what} is expected here, not {}", node.kind()));
    }

    fn mapping<'n>(&mut self, node: &'n Node) -> Option<&'n [Entry]> {
        if node.entries().is_none() {
            self.expected(node, "a mapping");
        }
        node.entries()
    }

    fn text(&mut self, node: &Node) -> Option<String> {
        if node.text().is_none() || node.is_null() {
            self.expected(node, "a text");
            return None;
        }
        node.text().map(str::to_owned)
    }

    fn boolean(&mut self, node: &Node) -> bool {
        node.boolean().unwrap_or_else(|| {
            self.expected(node, "true or false");
            false
        })
    }

    fn number<T: std::str::FromStr>(&mut self, node: &Node) -> Option<T> {
        let number = node.text().and_then(|text| text.parse().ok());
        if number.is_none() {
            self.expected(node, "a whole number");
        }
        number
    }

    fn parsed<T>(&mut self, node: &Node, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(node)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(message) => {
                self.report("compose.value", node.span.clone(), message);
                None
            }
        }
    }

    /// A list, or a single text in its place.
    fn texts(&mut self, node: Option<&Node>) -> Vec<String> {
        let Some(node) = node else {
            return Vec::new();
        };
        match node.items() {
            Some(items) => items.iter().filter_map(|item| self.text(item)).collect(),
            None => self.text(node).into_iter().collect(),
        }
    }

    /// The exec form as it is; the shell form through a shell, as Compose does.
    fn command(&mut self, node: &Node) -> Option<Vec<String>> {
        if node.items().is_some() {
            return Some(self.texts(Some(node)));
        }
        let line = self.text(node)?;
        Some(vec!["/bin/sh".to_owned(), "-c".to_owned(), line])
    }

    /// `{ NAME: value }` or `["NAME=value"]`. A name alone takes the caller's value, where `inherit` says so.
    fn pairs(&mut self, node: Option<&Node>, inherit: bool) -> BTreeMap<String, String> {
        let mut pairs = BTreeMap::new();
        let Some(node) = node else {
            return pairs;
        };
        let inherited = |name: &str, variables: &BTreeMap<String, String>| {
            if inherit { variables.get(name).cloned() } else { Some(String::new()) }
        };
        match &node.data {
            Data::Mapping(entries) => {
                for entry in entries {
                    let value = if entry.value.is_null() {
                        inherited(&entry.key, self.variables)
                    } else {
                        self.text(&entry.value)
                    };
                    pairs.extend(value.map(|value| (entry.key.clone(), value)));
                }
            }
            Data::Sequence(items) => {
                for item in items {
                    let Some(text) = self.text(item) else { continue };
                    let (name, value) = match text.split_once('=') {
                        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                        None => (text.clone(), inherited(&text, self.variables)),
                    };
                    pairs.extend(value.map(|value| (name, value)));
                }
            }
            Data::Scalar { .. } => self.expected(node, "a mapping or a list"),
        }
        pairs
    }

    fn ports(&mut self, node: Option<&Node>) -> Vec<(Port, Range<usize>)> {
        let Some(node) = node else {
            return Vec::new();
        };
        let Some(items) = node.items() else {
            self.expected(node, "a list");
            return Vec::new();
        };
        items.iter().filter_map(|item| Some((self.port(item)?, item.span.clone()))).collect()
    }

    fn port(&mut self, node: &Node) -> Option<Port> {
        let Some(entries) = node.entries() else {
            return self.parsed(node, port);
        };
        // The long form, said in the short one.
        self.known_keys(entries, &["target", "published", "host_ip", "protocol", "mode", "name", "app_protocol"]);
        let part = |key: &str| node.get(key).and_then(Node::text);
        let Some(target) = part("target") else {
            self.report("compose.value", node.span.clone(), "a port needs its target");
            return None;
        };
        let mut short = target.to_owned();
        match (part("host_ip"), part("published")) {
            (Some(ip), published) => short = format!("{ip}:{}:{short}", published.unwrap_or_default()),
            (None, Some(published)) => short = format!("{published}:{short}"),
            (None, None) => {}
        }
        if let Some(protocol) = part("protocol") {
            short = format!("{short}/{protocol}");
        }
        match port(&short) {
            Ok(port) => Some(port),
            Err(message) => {
                self.report("compose.value", node.span.clone(), message);
                None
            }
        }
    }

    fn expose(&mut self, node: Option<&Node>) -> Vec<u16> {
        let Some(node) = node else {
            return Vec::new();
        };
        let Some(items) = node.items() else {
            self.expected(node, "a list");
            return Vec::new();
        };
        items.iter().filter_map(|item| self.number(item)).collect()
    }

    fn depends_on(&mut self, node: Option<&Node>) -> BTreeMap<String, (Condition, Range<usize>)> {
        let mut dependencies = BTreeMap::new();
        let Some(node) = node else {
            return dependencies;
        };
        match &node.data {
            Data::Sequence(items) => {
                for item in items {
                    if let Some(name) = self.text(item) {
                        dependencies.insert(name, (Condition::ServiceStarted, item.span.clone()));
                    }
                }
            }
            Data::Mapping(entries) => {
                for entry in entries {
                    let condition = self.condition(&entry.value);
                    dependencies.insert(entry.key.clone(), (condition, entry.key_span.clone()));
                }
            }
            Data::Scalar { .. } => self.expected(node, "a list or a mapping"),
        }
        dependencies
    }

    fn condition(&mut self, node: &Node) -> Condition {
        const CONDITIONS: [(&str, Condition); 3] = [
            ("service_started", Condition::ServiceStarted),
            ("service_healthy", Condition::ServiceHealthy),
            ("service_completed_successfully", Condition::ServiceCompletedSuccessfully),
        ];
        if let Some(entries) = self.mapping(node) {
            self.known_keys(entries, &["condition"]);
        }
        let Some(condition) = node.get("condition") else {
            return Condition::ServiceStarted;
        };
        let text = condition.text().unwrap_or_default();
        if let Some((_, known)) = CONDITIONS.iter().find(|(name, _)| *name == text) {
            return *known;
        }
        let names = CONDITIONS.map(|(name, _)| name);
        let help = closest(text, names)
            .map_or_else(|| format!("one of {}", names.join(", ")), |name| format!("did you mean {name}?"));
        let problem =
            Problem::new("compose.value", self.file, condition.span.clone(), format!("{text} is not a condition"));
        self.problems.push(problem.help(help));
        Condition::ServiceStarted
    }

    fn healthcheck(&mut self, node: &Node) -> Option<Healthcheck> {
        let entries = self.mapping(node)?.to_vec();
        self.known_keys(
            &entries,
            &["test", "interval", "timeout", "retries", "start_period", "start_interval", "disable"],
        );
        let mut time =
            |key: &str, default| node.get(key).and_then(|node| self.parsed(node, duration)).unwrap_or(default);
        let (interval, timeout) = (time("interval", HEALTH_INTERVAL), time("timeout", HEALTH_INTERVAL));
        let (start_period, start_interval) =
            (time("start_period", Duration::ZERO), time("start_interval", START_INTERVAL));
        let disabled = node.get("disable").is_some_and(|node| self.boolean(node));
        let test = if disabled { HealthTest::Disabled } else { self.health_test(node)? };
        let retries = node.get("retries").and_then(|node| self.number(node)).unwrap_or(HEALTH_RETRIES);
        Some(Healthcheck { test, interval, timeout, retries, start_period, start_interval })
    }

    fn health_test(&mut self, node: &Node) -> Option<HealthTest> {
        let Some(test) = node.get("test") else {
            self.report("compose.value", node.span.clone(), "a healthcheck needs its test");
            return None;
        };
        if test.items().is_none() {
            return self.text(test).map(HealthTest::Shell);
        }
        let words = self.texts(Some(test));
        match words.split_first().map(|(first, rest)| (first.as_str(), rest)) {
            Some(("NONE", [])) => Some(HealthTest::Disabled),
            Some(("CMD", command)) if !command.is_empty() => Some(HealthTest::Command(command.to_vec())),
            Some(("CMD-SHELL", [line])) => Some(HealthTest::Shell(line.clone())),
            _ => {
                self.report("compose.value", test.span.clone(), "a test list begins with CMD, CMD-SHELL or NONE");
                None
            }
        }
    }
}
