//! One file's values in their long forms, of the right kinds: the form in which values are joined.

use devenv_document::tree::{MergeTag, Node};

use crate::canonical::Canonical;
use crate::keys::{DEVICE_REQUEST, shape_of};
use crate::node::{entries_mut, list, mapping, null, text, word};
use crate::paths::{is_remote, resolve};
use crate::shape::{Missing, Shape};
use crate::values::{boolean, duration, float, float_text, size};

impl Canonical<'_> {
    /// Returns the value in its long form; `None` if it is absent or wrong.
    pub(crate) fn value(&mut self, node: &Node, shape: &Shape) -> Option<Node> {
        if node.tag == MergeTag::Reset || node.tag == MergeTag::Override && node.is_null() {
            return Some(Node { tag: MergeTag::Reset, ..null(node) });
        }
        let read = self.untagged(node, shape)?;
        Some(Node { tag: node.tag, ..read })
    }

    pub(crate) fn untagged(&mut self, node: &Node, shape: &Shape) -> Option<Node> {
        if node.is_null() {
            return matches!(shape, Shape::Any | Shape::Command).then(|| null(node));
        }
        match *shape {
            Shape::Any => Some(node.clone()),
            Shape::Text => self.text(node).map(|found| text(node, found)),
            Shape::Choice(known) => self.choice(node, known),
            Shape::Path => self.text(node).map(|path| text(node, resolve(self.base, self.home, &path))),
            Shape::Context => self.text(node).map(|context| {
                text(node, if is_remote(&context) { context } else { resolve(self.base, self.home, &context) })
            }),
            Shape::Boolean | Shape::Switch => match node.text().and_then(boolean) {
                Some(value) => Some(word(node, value.to_string())),
                None => self.expected(node, "true or false"),
            },
            Shape::Integer | Shape::Count => self.integer(node),
            Shape::Devices if node.text() == Some("all") => Some(word(node, "-1")),
            Shape::Devices => self.integer(node),
            Shape::Number => match node.text().and_then(|text| float(text).map(float_text)) {
                Some(number) => Some(word(node, number)),
                None => self.expected(node, "a number"),
            },
            Shape::Mode => self.mode(node),
            Shape::Size => self.parsed(node, |text| size(text).map(|bytes| bytes.to_string())),
            Shape::Duration => self.parsed(node, duration),
            Shape::Command => self.command(node),
            Shape::HealthTest if node.text().is_some() => {
                let line = node.text().unwrap_or_default();
                Some(list(node, vec![text(node, "CMD-SHELL"), text(node, line)]))
            }
            Shape::HealthTest | Shape::List(&Shape::Text) => {
                let items = self.items(node)?.to_vec();
                let items = items.iter().filter_map(|item| self.text(item).map(|found| text(item, found)));
                Some(list(node, items.collect()))
            }
            Shape::TextOrTexts if node.text().is_some() => Some(list(node, vec![text(node, self.text(node)?)])),
            Shape::Texts | Shape::TextOrTexts => self.texts(node),
            Shape::Paths if node.text().is_some() => Some(list(node, vec![self.untagged(node, &Shape::Path)?])),
            Shape::Paths => self.list(node, &Shape::Path),
            Shape::List(of) => self.list(node, of),
            Shape::Pairs(missing) => self.pairs(node, missing),
            Shape::Contexts => {
                let mut contexts = self.pairs(node, Missing::Empty)?;
                for entry in entries_mut(&mut contexts) {
                    entry.value = self.untagged(&entry.value, &Shape::Context)?;
                }
                Some(contexts)
            }
            Shape::Hosts => self.hosts(node),
            Shape::Object(keys) | Shape::Logging(keys) => self.object(node, keys),
            Shape::Shorthand(key, keys) => {
                if node.entries().is_some() {
                    return self.object(node, keys);
                }
                let value = self.value(&Node { tag: MergeTag::Join, ..node.clone() }, shape_of(keys, key)?)?;
                Some(mapping(node, [(key, value)]))
            }
            Shape::Named(of) => self.named(node, of),
            Shape::NamesOrNamed(of) => match node.items() {
                Some(items) => Some(self.names(node, items, null)),
                None => self.named(node, of),
            },
            Shape::Dependencies(keys) => match node.items() {
                Some(items) => Some(self.names(node, items, |name| {
                    mapping(name, [("condition", text(name, "service_started")), ("required", word(name, "true"))])
                })),
                None => self.named(node, &Shape::Object(keys)),
            },
            Shape::Ulimit if node.entries().is_some() => {
                self.object(node, &[("hard", Shape::Count), ("soft", Shape::Count)])
            }
            Shape::Ulimit => self.integer(node),
            Shape::Ports => self.ports(node),
            Shape::Volumes => self.volumes(node),
            Shape::DeviceMappings => self.devices(node),
            Shape::Mounts(folder) => self.mounts(node, folder),
            Shape::EnvFiles => Some(self.env_files(node)),
            Shape::Gpus if node.text() == Some("all") => {
                Some(list(node, vec![mapping(node, [("count", word(node, "-1"))])]))
            }
            Shape::Gpus => self.list(node, &Shape::Object(DEVICE_REQUEST)),
            Shape::External => self.external(node),
        }
    }
}
