//! The checks of a joined model: every name refers to something, and no two values contradict each other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use devenv_document::closest::closest;
use devenv_document::problem::{PROBLEM_LIMIT, Problem};
use devenv_document::tree::{Entry, Node};
use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use crate::keys::SECTIONS;
use crate::references::references;

/// A message lists no more names.
const NAMES_SHOWN: usize = 20;
const NAMES_COMPARED: usize = 200;

struct Check<'a> {
    model: &'a Node,
    names: BTreeMap<&'static str, BTreeSet<&'a str>>,
    disabled: &'a BTreeMap<String, Node>,
    problems: &'a mut Vec<Problem>,
}

/// Reports the contradictions of a model.
pub(crate) fn check(model: &Node, disabled: &BTreeMap<String, Node>, problems: &mut Vec<Problem>) {
    let names = SECTIONS.map(|section| {
        let entries = model.get(section).and_then(Node::entries).unwrap_or_default();
        (section, entries.iter().map(|entry| entry.key.as_str()).collect())
    });
    let mut check = Check { model, names: names.into(), disabled, problems };
    let services = check.model.get("services").and_then(Node::entries).unwrap_or_default();
    for entry in services {
        if check.is_full() {
            return;
        }
        check.service(entry);
    }
    check.cycles(services);
    check.resources();
}

impl<'a> Check<'a> {
    fn report(&mut self, code: &'static str, node: &Node, message: String) {
        self.problems.push(Problem::at(code, node, message));
    }

    fn has(&self, section: &str, name: &str) -> bool {
        self.names.get(section).is_some_and(|names| names.contains(name))
    }

