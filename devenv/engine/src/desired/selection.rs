//! The services that a command selects.

use devenv_model::manifest::{Dependency, Manifest, Service};
use devenv_runtime::Project;

use crate::error::Error;

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

/// The units of the named services without their dependencies, of every service if none is named; a service comes after its
/// dependencies.
pub(crate) fn in_order(project: &Project, names: &[String]) -> Result<Vec<String>, Error> {
    let mut ordered = Vec::new();
    for service in selected(project, names)? {
        append(project, &service.name, &mut ordered);
    }
    ordered.retain(|name| names.is_empty() || names.iter().any(|named| named == name));
    Ok(ordered.into_iter().flat_map(|name| project.manifest.services[name].units()).collect())
}

/// The named services, and the services that restart with one of them.
pub(crate) fn restarted_with(project: &Project, names: &[String]) -> Vec<String> {
    let mut all = names.to_vec();
    let asks = |service: &Service, all: &[String]| {
        let mut restarts = service.depends_on.iter().filter(|(_, dependency)| dependency.restart);
        restarts.any(|(name, _)| all.contains(name)) && !all.contains(&service.name)
    };
    while let Some(next) = project.manifest.services.values().find(|service| asks(service, &all)) {
        all.push(next.name.clone());
    }
    all
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

/// The units that the units of a service depend on, for the planner.
pub(crate) fn dependencies(manifest: &Manifest, service: &Service) -> Vec<(String, Dependency)> {
    let units = |name: &str| manifest.services.get(name).into_iter().flat_map(Service::units);
    let each =
        |(name, dependency): (&String, &Dependency)| units(name).map(|unit| (unit, *dependency)).collect::<Vec<_>>();
    service.depends_on.iter().flat_map(each).collect()
}
