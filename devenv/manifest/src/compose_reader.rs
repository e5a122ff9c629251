//! Shared readers for every part of a Compose model: they report unsupported keys and values of the wrong kind.

use devenv_document::closest::closest;
use devenv_document::problem::Problem;
use devenv_document::source::SourceFile;
use devenv_document::tree::{Entry, Node};
use devenv_model::manifest::{Concerns, Notice};

use crate::compose_keys::{Use, Uses};

#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) problems: Vec<Problem>,
    /// Of the service that is being read.
    pub(crate) notices: Vec<Notice>,
    /// The service that the emulator replaces: it is not read.
    pub(crate) replaced: Option<String>,
}

impl Reader {
    pub(crate) fn report(&mut self, code: &'static str, node: &Node, message: impl Into<String>) {
        self.problems.push(Problem::at(code, node, message));
    }

    /// Adds a notice with the place of a value.
    pub(crate) fn notice(&mut self, node: &Node, concerns: Concerns, text: &str) {
        self.notice_at(&node.file, node.span.start, concerns, text);
    }

    pub(crate) fn notice_at(&mut self, file: &SourceFile, start: usize, concerns: Concerns, text: &str) {
        let (line, _) = file.position(start);
        let text = format!("{}:{line}: {text}", file.path).replace(char::is_control, "\u{fffd}");
        let notice = Notice { concerns, text };
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }

    /// Reports the keys that devenv refuses, and notes the keys without effect.
    pub(crate) fn use_keys(&mut self, entries: &[Entry], uses: Uses) {
        for entry in entries.iter().filter(|entry| !entry.key.starts_with("x-")) {
            match uses.iter().find(|(key, _)| *key == entry.key).map(|(_, used)| *used) {
                Some(Use::Run | Use::InContainers) => {}
                Some(Use::Noted(why)) => {
                    let text = format!("`{}` has no effect: {why}", entry.key);
                    self.notice_at(&entry.key_file, entry.key_span.start, Concerns::All, &text);
                }
                Some(Use::Refused(instead)) => self.unsupported(entry, instead.to_owned()),
                None => {
                    let known: Vec<&str> = uses.iter().map(|(key, _)| *key).collect();
                    self.unknown(entry, &known);
                }
            }
        }
    }

    pub(crate) fn known_keys(&mut self, entries: &[Entry], known: &[&str]) {
        for entry in entries {
            if !known.contains(&entry.key.as_str()) && !entry.key.starts_with("x-") {
                self.unknown(entry, known);
            }
        }
    }

    fn unknown(&mut self, entry: &Entry, known: &[&str]) {
        let meant = closest(&entry.key, known.iter().copied()).map(|meant| format!("did you mean {meant}?"));
        self.unsupported(entry, meant.unwrap_or_else(|| format!("the keys here are {} and x-*", known.join(", "))));
    }

    fn unsupported(&mut self, entry: &Entry, help: String) {
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