    /// Returns the name that a wrong one most likely means. A search among all names of a large project would take seconds.
    fn meant(&self, section: &str, name: &str) -> Option<&'a str> {
        closest(name, self.names.get(section)?.iter().copied().take(NAMES_COMPARED))
    }

    fn is_full(&self) -> bool {
        self.problems.len() > PROBLEM_LIMIT
    }

    fn services_are(&self) -> String {
        let names = self.names.get("services").into_iter().flatten().copied();
        let names: Vec<&str> = names.take(NAMES_SHOWN).collect();
        format!("the services are {}", names.join(", "))
    }

    fn service(&mut self, entry: &Entry) {
        let service = &entry.value;
        let at_name =
            |message: String| Problem::new("compose.service", &entry.key_file, entry.key_span.clone(), message);
        if service.get("image").is_none() && service.get("build").is_none() {
            let problem = at_name(format!("{} has neither `image` nor `build`", entry.key));
            let help = if service.get("provider").is_some() {
                "devenv runs no providers: remove the service, or give it an image"
            } else {
                "add one of them; a file that only changes another one comes after it: -f FILE -f CHANGES"
            };
            self.problems.push(problem.help(help));
        }
        if let (Some(mode), Some(_)) = (service.get("network_mode"), service.get("networks")) {
            let message = "a service has either `network_mode` or `networks`".to_owned();
            self.report("compose.service", mode, message);
        }
        for reference in references(service) {
            let implicit = reference.section == "networks" && reference.name == "default";
            if !implicit && !self.is_full() && !self.has(reference.section, reference.name) {
                let message = format!("there is no {} under `{}`", reference.name, reference.section);
                let help = self.meant(reference.section, reference.name).map_or_else(
                    || format!("add it under `{}`", reference.section),
                    |meant| format!("did you mean {meant}?"),
                );
                self.problems.push(Problem::at("compose.unknown_name", reference.node, message).help(help));
            }
        }
        for dependency in service.get("depends_on").and_then(Node::entries).unwrap_or_default() {
            self.dependency(dependency);
        }
        self.limits(service);
    }

    fn dependency(&mut self, dependency: &Entry) {
        let optional = dependency.value.get("required").and_then(Node::boolean) == Some(false);
        if optional || self.is_full() || self.has("services", &dependency.key) {
            return;
        }
        let profiles = self.disabled.get(&dependency.key).and_then(|service| service.get("profiles"));
        let (message, help) = match profiles.and_then(Node::items).and_then(<[Node]>::first).and_then(Node::text) {
            Some(profile) => (
                format!("the service {} is not enabled", dependency.key),
                format!("enable its profile: --profile {profile}"),
            ),
            None => {
                let meant = self.meant("services", &dependency.key);
                let help = meant.map_or_else(|| self.services_are(), |meant| format!("did you mean {meant}?"));
                (format!("there is no service {}", dependency.key), help)
            }
        };
        let problem =
            Problem::new("compose.unknown_service", &dependency.key_file, dependency.key_span.clone(), message);
        self.problems.push(problem.help(help));
    }

    /// Two keys may set one limit, to the same value.
    fn limits(&mut self, service: &Node) {
        let pairs = [
            ("mem_limit", "limits", "memory"),
            ("mem_reservation", "reservations", "memory"),
            ("cpus", "limits", "cpus"),
            ("pids_limit", "limits", "pids"),
        ];
        let resources = service.get("deploy").and_then(|deploy| deploy.get("resources"));
        for (key, part, name) in pairs {
            let deployed = resources.and_then(|resources| resources.get(part)?.get(name));
            if let (Some(own), Some(deployed)) = (service.get(key), deployed)
                && own.text() != deployed.text()
            {
                let message = format!("`{key}` and `deploy.resources.{part}.{name}` differ");
                self.report("compose.service", own, message);
            }
        }
        let replicas = service.get("deploy").and_then(|deploy| deploy.get("replicas"));
        if let (Some(scale), Some(replicas)) = (service.get("scale"), replicas)
            && scale.text() != replicas.text()
        {
            self.report("compose.service", scale, "`scale` and `deploy.replicas` differ".to_owned());
        }
    }

    fn cycles(&mut self, services: &[Entry]) {
        let mut graph = DiGraphMap::<&str, ()>::new();
        for entry in services {
            for dependency in entry.value.get("depends_on").and_then(Node::entries).unwrap_or_default() {
                graph.add_edge(&entry.key, &dependency.key, ());
            }
        }
        for component in tarjan_scc(&graph) {
            let component: BTreeSet<&str> = component.into_iter().collect();
            let Some(first) = component.first().copied() else { continue };
            if component.len() == 1 && !graph.contains_edge(first, first) {
                continue;
            }
            let path = walk(&graph, first, &component);
            let message = if path.len() == 2 {
                format!("{first} waits for itself")
            } else {
                format!("these services wait for each other: {}", path.join(" -> "))
            };
            let entry = services.iter().find(|entry| entry.key == first);
            let dependencies = entry.and_then(|entry| entry.value.get("depends_on")).and_then(Node::entries);
            let next = dependencies.unwrap_or_default().iter().find(|dependency| dependency.key == path[1]);
            if let Some(next) = next {
                let problem = Problem::new("compose.cycle", &next.key_file, next.key_span.clone(), message);
                self.problems.push(problem.help("remove one of the dependencies"));
            }
        }
    }

    fn resources(&mut self) {
        for section in ["networks", "volumes", "secrets", "configs"] {
            for entry in self.model.get(section).and_then(Node::entries).unwrap_or_default() {
                self.resource(section, entry);
            }
        }
    }

    fn resource(&mut self, section: &str, entry: &Entry) {
        let node = &entry.value;
        if node.get("external").is_some() {
            let other =
                |entry: &&Entry| !matches!(entry.key.as_str(), "external" | "name") && !entry.key.starts_with("x-");
            if let Some(other) = node.entries().unwrap_or_default().iter().find(other) {
                let message = format!("{} is external and has `{}`", entry.key, other.key);
                let problem = Problem::new("compose.external", &other.key_file, other.key_span.clone(), message);
                self.problems.push(problem.help("keep one of them"));
            }
            return;
        }
        let sources: &[&str] = match section {
            "secrets" => &["file", "environment", "driver"],
            "configs" => &["file", "environment", "content"],
            _ => return,
        };
        let found = sources.iter().filter(|source| node.get(source).is_some()).count();
        if found != 1 {
            let message = format!("{} needs exactly one of {}", entry.key, sources.join(", "));
            self.problems.push(Problem::new("compose.value", &entry.key_file, entry.key_span.clone(), message));
        }
    }
}

/// Returns the shortest path from `first` through its component back to `first`.
fn walk<'a>(graph: &DiGraphMap<&'a str, ()>, first: &'a str, component: &BTreeSet<&'a str>) -> Vec<&'a str> {
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut waiting = VecDeque::from([first]);
    while let Some(at) = waiting.pop_front() {
        let mut next: Vec<&str> = graph.neighbors(at).filter(|name| component.contains(name)).collect();
        next.sort_unstable();
        for name in next {
            if name == first {
                let mut path = vec![first];
                let mut step = at;
                while step != first {
                    path.push(step);
                    step = before[step];
                }
                path.push(first);
                path.reverse();
                return path;
            }
            if !before.contains_key(name) {
                before.insert(name, at);
                waiting.push_back(name);
            }
        }
    }
    vec![first, first]
}
