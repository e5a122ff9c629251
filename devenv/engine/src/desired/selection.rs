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

/// A service's dependencies, for the planner.
pub(crate) fn dependencies(service: &Service) -> Vec<(String, Condition)> {
    service.depends_on.iter().map(|(name, condition)| (name.clone(), *condition)).collect()
}
