//! The names of a service's container, and how its program runs.

use std::collections::BTreeMap;

use camino::Utf8Path;
use devenv_document::problem::Problem;
use devenv_document::tree::{Entry, Node};
use devenv_model::container::{Execution, Identity, Logging, PullPolicy};
use devenv_model::manifest::Concerns;

use crate::compose_context::Context;
use crate::compose_reader::Reader;

/// The drivers whose log the engine can read.
const LOG_DRIVERS: [&str; 2] = ["json-file", "local"];

impl Reader {
    pub(crate) fn identity(&mut self, service: &Node) -> Identity {
        let container_name = service.get("container_name").and_then(|node| self.container_name(node, service));
        let mut text = |key: &str| service.get(key).and_then(|node| self.text(node));
        Identity { container_name, hostname: text("hostname"), domainname: text("domainname") }
    }

    fn container_name(&mut self, node: &Node, service: &Node) -> Option<String> {
        let name = self.text(node)?;
        let allowed = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
        if name.len() < 2
            || !name.starts_with(|first: char| first.is_ascii_alphanumeric())
            || !name.chars().all(allowed)
        {
            let problem = Problem::at("compose.value", node, format!("{name} is not a valid name of a container"));
            self.problems.push(problem.help("use two or more letters, digits, `.`, `_` and `-`"));
            return None;
        }
        let replicas = service.get("scale").or_else(|| service.get("deploy")?.get("replicas"));
        if replicas.and_then(Node::text).and_then(|text| text.parse::<u32>().ok()).is_some_and(|count| count > 1) {
            let problem = Problem::at("compose.value", node, "several instances of a service cannot share one name");
            self.problems.push(problem.help("remove `container_name`, or run one instance"));
        }
        Some(name)
    }

    /// Reports a name that two containers have.
    pub(crate) fn check_container_names(&mut self, services: &[&Entry]) {
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for entry in services {
            let Some(node) = entry.value.get("container_name") else { continue };
            if let Some(other) = seen.insert(node.text().unwrap_or_default(), &entry.key) {
                let message = format!("the container of {other} has this name already");
                self.problems.push(Problem::at("compose.duplicate_name", node, message).help("choose another name"));
            }
        }
    }

    pub(crate) fn execution(&mut self, service: &Node, context: Context) -> Execution {
        let mut text = |key: &str| service.get(key).and_then(|node| self.text(node));
        let (stop_signal, platform, runtime) = (text("stop_signal"), text("platform"), text("runtime"));
        let mut flag = |key: &str| service.get(key).is_some_and(|node| self.boolean(node));
        let (init, tty, stdin_open) = (flag("init"), flag("tty"), flag("stdin_open"));
        let working_dir = service.get("working_dir").and_then(|node| self.container_path(node));
        if let (Some(folder), Some(node)) = (&working_dir, service.get("working_dir"))
            && !Utf8Path::new(folder).starts_with(context.root)
        {
            let text = format!("as a process, {} runs in the project's folder, not in {folder}", context.service);
            self.notice(node, Concerns::Processes, &text);
        }
        Execution {
            working_dir,
            stop_signal,
            init,
            tty,
            stdin_open,
            platform,
            runtime,
            annotations: self.pairs(service.get("annotations"), false),
            logging: service.get("logging").and_then(|node| self.logging(node)),
            pull_policy: service.get("pull_policy").map(|node| self.pull_policy(node, context)).unwrap_or_default(),
        }
    }

    fn logging(&mut self, node: &Node) -> Option<Logging> {
        let options = self.pairs(node.get("options"), false);
        let driver = node.get("driver").and_then(Node::text).filter(|driver| !driver.is_empty());
        let driver = driver.unwrap_or(LOG_DRIVERS[0]);
        if !LOG_DRIVERS.contains(&driver) {
            let message = format!("devenv cannot read the logs of the driver {driver}");
            let problem = Problem::at("compose.unsupported_value", node.get("driver").unwrap_or(node), message);
            self.problems.push(problem.help("use json-file or local; devenv logs shows them"));
            return None;
        }
        let is_default = driver == LOG_DRIVERS[0] && options.is_empty();
        (!is_default).then(|| Logging { driver: driver.to_owned(), options })
    }

    fn pull_policy(&mut self, node: &Node, context: Context) -> PullPolicy {
        match node.text().unwrap_or_default() {
            "never" => PullPolicy::Never,
            "always" | "refresh" | "daily" | "weekly" => {
                let service = context.service;
                let text = format!("devenv pulls the image of {service} only if it is absent; docker pull updates it");
                self.notice(node, Concerns::Containers, &text);
                PullPolicy::Missing
            }
            _ => PullPolicy::Missing,
        }
    }
}
