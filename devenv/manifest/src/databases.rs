//! Databases and their Compose services: the service of a database's name is that database on this machine.

use std::collections::{BTreeMap, BTreeSet};

use devenv_document::closest::closest;
use devenv_document::problem::Problem;
use devenv_model::database::{DATABASE, Database, PORT, USER};
use devenv_model::manifest::{Concerns, Notice, Service};
use devenv_resource_files::ReadDatabases;

use crate::compose::Read;

/// Checks each database against its service, and gives the service what its file may leave out. A service that no enabled
/// profile has is not checked.
pub(crate) fn join(databases: &ReadDatabases, services: &mut [Read], disabled: &BTreeSet<String>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for read in &databases.databases {
        let name = &read.database.name;
        if let Some(service) = services.iter_mut().find(|service| service.service.name == *name) {
            problems.extend(differences(&read.database, service));
            complete(&read.database, service);
        } else if !disabled.contains(name) {
            let names = services.iter().map(|service| service.service.name.as_str());
            let help = closest(name, names).map_or_else(
                || format!("add it there: {name}: {{ image: \"postgres:{}\" }}", read.database.major),
                |meant| format!("did you mean {meant}?"),
            );
            let message = format!("the Compose file has no service {name}, which is the database on this machine");
            problems.push(read.problem("database.no_service", message).help(help));
        }
    }
    problems
}

/// The databases whose services are there.
pub(crate) fn of_services(databases: ReadDatabases, services: &BTreeMap<String, Service>) -> Vec<Database> {
    let all = databases.databases.into_iter().map(|read| read.database);
    all.filter(|database| services.contains_key(&database.name)).collect()
}

/// The variables of the service that name another user or database than the file.
fn differences(database: &Database, read: &Read) -> Vec<Problem> {
    let facts =
        BTreeMap::from([(USER, ("MasterUsername", &database.user)), (DATABASE, ("DBName", &database.database))]);
    let differing = facts.into_iter().filter_map(|(variable, (key, written))| {
        let value = read.service.environment.get(variable).filter(|value| *value != written)?;
        let place = read.variable_places.get(variable)?;
        let message = format!("{variable} is {value}, and {key} in {} is {written}", database.file);
        let problem = Problem::new("database.differs", &place.file, place.span.clone(), message);
        Some(problem.help("remove the variable: devenv sets it"))
    });
    differing.collect()
}

/// Adds the port that nobody wrote, and replaces the notices for processes: devenv runs the server itself then.
fn complete(database: &Database, read: &mut Read) {
    let service = &mut read.service;
    if service.ports.is_empty() && service.expose.is_empty() {
        service.expose.push(PORT);
    }
    if service.process.is_none() {
        service.notices.retain(|notice| notice.concerns != Concerns::Processes);
    }
    let major = service.image.as_deref().and_then(major_of);
    if let Some(major) = major.filter(|major| *major != database.major) {
        let (line, _) = read.name_place.file.position(read.name_place.span.start);
        let (path, image) = (&read.name_place.file.path, service.image.as_deref().unwrap_or_default());
        let text = format!(
            "{path}:{line}: {} is {image}, PostgreSQL {major}, and EngineVersion in {} is of PostgreSQL {}",
            database.name, database.file, database.major
        );
        service.notices.push(Notice { concerns: Concerns::Containers, text });
    }
}

/// The major version in an image's tag, such as 15 in `postgres:15.7-alpine`.
fn major_of(image: &str) -> Option<u16> {
    let (image, _digest) = image.split_once('@').unwrap_or((image, ""));
    let (_, tag) = image.rsplit('/').next()?.split_once(':')?;
    let digits = tag.find(|character: char| !character.is_ascii_digit()).unwrap_or(tag.len());
    tag[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::major_of;

    #[test]
    fn a_tag_begins_with_the_major_version() {
        for (image, major) in [
            ("postgres:15", Some(15)),
            ("registry.example.com:5000/team/postgres:16.3-alpine@sha256:0", Some(16)),
            ("registry.example.com:5000/postgres", None),
            ("postgres:latest", None),
            ("postgres", None),
        ] {
            assert_eq!(major_of(image), major, "{image}");
        }
    }
}
