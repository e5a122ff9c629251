//! Lists and mappings in their several forms.

use devenv_document::closest::closest;
use devenv_document::problem::{PROBLEM_LIMIT, Problem};
use devenv_document::tree::{Data, Entry, MergeTag, Node};

use crate::canonical::Canonical;
use crate::keys::{ENV_FILE, shape_of};
use crate::node::{Unique, list, mapping, null, text};
use crate::shape::{Keys, Missing, Shape};
use crate::values::as_text;

/// No project has as many services, networks or volumes.
const NAME_LIMIT: usize = 2_000;

impl Canonical<'_> {
    pub(crate) fn texts(&mut self, node: &Node) -> Option<Node> {
        let mut unique = Unique::new();
        for item in self.items(node)? {
            let Some(found) = self.text(item) else { continue };
            let found = if matches!(item.data, Data::Scalar { plain: true, .. }) { as_text(&found) } else { found };
            unique.put(found.clone(), text(item, found));
        }
        Some(list(node, unique.into_values()))
    }

    pub(crate) fn list(&mut self, node: &Node, of: &Shape) -> Option<Node> {
        let items = self.items(node)?.iter().filter_map(|item| self.value(item, of)).collect();
        Some(list(node, items))
    }

    pub(crate) fn pairs(&mut self, node: &Node, missing: Missing) -> Option<Node> {
        let absent = |place: &Node| if missing == Missing::Empty { text(place, "") } else { null(place) };
        let mut unique = Unique::new();
        match &node.data {
            Data::Mapping(entries) => {
                for entry in entries {
                    let value = match &entry.value.data {
                        _ if entry.value.tag == MergeTag::Reset => self.value(&entry.value, &Shape::Text),
                        _ if entry.value.is_null() => Some(absent(&entry.value)),
                        Data::Scalar { text: found, plain: true } => Some(text(&entry.value, as_text(found))),
                        _ => self.value(&entry.value, &Shape::Text),
                    };
                    if let Some(value) = value {
                        unique.put(entry.key.clone(), Entry { value, ..entry.clone() });
                    }
                }
            }
            Data::Sequence(items) => {
                for item in items {
                    let Some(found) = self.text(item) else { continue };
                    let (name, value) = match found.split_once('=') {
                        Some((name, value)) => (name.to_owned(), text(item, value)),
                        None => (found.clone(), absent(item)),
                    };
                    unique.put(name.clone(), Entry::new(name, item.span.clone(), value));
                }
            }
            Data::Scalar { .. } => return self.expected(node, "a mapping or a list"),
        }
        Some(node.with(Data::Mapping(unique.into_values())))
    }

    pub(crate) fn hosts(&mut self, node: &Node) -> Option<Node> {
        let mut hosts = Vec::new();
        let mut put = |place: &Node, host: &str, address: &str| {
            let address = address.strip_prefix('[').and_then(|address| address.strip_suffix(']')).unwrap_or(address);
            hosts.push(text(place, format!("{host}={address}")));
        };
        match &node.data {
            Data::Mapping(entries) => {
                for entry in entries {
                    let one = std::slice::from_ref(&entry.value);
                    for address in entry.value.items().unwrap_or(one) {
                        if let Some(found) = self.text(address) {
                            put(address, &entry.key, &found);
                        }
                    }
                }
            }
            Data::Sequence(items) => {
                for item in items {
                    let Some(found) = self.text(item) else { continue };
                    match found.split_once(['=', ':']) {
                        Some((host, address)) => put(item, host, address),
                        None => {
                            self.report(item, format!("{found} is not a host with its address, such as db:10.0.0.2"));
                        }
                    }
                }
            }
            Data::Scalar { .. } => return self.expected(node, "a mapping or a list"),
        }
        Some(list(node, hosts))
    }

    /// Reads a mapping with fixed keys; other keys are reported.
    pub(crate) fn object(&mut self, node: &Node, keys: Keys) -> Option<Node> {
        let Some(entries) = node.entries() else {
            return self.expected(node, "a mapping");
        };
        let mut read = Vec::with_capacity(entries.len());
        for entry in entries {
            let Some(shape) = shape_of(keys, &entry.key) else {
                self.unknown(entry, keys);
                continue;
            };
            if let Some(value) = self.value(&entry.value, shape) {
                read.push(Entry { value, ..entry.clone() });
            }
        }
        Some(node.with(Data::Mapping(read)))
    }

    pub(crate) fn unknown(&mut self, entry: &Entry, keys: Keys) {
        // The search for a suggestion is slow, and problems beyond the limit are not printed.
        if self.before + self.problems.len() > PROBLEM_LIMIT {
            return;
        }
        let known = keys.iter().map(|(key, _)| *key);
        let help = if is_misplaced_service(entry, keys) {
            "this is a service, as version 1 of the format had it: move it below `services:`".to_owned()
        } else {
            closest(&entry.key, known).map_or_else(
                || "remove it, or begin its name with x-".to_owned(),
                |meant| format!("did you mean {meant}?"),
            )
        };
        let message = format!("{} is not a key of Compose here", entry.key);
        let problem = Problem::new("compose.unknown_key", &entry.key_file, entry.key_span.clone(), message);
        self.problems.push(problem.help(help));
    }

    /// Reads a mapping with free names. A name without a value stays.
    pub(crate) fn named(&mut self, node: &Node, of: &Shape) -> Option<Node> {
        let Some(entries) = node.entries() else {
            return self.expected(node, "a mapping");
        };
        if entries.len() > NAME_LIMIT {
            let message = format!("there are more than {NAME_LIMIT} entries");
            self.problems.push(Problem::at("compose.too_large", node, message));
            return None;
        }
        let mut read = Vec::with_capacity(entries.len());
        for entry in entries {
            self.name(entry);
            let value = match &entry.value {
                value if value.is_null() && value.tag == MergeTag::Join => Some(null(value)),
                value => self.value(value, of),
            };
            if let Some(value) = value {
                read.push(Entry { value, ..entry.clone() });
            }
        }
        Some(node.with(Data::Mapping(read)))
    }

    pub(crate) fn names(&mut self, node: &Node, items: &[Node], value: impl Fn(&Node) -> Node) -> Node {
        let mut unique = Unique::new();
        for item in items {
            if let Some(name) = self.text(item) {
                unique.put(name.clone(), Entry::new(name, item.span.clone(), value(item)));
            }
        }
        node.with(Data::Mapping(unique.into_values()))
    }

    pub(crate) fn name(&mut self, entry: &Entry) {
        let allowed = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
        if entry.key.is_empty() || !entry.key.chars().all(allowed) {
            let message = format!("{} is not a valid name", entry.key);
            let problem = Problem::new("compose.name", &entry.key_file, entry.key_span.clone(), message);
            self.problems.push(problem.help("use letters, digits, `.`, `_` and `-`"));
        }
    }

    pub(crate) fn env_files(&mut self, node: &Node) -> Node {
        let one = std::slice::from_ref(node);
        let mut unique = Unique::new();
        for item in node.items().unwrap_or(one) {
            let file = match item.entries() {
                Some(_) => self.object(item, ENV_FILE),
                None => self.untagged(item, &Shape::Path).map(|path| mapping(item, [("path", path)])),
            };
            let Some(file) = file else { continue };
            match file.get("path").and_then(Node::text).map(str::to_owned) {
                Some(path) => unique.put(path, file),
                None => self.report(item, "the file has no `path`"),
            }
        }
        list(node, unique.into_values())
    }

    pub(crate) fn external(&mut self, node: &Node) -> Option<Node> {
        if node.entries().is_some() {
            return self.object(node, &[("name", Shape::Text)]);
        }
        self.untagged(node, &Shape::Boolean)
    }
}

/// Whether a service stands beside `services`, where the first version of the format had it.
fn is_misplaced_service(entry: &Entry, keys: Keys) -> bool {
    let is_file = keys.iter().any(|(key, _)| *key == "services");
    is_file && ["image", "build"].iter().any(|key| entry.value.get(key).is_some())
}
