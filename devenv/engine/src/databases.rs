//! Databases of a running environment: their state, and making them anew.

use std::net::SocketAddr;
use std::time::Duration;

use devenv_databases::password;
use devenv_model::database::{DatabaseState, Login};
use devenv_model::manifest::Service;
use devenv_model::observed::UnitState;
use devenv_model::resource::{ResourceId, ResourceKind};
use devenv_runtime::{Error as RuntimeError, Project};
use devenv_supervisor::postgres;

use crate::error::Error;
use crate::{desired, resolve};

/// The limit for one answer of a server; a new database is a copy of a few megabytes.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// Databases that every server has.
const POSTGRES: &str = "postgres";
const TEMPLATE: &str = "template1";

/// Makes what databases need before their first start: their password.
pub(crate) fn prepare(project: &Project) -> Result<(), Error> {
    if project.manifest.databases.is_empty() {
        return Ok(());
    }
    let state = project.state.path();
    let made = password::make(state);
    Ok(made.map_err(|source| RuntimeError::State { path: password::file(state), source })?)
}

/// The unit of a database, as a running environment has it.
enum Reached {
    /// The environment runs without it.
    Elsewhere,
    /// It does not answer, with the reason.
    Silent(String),
    At(SocketAddr, Login),
}

/// Every database of a running environment with its state.
pub async fn databases(project: &Project) -> Result<Vec<(ResourceId, DatabaseState)>, Error> {
    let mut states = Vec::new();
    for (service, reached) in reached(project).await? {
        let state = match reached {
            Reached::Elsewhere => {
                DatabaseState::Unreachable(format!("{} is not a part of the running environment", service.name))
            }
            Reached::Silent(why) => DatabaseState::Unreachable(why),
            Reached::At(address, login) => match run(address, &login, &[]).await {
                Ok(()) => DatabaseState::Present,
                Err(Failure::Server(failure)) if failure.is_of_absence() => DatabaseState::Absent,
                Err(failure) => DatabaseState::Unreachable(failure.to_string()),
            },
        };
        states.push((id(service), state));
    }
    Ok(states)
}

/// Makes every database of the running environment anew, empty.
pub(crate) async fn make_anew(project: &Project) -> Result<Vec<ResourceId>, Error> {
    let mut made = Vec::new();
    for (service, reached) in reached(project).await? {
        let failed = |cause: String| Error::ResetDatabase { service: service.name.clone(), cause };
        let (address, login) = match reached {
            Reached::Elsewhere => continue,
            Reached::Silent(why) => return Err(failed(why)),
            Reached::At(address, login) => (address, login),
        };
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let (database, user) = (quoted(&login.database), quoted(&login.user));
        let drop = format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)");
        let create = format!("CREATE DATABASE {database} OWNER {user}");
        let login = Login { database: other_than(&login.database).to_owned(), ..login };
        run(address, &login, &[&drop, &create]).await.map_err(|failure| failed(failure.to_string()))?;
        made.push(id(service));
    }
    Ok(made)
}

/// A database to be in while this one is dropped.
fn other_than(database: &str) -> &'static str {
    if database == POSTGRES { TEMPLATE } else { POSTGRES }
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Server(postgres::Failure),
    #[error("it does not answer within {} s", ANSWER_LIMIT.as_secs())]
    Late,
}

async fn run(address: SocketAddr, login: &Login, statements: &[&str]) -> Result<(), Failure> {
    let answer = tokio::time::timeout(ANSWER_LIMIT, postgres::run(address, login, statements)).await;
    answer.map_err(|_| Failure::Late)?.map_err(Failure::Server)
}

/// Runs the services again, in their order, that run once and depend on one of these databases, or on one that runs again.
pub(crate) async fn run_again(project: &Project, databases: &[ResourceId]) -> Result<(), Error> {
    if databases.is_empty() {
        return Ok(());
    }
    let mut from: Vec<String> = databases.iter().map(|resource| resource.name.clone()).collect();
    let runtime = resolve::current(project).await?.connect(project).await?;
    let units = runtime.observe().await?.units;
    let manifest = &project.manifest;
    for unit in desired::in_order(project, &[])? {
        let Some(service) = manifest.service_of(&unit) else { continue };
        let depends = service.depends_on.keys().any(|name| from.contains(name));
        if depends && manifest.is_one_shot(&service.name) && units.contains_key(&unit) {
            runtime.resume(&unit).await?;
            from.push(service.name.clone());
        }
    }
    Ok(())
}

/// Each database with its unit in the running environment.
async fn reached(project: &Project) -> Result<Vec<(&Service, Reached)>, Error> {
    let mut all = Vec::new();
    if project.manifest.databases.is_empty() {
        return Ok(all);
    }
    let units = resolve::current(project).await?.connect(project).await?.observe().await?.units;
    for database in &project.manifest.databases {
        let Some(service) = project.manifest.services.get(&database.name) else { continue };
        let name = &database.name;
        let reached = match units.get(name) {
            None => Reached::Elsewhere,
            Some(unit) if !matches!(unit.state, UnitState::Ready { .. }) => {
                Reached::Silent(format!("{name} is not ready; devenv logs {name} shows why"))
            }
            Some(unit) => match desired::database_address(project, service, &unit.bindings)? {
                Some((address, login)) => Reached::At(address, login),
                None => Reached::Silent(format!("{name} has no port on this machine")),
            },
        };
        all.push((service, reached));
    }
    Ok(all)
}

fn id(service: &Service) -> ResourceId {
    ResourceId::new(ResourceKind::Database, &service.name)
}
