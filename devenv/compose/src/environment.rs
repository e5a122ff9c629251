//! The variables and labels that services take from files.

use std::collections::BTreeMap;

use camino::Utf8Path;
use devenv_document::problem::Problem;
use devenv_document::tree::{Data, Entry, Node};

use crate::node::{Unique, entries_mut, get_mut, list, remove, text};
use crate::sources::Sources;

/// Replaces `env_file` and `label_file` of each service by the content of the files; the service's own values win.
pub(crate) fn environment(model: &mut Node, variables: &BTreeMap<String, String>, sources: &mut Sources) {
    let Some(services) = get_mut(model, "services") else {
        return;
    };
    for entry in entries_mut(services) {
        let service = &mut entry.value;
        if let Some(files) = remove(service, "env_file") {
            join(service, "environment", &files, variables, sources);
        }
        if let Some(files) = remove(service, "label_file") {
            let files = files.items().unwrap_or_default().iter();
            let files = files.map(|path| crate::node::mapping(path, [("path", path.clone())])).collect::<Vec<_>>();
            join(service, "labels", &list(service, files), variables, sources);
        }
    }
}

fn join(service: &mut Node, key: &str, files: &Node, variables: &BTreeMap<String, String>, sources: &mut Sources) {
    let mut joined: Unique<Entry> = Unique::new();
    // A later file may refer to the variables of an earlier one.
    let mut outer = variables.clone();
    for file in files.items().unwrap_or_default() {
        let Some(path) = file.get("path") else { continue };
        let required = file.get("required").and_then(Node::boolean) != Some(false);
        let format = file.get("format").and_then(Node::text).unwrap_or_default();
        if !matches!(format, "" | "raw") {
            let place = file.get("format").unwrap_or(file);
            let message = format!("{format} is not a format of variables");
            sources.problems.push(Problem::at("compose.env_file", place, message).help("use raw, or none"));
            continue;
        }
        let absolute = Utf8Path::new(path.text().unwrap_or_default());
        if !required && !sources.is_file(absolute) {
            continue;
        }
        let Some((source, found)) = sources.named_variables(absolute, format == "raw", &outer, path) else { continue };
        for variable in found {
            let value =
                Node::new(&source, variable.span.clone(), Data::Scalar { text: variable.value.clone(), plain: false });
            outer.insert(variable.name.clone(), variable.value);
            joined.put(variable.name.clone(), Entry::new(variable.name, variable.span, value));
        }
    }
    let place = get_mut(service, key).map_or_else(|| text(files, ""), |own| own.clone());
    for entry in place.entries().unwrap_or_default() {
        joined.put(entry.key.clone(), entry.clone());
    }
    let values = joined.into_values();
    crate::node::set(service, key, place.with(Data::Mapping(values)));
}
