//! The values that a model has although nobody wrote them.

use std::collections::BTreeMap;

use camino::Utf8Path;
use devenv_document::tree::{Data, Node};

use crate::node::{entries_mut, get_mut, mapping, null, remove, set, set_default, text, word};
use crate::paths::resolve;

/// Adds the defaults to a model, and the values of inherited variables.
pub(crate) fn defaults(model: &mut Node, project: &str, folder: &Utf8Path, variables: &BTreeMap<String, String>) {
    for section in ["networks", "volumes", "secrets", "configs"] {
        if let Some(section) = get_mut(model, section) {
            for entry in entries_mut(section) {
                resource(&mut entry.value, project, &entry.key);
                local_bind(&mut entry.value, folder);
            }
        }
    }
    if let Some(services) = get_mut(model, "services") {
        for entry in entries_mut(services) {
            service(&mut entry.value, variables);
        }
    }
    let uses_default =
        |service: &Node| service.get("networks").is_some_and(|networks| networks.get("default").is_some());
    let used = model.get("services").and_then(Node::entries).unwrap_or_default();
    if used.iter().any(|entry| uses_default(&entry.value)) {
        set_default(model, "networks", |place| mapping(place, Vec::<(&str, Node)>::new()));
        if let Some(networks) = get_mut(model, "networks") {
            let name = format!("{project}_default");
            set_default(networks, "default", |place| mapping(place, [("name", text(place, name))]));
        }
    }
}

/// Names a network, volume, secret or config.
fn resource(node: &mut Node, project: &str, key: &str) {
    entries_mut(node);
    let external = remove(node, "external");
    let outside = match &external {
        // The older form, with the name within.
        Some(external) if external.entries().is_some() => {
            if let Some(name) = external.get("name").cloned() {
                set_default(node, "name", |_| name);
            }
            true
        }
        Some(external) => external.boolean() == Some(true),
        None => false,
    };
    let name = if outside { key.to_owned() } else { format!("{project}_{key}") };
    set_default(node, "name", |place| text(place, name));
    if let Some(external) = external.filter(|_| outside) {
        set(node, "external", word(&external, "true"));
    }
}

/// A volume that is a folder of this machine has its path resolved.
fn local_bind(node: &mut Node, folder: &Utf8Path) {
    let is_local = node.get("driver").and_then(Node::text) == Some("local");
    let Some(options) = get_mut(node, "driver_opts").filter(|_| is_local) else {
        return;
    };
    if options.get("o").and_then(Node::text) == Some("bind")
        && let Some(device) = options.get("device").cloned()
    {
        let path = resolve(folder, None, device.text().unwrap_or_default());
        set(options, "device", text(&device, path));
    }
}

fn service(node: &mut Node, variables: &BTreeMap<String, String>) {
    if node.get("networks").is_none_or(crate::node::is_empty) && node.get("network_mode").is_none() {
        let default = mapping(node, [("default", null(node))]);
        set(node, "networks", default);
    }
    if let Some(policy) = get_mut(node, "pull_policy")
        && policy.text() == Some("if_not_present")
    {
        *policy = text(policy, "missing");
    }
    if let Some(build) = get_mut(node, "build") {
        if build.get("dockerfile_inline").is_none() {
            set_default(build, "dockerfile", |place| text(place, "Dockerfile"));
        }
        if let Some(arguments) = get_mut(build, "args") {
            inherit(arguments, variables);
            entries_mut(arguments).retain(|entry| !entry.value.is_null());
        }
        sort_hosts(build);
    }
    if let Some(environment) = get_mut(node, "environment") {
        inherit(environment, variables);
    }
    sort_hosts(node);
    dependencies(node);
}

/// Gives the names without a value that of the caller's variable.
pub(crate) fn inherit(pairs: &mut Node, variables: &BTreeMap<String, String>) {
    for entry in entries_mut(pairs) {
        if entry.value.is_null()
            && let Some(value) = variables.get(&entry.key)
        {
            entry.value = text(&entry.value, value);
        }
    }
}

fn sort_hosts(node: &mut Node) {
    if let Some(hosts) = get_mut(node, "extra_hosts")
        && let Data::Sequence(items) = &mut hosts.data
    {
        let host = |item: &Node| item.text().and_then(|text| text.split_once('=')).map(|(host, _)| host.to_owned());
        items.sort_by_cached_key(host);
    }
}

/// Completes the dependencies, and adds the dependencies that other keys imply.
fn dependencies(node: &mut Node) {
    let mut implied: Vec<(String, bool, Node)> = Vec::new();
    let items = |key: &str| node.get(key).and_then(Node::items).unwrap_or_default();
    for link in items("links") {
        let service = link.text().unwrap_or_default().split(':').next().unwrap_or_default();
        implied.push((service.to_owned(), true, link.clone()));
    }
    for key in ["network_mode", "ipc", "pid", "uts", "cgroup"] {
        if let Some(value) = node.get(key)
            && let Some(service) = value.text().and_then(|text| text.strip_prefix("service:"))
        {
            implied.push((service.to_owned(), true, value.clone()));
        }
    }
    for source in items("volumes_from") {
        let written = source.text().unwrap_or_default();
        if !written.starts_with("container:") {
            implied.push((written.split(':').next().unwrap_or_default().to_owned(), false, source.clone()));
        }
    }
    if implied.is_empty() && node.get("depends_on").is_none() {
        return;
    }
    set_default(node, "depends_on", |place| mapping(place, Vec::<(&str, Node)>::new()));
    let Some(depends_on) = get_mut(node, "depends_on") else {
        return;
    };
    for (service, restart, place) in implied {
        set_default(depends_on, &service, |_| {
            let mut dependency = mapping(&place, [("condition", text(&place, "service_started"))]);
            if restart {
                set(&mut dependency, "restart", word(&place, "true"));
            }
            dependency
        });
    }
    for entry in entries_mut(depends_on) {
        set_default(&mut entry.value, "condition", |place| text(place, "service_started"));
        set_default(&mut entry.value, "required", |place| word(place, "true"));
    }
}
