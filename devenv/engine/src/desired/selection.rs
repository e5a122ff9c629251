//! The services that a command selects.

use devenv_model::manifest::{Condition, Service};

use crate::error::Error;
use crate::project::Project;

/// The named services and all their dependencies, sorted; every service if none is named.
pub(crate) fn selected<'a>(project: &'a Project, names: &[String]) -> Result<Vec<&'a Service>, Error> {
    let services = &project.manifest.services;
    let mut wanted: Vec<&str> = Vec::new();
    let mut open: Vec<&str> = if names.is_empty() {
        services.keys().map(String::as_str).collect()
    } else {
        names.iter().map(String::as_str).collect()
    };
    while let Some(name) = open.pop() {
        let service = services.get(name).ok_or_else(|| Error::UnknownService {
            name: name.to_owned(),
            known: services.keys().cloned().collect(),
        })?;
        if !wanted.contains(&name) {
            wanted.push(name);
            open.extend(service.depends_on.keys().map(String::as_str));
        }
    }
    wanted.sort_unstable();
    Ok(wanted.into_iter().map(|name| &services[name]).collect())
}

/// The named services without their dependencies, every service if none is named; a service comes after its dependencies.
pub(crate) fn in_order<'a>(project: &'a Project, names: &[String]) -> Result<Vec<&'a str>, Error> {
    let mut ordered = Vec::new();
    for service in selected(project, names)? {
        append(project, &service.name, &mut ordered);
    }
    ordered.retain(|name| names.is_empty() || names.iter().any(|named| named == name));
    Ok(ordered)
}

/// Appends a service after its dependencies. The manifest has no cycle.
fn append<'a>(project: &'a Project, name: &'a str, ordered: &mut Vec<&'a str>) {
    if ordered.contains(&name) {
        return;
    }
    for dependency in project.manifest.services[name].depends_on.keys() {
        append(project, dependency, ordered);
    }
    ordered.push(name);
}

/// A service's dependencies, for the planner.
pub(crate) fn dependencies(service: &Service) -> Vec<(String, Condition)> {
    service.depends_on.iter().map(|(name, condition)| (name.clone(), *condition)).collect()
}
