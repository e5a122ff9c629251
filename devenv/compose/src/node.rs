//! Makes and changes nodes; a new node has the place of the node that it follows from.

use std::collections::BTreeMap;

use devenv_document::tree::{Data, Entry, MergeTag, Node};

pub(crate) fn text(place: &Node, text: impl Into<String>) -> Node {
    plainly(place, text.into(), false)
}

/// Makes a number, a boolean or null.
pub(crate) fn word(place: &Node, text: impl Into<String>) -> Node {
    plainly(place, text.into(), true)
}

pub(crate) fn null(place: &Node) -> Node {
    word(place, "null")
}

fn plainly(place: &Node, text: String, plain: bool) -> Node {
    Node::new(&place.file, place.span.clone(), Data::Scalar { text, plain })
}

pub(crate) fn list(place: &Node, items: Vec<Node>) -> Node {
    Node::new(&place.file, place.span.clone(), Data::Sequence(items))
}

pub(crate) fn mapping(place: &Node, entries: impl IntoIterator<Item = (impl Into<String>, Node)>) -> Node {
    let entries = entries.into_iter().map(|(key, value)| Entry::new(key, value.span.clone(), value)).collect();
    Node::new(&place.file, place.span.clone(), Data::Mapping(entries))
}

/// Whether the value is an empty list or mapping.
pub(crate) fn is_empty(node: &Node) -> bool {
    match &node.data {
        Data::Scalar { .. } => false,
        Data::Sequence(items) => items.is_empty(),
        Data::Mapping(entries) => entries.is_empty(),
    }
}

pub(crate) fn entries_mut(node: &mut Node) -> &mut Vec<Entry> {
    if node.entries().is_none() {
        node.data = Data::Mapping(Vec::new());
    }
    match &mut node.data {
        Data::Mapping(entries) => entries,
        _ => unreachable!("it was made a mapping"),
    }
}

pub(crate) fn get_mut<'n>(node: &'n mut Node, key: &str) -> Option<&'n mut Node> {
    match &mut node.data {
        Data::Mapping(entries) => entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.value),
        _ => None,
    }
}

pub(crate) fn remove(node: &mut Node, key: &str) -> Option<Node> {
    let Data::Mapping(entries) = &mut node.data else {
        return None;
    };
    let at = entries.iter().position(|entry| entry.key == key)?;
    Some(entries.remove(at).value)
}

/// Sets a key, at the end if it is new.
pub(crate) fn set(node: &mut Node, key: &str, value: Node) {
    match get_mut(node, key) {
        Some(place) => *place = value,
        None => entries_mut(node).push(Entry::new(key, value.span.clone(), value)),
    }
}

/// Sets a key that is absent.
pub(crate) fn set_default(node: &mut Node, key: &str, value: impl FnOnce(&Node) -> Node) {
    if node.get(key).is_none() {
        let value = value(node);
        set(node, key, value);
    }
}

/// The number of nodes in a tree.
pub(crate) fn size(node: &Node) -> usize {
    1 + match &node.data {
        Data::Scalar { .. } => 0,
        Data::Sequence(items) => items.iter().map(size).sum(),
        Data::Mapping(entries) => entries.iter().map(|entry| size(&entry.value)).sum(),
    }
}

/// Carries out the merge tags that are left: removes reset values and drops the tags.
pub(crate) fn settle(node: &mut Node) {
    node.tag = MergeTag::Join;
    match &mut node.data {
        Data::Scalar { .. } => {}
        Data::Sequence(items) => {
            items.retain(|item| item.tag != MergeTag::Reset);
            items.iter_mut().for_each(settle);
        }
        Data::Mapping(entries) => {
            entries.retain(|entry| entry.value.tag != MergeTag::Reset);
            for entry in entries {
                settle(&mut entry.value);
            }
        }
    }
}

/// Values in their order, each under a key: a later value takes the place of an earlier one.
pub(crate) struct Unique<T> {
    values: Vec<T>,
    places: BTreeMap<String, usize>,
}

impl<T> Unique<T> {
    pub(crate) fn new() -> Self {
        Self { values: Vec::new(), places: BTreeMap::new() }
    }

    pub(crate) fn put(&mut self, key: String, value: T) {
        match self.places.get(&key) {
            Some(place) => self.values[*place] = value,
            None => {
                self.places.insert(key, self.values.len());
                self.values.push(value);
            }
        }
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut T> {
        self.places.get(key).map(|place| &mut self.values[*place])
    }

    pub(crate) fn into_values(self) -> Vec<T> {
        self.values
    }
}
