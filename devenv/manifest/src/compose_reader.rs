//! Shared readers for every part of a Compose file: they fill in variables and report unknown keys and values of the wrong kind.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::interpolate::interpolate;
use devenv_document::closest::closest;
use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;
use devenv_document::tree::{Data, Entry, MergeTag, Node, is_nothing};

/// Unsupported Compose keys, each with its replacement.
const INSTEAD: [(&str, &str); 19] = [
    ("build", "devenv builds the package named in [services.NAME.process]; name the image with `image`"),
    ("configs", "put the value under `environment`"),
    ("container_name", "remove it: devenv names containers after the project"),
    ("deploy", "set limits with `mem_limit` and `pids_limit`; devenv runs one instance of each service"),
    ("env_file", "put the variables under `environment`"),
    ("extends", "share settings with a YAML anchor and `<<: *anchor`"),
    ("hostname", "remove it: services find each other by their names"),
    ("include", "keep everything in one file"),
    ("links", "remove it: services find each other by their names"),
    ("logging", "remove it: devenv keeps the logs, see `devenv logs`"),
    ("mode", "remove it: it applies to swarms only"),
    ("network_mode", "remove it: the project has one network of its own"),
    ("networks", "remove it: the project has one network of its own"),
    ("platform", "remove it: images run on this machine's platform"),
    ("privileged", "name single capabilities under `cap_add`"),
    ("profiles", "name the services to start: `devenv up SERVICE`"),
    ("secrets", "put the value under `environment`: devenv has no secrets locally"),
    ("volumes", "remove it: the emulator keeps the data"),
    ("working_dir", "set it in the image"),
];

pub(crate) struct Reader<'a> {
    pub(crate) file: &'a Arc<SourceFile>,
    pub(crate) variables: &'a BTreeMap<String, String>,
    pub(crate) problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(file: &'a Arc<SourceFile>, variables: &'a BTreeMap<String, String>) -> Self {
        Self { file, variables, problems: Vec::new() }
    }

    pub(crate) fn report(&mut self, code: &'static str, span: Range<usize>, message: impl Into<String>) {
        self.problems.push(Problem::new(code, self.file, span, message));
    }

    pub(crate) fn known_keys(&mut self, entries: &[Entry], known: &[&str]) {
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

    /// Returns the same tree with every variable replaced.
    pub(crate) fn interpolated(&mut self, node: &Node) -> Node {
        let tag = match node.tag {
            MergeTag::Join => None,
            MergeTag::Reset => Some("!reset"),
            MergeTag::Override => Some("!override"),
        };
        if let Some(tag) = tag {
            let problem = Problem::at("manifest.tag", node, format!("the tag {tag} is not supported"));
            self.problems.push(problem.help("remove it"));
        }
        let data = match &node.data {
            Data::Scalar { text, plain } => match interpolate(text, self.variables) {
                // An empty variable gives an empty string; only a literal null in the file means no value.
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
        node.with(data)
    }

    pub(crate) fn expected(&mut self, node: &Node, what: &str) {
        self.report("compose.value", node.span.clone(), format!("expected {what}, found {}", node.kind()));
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
        parse(&text).map_err(|message| self.report("compose.value", node.span.clone(), message)).ok()
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
