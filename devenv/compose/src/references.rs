//! The services of the enabled profiles, and their references to networks, volumes, secrets and configs.

use std::collections::{BTreeMap, BTreeSet};

use devenv_document::tree::Node;

use crate::node::{entries_mut, get_mut, remove};

/// Removes the services that have profiles, but none of the enabled ones, and returns them.
pub(crate) fn select(model: &mut Node, enabled: &BTreeSet<String>) -> BTreeMap<String, Node> {
    let Some(services) = get_mut(model, "services") else {
        return BTreeMap::new();
    };
    let is_enabled = |service: &Node| {
        let profiles = service.get("profiles").and_then(Node::items).unwrap_or_default();
        let named = |profile: &Node| profile.text().is_some_and(|profile| enabled.contains(profile));
        profiles.is_empty() || enabled.contains("*") || profiles.iter().any(named)
    };
    let entries = entries_mut(services);
    let (kept, removed): (Vec<_>, Vec<_>) =
        std::mem::take(entries).into_iter().partition(|entry| is_enabled(&entry.value));
    *entries = kept;
    removed.into_iter().map(|entry| (entry.key, entry.value)).collect()
}

/// A service's reference to an entry of another section.
pub(crate) struct Reference<'a> {
    pub(crate) section: &'static str,
    pub(crate) name: &'a str,
    /// The place of the reference.
    pub(crate) node: &'a Node,
}

fn items(node: Option<&Node>) -> &[Node] {
    node.and_then(Node::items).unwrap_or_default()
}

/// Returns a service's references to networks, volumes, secrets and configs.
pub(crate) fn references(service: &Node) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    for entry in service.get("networks").and_then(Node::entries).unwrap_or_default() {
        found.push(Reference { section: "networks", name: &entry.key, node: &entry.value });
    }
    for volume in items(service.get("volumes")) {
        let is_volume = volume.get("type").and_then(Node::text) == Some("volume");
        if let Some(source) = volume.get("source").filter(|_| is_volume) {
            found.push(Reference { section: "volumes", name: source.text().unwrap_or_default(), node: source });
        }
    }
    let built = service.get("build").and_then(|build| build.get("secrets"));
    for (section, mounts) in
        [("secrets", service.get("secrets")), ("secrets", built), ("configs", service.get("configs"))]
    {
        for source in items(mounts).iter().filter_map(|mount| mount.get("source")) {
            found.push(Reference { section, name: source.text().unwrap_or_default(), node: source });
        }
    }
    found
}

/// Removes networks, volumes, secrets and configs that no service uses.
pub(crate) fn remove_unused(model: &mut Node) {
    let services = model.get("services").and_then(Node::entries).unwrap_or_default();
    let used: BTreeSet<(&str, String)> = services
        .iter()
        .flat_map(|entry| references(&entry.value))
        .map(|reference| (reference.section, reference.name.to_owned()))
        .collect();
    for section in ["networks", "volumes", "secrets", "configs"] {
        if let Some(entries) = get_mut(model, section).map(entries_mut) {
            entries.retain(|entry| used.contains(&(section, entry.key.clone())));
        }
        if model.get(section).is_some_and(crate::node::is_empty) {
            remove(model, section);
        }
    }
}
