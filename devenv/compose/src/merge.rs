//! Joins the values of two files by the rules of their keys.

use devenv_document::tree::{Data, Entry, MergeTag, Node};

use crate::keys::shape_of;
use crate::mounts::{port_key, target_of};
use crate::node::Unique;
use crate::shape::{Keys, Shape};

/// Joins the canonical value of a later file to that of an earlier one. The tags stay: a third file may stand between.
pub(crate) fn merge(base: Node, over: Node, shape: &Shape) -> Node {
    match (base.tag, over.tag) {
        (_, MergeTag::Reset | MergeTag::Override) => over,
        // A value after a reset must not join the removed value.
        (MergeTag::Reset, MergeTag::Join) => Node { tag: MergeTag::Override, ..over },
        (tag, MergeTag::Join) => Node { tag, ..joined(base, over, shape) },
    }
}

fn joined(base: Node, over: Node, shape: &Shape) -> Node {
    if over.is_null() && !matches!(shape, Shape::Any | Shape::Command) {
        return base;
    }
    // A name may stand without a value, and a null tells nothing of its kind.
    if std::mem::discriminant(&base.data) != std::mem::discriminant(&over.data) {
        return over;
    }
    match *shape {
        Shape::Object(keys) | Shape::Shorthand(_, keys) => mappings(base, over, |key| shape_of(keys, key).copied()),
        Shape::Logging(keys) if same_driver(&base, &over) => mappings(base, over, |key| shape_of(keys, key).copied()),
        Shape::Named(of) | Shape::NamesOrNamed(of) => mappings(base, over, |_| Some(*of)),
        Shape::Dependencies(keys) => mappings(base, over, |_| Some(Shape::Object(keys))),
        Shape::Ulimit if base.entries().is_some() && over.entries().is_some() => mappings(base, over, |_| None),
        Shape::Pairs(_) | Shape::Contexts => mappings(base, over, |_| None),
        Shape::Texts | Shape::TextOrTexts | Shape::Paths => {
            lists(base, over, |item| item.text().unwrap_or_default().to_owned())
        }
        Shape::EnvFiles => {
            lists(base, over, |file| file.get("path").and_then(Node::text).unwrap_or_default().to_owned())
        }
        Shape::Ports => lists(base, over, port_key),
        Shape::Volumes | Shape::DeviceMappings | Shape::Mounts(_) => lists(base, over, target_of),
        Shape::List(_) | Shape::Hosts | Shape::Gpus => appended(base, over),
        _ => over,
    }
}

fn same_driver(base: &Node, over: &Node) -> bool {
    let driver = |node: &Node| node.get("driver").and_then(Node::text).map(str::to_owned);
    match (driver(base), driver(over)) {
        (Some(base), Some(over)) => base == over,
        _ => true,
    }
}

/// Joins two mappings key by key. A key without a shape is replaced.
fn mappings(base: Node, over: Node, shape: impl Fn(&str) -> Option<Shape>) -> Node {
    let place = base.with(Data::Mapping(Vec::new()));
    let (Data::Mapping(base), Data::Mapping(over)) = (base.data, over.data) else {
        unreachable!("canonical values of one key are of one kind");
    };
    let mut unique = Unique::new();
    for entry in base {
        unique.put(entry.key.clone(), entry);
    }
    for entry in over {
        let shape = shape(&entry.key).filter(|_| !entry.key.starts_with("x-"));
        match (unique.get_mut(&entry.key), shape) {
            (Some(earlier), Some(shape)) => {
                let value = std::mem::replace(&mut earlier.value, entry.value.with(Data::Mapping(Vec::new())));
                earlier.value = merge(value, entry.value, &shape);
            }
            (Some(earlier), None) => *earlier = entry,
            (None, _) => unique.put(entry.key.clone(), entry),
        }
    }
    place.with(Data::Mapping(unique.into_values()))
}

/// Joins two lists; a later item takes the place of an earlier one with the same key.
fn lists(base: Node, over: Node, key: impl Fn(&Node) -> String) -> Node {
    let joined = appended(base, over);
    let mut unique = Unique::new();
    for item in joined.items().unwrap_or_default() {
        unique.put(key(item), item.clone());
    }
    joined.with(Data::Sequence(unique.into_values()))
}

fn appended(base: Node, over: Node) -> Node {
    let place = base.with(Data::Sequence(Vec::new()));
    let items = |node: Node| match node.data {
        Data::Sequence(items) => items,
        _ => unreachable!("canonical values of one key are of one kind"),
    };
    let mut all = items(base);
    all.extend(items(over));
    place.with(Data::Sequence(all))
}

/// Removes empty values and defaults, which are no part of the model.
pub(crate) fn prune(node: &mut Node, shape: &Shape) {
    match *shape {
        Shape::Object(keys) | Shape::Shorthand(_, keys) | Shape::Logging(keys) => prune_object(node, keys),
        Shape::Named(of) | Shape::NamesOrNamed(of) => each(node, of),
        Shape::Dependencies(keys) => each(node, &Shape::Object(keys)),
        Shape::List(of) => each(node, of),
        Shape::Ports => each(node, &Shape::Object(crate::keys::PORT)),
        Shape::Volumes => each(node, &Shape::Object(crate::keys::MOUNT)),
        Shape::Mounts(_) => each(node, &Shape::Object(crate::keys::FILE_MOUNT)),
        _ => {}
    }
}

fn each(node: &mut Node, of: &Shape) {
    match &mut node.data {
        Data::Mapping(entries) => entries.iter_mut().for_each(|entry| prune(&mut entry.value, of)),
        Data::Sequence(items) => items.iter_mut().for_each(|item| prune(item, of)),
        Data::Scalar { .. } => {}
    }
}

fn prune_object(node: &mut Node, keys: Keys) {
    let Data::Mapping(entries) = &mut node.data else {
        return;
    };
    for entry in entries.iter_mut() {
        if let Some(shape) = shape_of(keys, &entry.key) {
            prune(&mut entry.value, shape);
        }
    }
    entries.retain(|entry: &Entry| shape_of(keys, &entry.key).is_none_or(|shape| stays(&entry.value, shape)));
}

fn stays(value: &Node, shape: &Shape) -> bool {
    match shape {
        Shape::Boolean => value.boolean() == Some(true),
        Shape::Integer => value.text() != Some("0"),
        Shape::Text | Shape::Path => value.text() != Some(""),
        Shape::Command => !value.is_null(),
        Shape::Any | Shape::Object(_) | Shape::Shorthand(..) => true,
        _ => !crate::node::is_empty(value),
    }
}
