//! Reads single values of one Compose file, and reports those of the wrong kind at their places.

use camino::Utf8Path;
use devenv_document::closest::closest;
use devenv_document::problem::Problem;
use devenv_document::tree::{Data, Node};

use crate::node::{list, text, word};
use crate::values::{integer, words};

/// Ranges of ports may make more values than a file has.
const PORT_LIMIT: usize = 20_000;

pub(crate) struct Canonical<'a> {
    /// The folder that relative paths begin at.
    pub(crate) base: &'a Utf8Path,
    /// The caller's home, for `~`.
    pub(crate) home: Option<&'a str>,
    pub(crate) problems: Vec<Problem>,
    /// The number of ports made so far.
    ports: usize,
    /// The number of problems found before this value.
    pub(crate) before: usize,
}

impl<'a> Canonical<'a> {
    pub(crate) fn new(base: &'a Utf8Path, home: Option<&'a str>, before: usize) -> Self {
        Self { base, home, problems: Vec::new(), ports: 0, before }
    }

    pub(crate) fn report(&mut self, node: &Node, message: impl Into<String>) {
        self.problems.push(Problem::at("compose.value", node, message));
    }

    pub(crate) fn expected(&mut self, node: &Node, what: &str) -> Option<Node> {
        self.report(node, format!("expected {what}, found {}", node.kind()));
        None
    }
    /// Reads a text. Numbers and booleans are texts as they are written.
    pub(crate) fn text(&mut self, node: &Node) -> Option<String> {
        if node.text().is_none() || node.is_null() {
            self.expected(node, "a string");
            return None;
        }
        node.text().map(str::to_owned)
    }

    pub(crate) fn parsed(&mut self, node: &Node, parse: impl Fn(&str) -> Result<String, String>) -> Option<Node> {
        match parse(&self.text(node)?) {
            Ok(found) => Some(text(node, found)),
            Err(message) => {
                self.report(node, message);
                None
            }
        }
    }

    pub(crate) fn items<'n>(&mut self, node: &'n Node) -> Option<&'n [Node]> {
        if node.items().is_none() {
            self.expected(node, "a list");
        }
        node.items()
    }

    pub(crate) fn choice(&mut self, node: &Node, known: &[&str]) -> Option<Node> {
        let found = self.text(node)?;
        if known.contains(&found.as_str()) {
            return Some(text(node, found));
        }
        let help = closest(&found, known.iter().copied())
            .map_or_else(|| format!("use one of {}", known.join(", ")), |name| format!("did you mean {name}?"));
        let message = format!("{found} is not one of {}", known.join(", "));
        self.problems.push(Problem::at("compose.value", node, message).help(help));
        None
    }

    pub(crate) fn integer(&mut self, node: &Node) -> Option<Node> {
        let number = match &node.data {
            Data::Scalar { text, plain: true } => integer(text),
            Data::Scalar { text, plain: false } => text.parse().ok(),
            _ => None,
        };
        match number.and_then(|number| i64::try_from(number).ok()) {
            Some(number) => Some(word(node, number.to_string())),
            None => self.expected(node, "a whole number"),
        }
    }

    /// Reads permission bits. Without quotes they are octal where they begin with 0; within quotes they are decimal.
    pub(crate) fn mode(&mut self, node: &Node) -> Option<Node> {
        self.integer(node)
    }

    /// Returns a list's words unchanged. Splits a single string as a shell would, but no shell runs it.
    pub(crate) fn command(&mut self, node: &Node) -> Option<Node> {
        if let Some(items) = node.items() {
            let items = items.iter().filter_map(|item| self.text(item).map(|found| text(item, found)));
            return Some(list(node, items.collect()));
        }
        match words(&self.text(node)?) {
            Ok(words) => Some(list(node, words.into_iter().map(|word| text(node, word)).collect())),
            Err(message) => {
                self.report(node, message);
                None
            }
        }
    }

    /// Counts the ports of a range; false if there are too many.
    pub(crate) fn count_ports(&mut self, node: &Node, more: usize) -> bool {
        self.ports += more;
        if self.ports > PORT_LIMIT {
            let message = format!("the ranges have more than {PORT_LIMIT} ports");
            self.problems.push(Problem::at("compose.too_large", node, message));
        }
        self.ports <= PORT_LIMIT
    }
}
