//! Shared readers for every part of a Compose model: they report unsupported keys and values of the wrong kind.

use devenv_document::closest::closest;
use devenv_document::problem::Problem;
use devenv_document::tree::{Entry, Node};

/// Unsupported Compose keys, each with its replacement.
const INSTEAD: [(&str, &str); 15] = [
    ("build", "devenv builds the package named in [services.NAME.process]; name the image with `image`"),
    ("configs", "put the value under `environment`"),
    ("container_name", "remove it: devenv names containers after the project"),
    ("deploy", "set limits with `mem_limit` and `pids_limit`; devenv runs one instance of each service"),
    ("hostname", "remove it: services find each other by their names"),
    ("links", "remove it: services find each other by their names"),
    ("logging", "remove it: devenv keeps the logs, see `devenv logs`"),
    ("mode", "remove it: it applies to swarms only"),
    ("network_mode", "remove it: the project has one network of its own"),
    ("networks", "remove it: the project has one network of its own"),
    ("platform", "remove it: images run on this machine's platform"),
    ("privileged", "name single capabilities under `cap_add`"),
    ("secrets", "put the value under `environment`: devenv has no secrets locally"),
    ("volumes", "remove it: the emulator keeps the data"),
    ("working_dir", "set it in the image"),
];

#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) problems: Vec<Problem>,
    /// The service that the emulator replaces: it is not read.
    pub(crate) replaced: Option<String>,
}

impl Reader {
    pub(crate) fn report(&mut self, code: &'static str, node: &Node, message: impl Into<String>) {
        self.problems.push(Problem::at(code, node, message));
    }

    pub(crate) fn known_keys(&mut self, entries: &[Entry], known: &[&str]) {
        for entry in entries {
            if known.contains(&entry.key.as_str()) || entry.key.starts_with("x-") {
                continue;
            }
            self.unsupported(entry, known);
        }
    }

    pub(crate) fn unsupported(&mut self, entry: &Entry, known: &[&str]) {
        let instead = INSTEAD.iter().find(|(key, _)| *key == entry.key).map(|(_, instead)| (*instead).to_owned());
        let meant = || closest(&entry.key, known.iter().copied()).map(|meant| format!("did you mean {meant}?"));
        let help = instead.or_else(meant).unwrap_or_else(|| format!("the keys here are {} and x-*", known.join(", ")));
        let message = format!("devenv does not support the Compose key {}", entry.key);
        let problem = Problem::new("compose.unsupported_key", &entry.key_file, entry.key_span.clone(), message);
        self.problems.push(problem.help(help));
    }

    pub(crate) fn expected(&mut self, node: &Node, what: &str) {
        self.report("compose.value", node, format!("expected {what}, found {}", node.kind()));
    }

    pub(crate) fn mapping<'n>(&mut self, node: &'n Node) -> Option<&'n [Entry]> {
        if node.entries().is_none() {
            self.expected(node, "a mapping");
        }
        node.entries()
    }

    pub(crate) fn list<'n>(&mut self, node: &'n Node) -> &'n [Node] {
        if node.items().is_none() {
            self.expected(node, "a list");
        }
        node.items().unwrap_or_default()
    }

    pub(crate) fn text(&mut self, node: &Node) -> Option<String> {
        if node.text().is_none() || node.is_null() {
            self.expected(node, "a string");
            return None;
        }
        node.text().map(str::to_owned)
    }

    pub(crate) fn boolean(&mut self, node: &Node) -> bool {
        node.boolean().unwrap_or_else(|| {
            self.expected(node, "true or false");
            false
        })
    }

    pub(crate) fn number<T: std::str::FromStr>(&mut self, node: &Node) -> Option<T> {
        let number = node.text().and_then(|text| text.parse().ok());
        if number.is_none() {
            self.expected(node, "a whole number");
        }
        number
    }

    pub(crate) fn parsed<T>(&mut self, node: &Node, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(node)?;
        parse(&text).map_err(|message| self.report("compose.value", node, message)).ok()
    }

    pub(crate) fn texts(&mut self, node: Option<&Node>) -> Vec<String> {
        let items = node.map(|node| self.list(node)).unwrap_or_default();
        items.iter().filter_map(|item| self.text(item)).collect()
    }

    pub(crate) fn texts_or_one(&mut self, node: Option<&Node>) -> Vec<String> {
        match node {
            Some(node) if node.text().is_some() => self.text(node).into_iter().collect(),
            _ => self.texts(node),
        }
    }
}
