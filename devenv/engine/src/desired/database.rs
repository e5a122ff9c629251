//! The units that are PostgreSQL databases: their address and login, and as processes the server of this machine.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use devenv_databases::choice::choose;
use devenv_databases::data::major;
use devenv_databases::serve::{Options, options_of};
use devenv_databases::{password, server};
use devenv_model::artifact::{Artifact, CommandArtifact};
use devenv_model::database::{Login, PORT};
use devenv_model::intent::{Binding, Ports, UnitIntent, binding_of};
use devenv_model::manifest::Service;
use devenv_model::unit::Probe;
use devenv_runtime::{Abilities, Error as RuntimeError, Project, own_program};

use super::address::reached;
use crate::error::Error;

/// Stands in a plan until the first start makes the password.
const NO_PASSWORD: &str = "made-by-the-first-start";
/// A fast shutdown: PostgreSQL does not wait for its clients to leave.
const STOP_SIGNAL: &str = "SIGINT";

/// Whether a service is a database that devenv serves itself as a process.
pub(super) fn serves(project: &Project, service: &Service) -> bool {
    service.process.is_none() && project.manifest.database(&service.name).is_some()
}

/// Whether a service is a database, and this machine has a server for it.
pub(crate) fn runs_here(project: &Project, service: &Service) -> bool {
    serves(project, service) && chosen(project, service).is_ok()
}

/// The login of a database; `None` for any other service.
fn login(project: &Project, service: &Service) -> Result<Option<Login>, Error> {
    let Some(database) = project.manifest.database(&service.name) else { return Ok(None) };
    let kept = password::kept(project.state.path());
    let kept = kept.map_err(|source| RuntimeError::ReadFile { path: password::file(project.state.path()), source })?;
    Ok(Some(database.login(&service.environment, kept.as_deref().unwrap_or(NO_PASSWORD))))
}

/// The port of a database in its container.
fn port(service: &Service) -> u16 {
    let ports = service.ports.iter().map(|port| port.container).chain(service.expose.iter().copied());
    let ports: Vec<u16> = ports.collect();
    if ports.contains(&PORT) { PORT } else { ports.first().copied().unwrap_or(PORT) }
}

/// The address of a running database on this machine, and its login.
pub(crate) fn address(
    project: &Project,
    service: &Service,
    bindings: &[Binding],
) -> Result<Option<(SocketAddr, Login)>, Error> {
    let binding = binding_of(bindings, port(service));
    Ok(login(project, service)?.zip(binding).map(|(login, binding)| (reached(binding.host), login)))
}

/// The URL of each database for the units of a runtime, if it has an address there.
pub(crate) fn urls(project: &Project, abilities: Abilities, ports: &Ports) -> Result<BTreeMap<String, String>, Error> {
    let mut urls = BTreeMap::new();
    for database in &project.manifest.databases {
        let Some(service) = project.manifest.services.get(&database.name) else { continue };
        let bindings = ports.get(&database.name).map_or(&[][..], Vec::as_slice);
        let url = if abilities.network {
            login(project, service)?.map(|login| login.url(&database.name, port(service)))
        } else {
            let found = address(project, service, bindings)?;
            found.map(|(address, login)| login.url(&address.ip().to_string(), address.port()))
        };
        urls.extend(url.map(|url| (database.name.clone(), url)));
    }
    Ok(urls)
}

/// Adds the variables of a database's server that the Compose file leaves out, and those by which `psql` beside it finds it.
pub(super) fn complete(
    project: &Project,
    service: &Service,
    abilities: Abilities,
    ports: &Ports,
    environment: &mut BTreeMap<String, String>,
) -> Result<(), Error> {
    let Some(login) = login(project, service)? else { return Ok(()) };
    let mut add = |name: &str, value: &str| {
        environment.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    };
    login.of_server().into_iter().for_each(|(name, value)| add(name, value));
    add("PGUSER", &login.user);
    add("PGDATABASE", &login.database);
    if !abilities.network
        && let Some(bindings) = ports.get(&service.name)
        && let Some((address, login)) = address(project, service, bindings)?
    {
        add("PGHOST", &address.ip().to_string());
        add("PGPORT", &address.port().to_string());
        add("PGPASSWORD", &login.password);
    }
    Ok(())
}

/// The intent of a unit, completed if it is a database: its signal to stop, and as a process its command and probe.
pub(super) fn finish(
    project: &Project,
    service: &Service,
    abilities: Abilities,
    mut intent: UnitIntent,
) -> Result<UnitIntent, Error> {
    if project.manifest.database(&service.name).is_none() {
        return Ok(intent);
    }
    intent.container.execution.stop_signal.get_or_insert_with(|| STOP_SIGNAL.to_owned());
    let address = address(project, service, &intent.bindings)?;
    let Some((address, login)) = address.filter(|_| !abilities.images && serves(project, service)) else {
        return Ok(intent);
    };
    let more = options_of(service.command.as_deref().unwrap_or_default());
    let options = Options::new(chosen(project, service)?, project.state.postgres(&intent.name), address, more);
    let own = [own_program()?.into_string(), "database".to_owned()];
    let run = own.into_iter().chain(options.words()).collect();
    intent.artifact = Artifact::Command(CommandArtifact { run, ..CommandArtifact::default() });
    intent.probe = Probe::Postgres { address, login };
    Ok(intent)
}

/// The server of this machine for a database.
fn chosen(project: &Project, service: &Service) -> Result<&'static server::Server, Error> {
    let wanted = project.manifest.database(&service.name).map_or(0, |database| database.major);
    let data = project.state.postgres(&service.name);
    choose(server::on_this_machine(), wanted, &data, major(&data))
        .map_err(|cause| Error::NoPostgres { service: service.name.clone(), cause })
}

/// What a person should know about the servers that will run as processes.
pub(crate) fn notices(project: &Project, services: &[&Service]) -> Vec<String> {
    let other = |service: &&&Service| {
        let wanted = project.manifest.database(&service.name).filter(|_| serves(project, service))?;
        let server = chosen(project, service).ok()?;
        let text = format!(
            "{} runs on PostgreSQL {} of this machine, and EngineVersion in {} is of PostgreSQL {}",
            service.name, server.version, wanted.file, wanted.major
        );
        (server.major != wanted.major).then_some(text)
    };
    services.iter().filter_map(|service| other(&service)).collect()
}

#[cfg(test)]
mod tests {
    use devenv_fakes::FakeProject;
    use devenv_model::addresses::Addresses;

    use super::*;
    use crate::desired::environment;

    const REPORTS: &str = r#"{ "DBInstanceIdentifier": "reports", "Engine": "postgres", "EngineVersion": "15", "DBName": "reporting",
        "MasterUsername": "reporter" }"#;
    const COMPOSE: &str = "services:\n  reports: { image: \"postgres:15\" }\n  api: { image: \"api:1\", environment: { URL: \"$${database:reports}\" } }\n";

    fn project() -> FakeProject {
        let project = FakeProject::new();
        std::fs::create_dir(project.path().join("databases")).expect("writable");
        project.write("databases/reports.json", REPORTS);
        project.write("compose.yaml", COMPOSE);
        project.write(
            "devenv.toml",
            "version = 1\nname = \"shop\"\ncompose = \"compose.yaml\"\ndatabases = \"databases\"\n",
        );
        project
    }

    #[test]
    fn a_database_has_one_login_and_an_address_for_each_runtime() {
        let fake = project();
        let project = fake.load();
        std::fs::create_dir_all(project.state.path()).expect("writable");
        password::make(project.state.path()).expect("writable");
        let made = password::kept(project.state.path()).expect("readable").expect("it was made");
        let ports: Ports = [("reports".to_owned(), vec![Binding::on_loopback(PORT, 20432)])].into();
        let containers = Abilities { images: true, network: true, any_address: true };
        let of = |service: &str, abilities| {
            let service = &project.manifest.services[service];
            let emulator = Addresses::single("http://127.0.0.1:9".to_owned());
            environment(&project, service, &service.name, abilities, &emulator, &ports).expect("no mistake")
        };
        assert_eq!(of("api", containers)["URL"], format!("postgres://reporter:{made}@reports:5432/reporting"));
        let server = of("reports", containers);
        assert_eq!(
            (server["POSTGRES_USER"].as_str(), server["POSTGRES_PASSWORD"].as_str()),
            ("reporter", made.as_str())
        );
        assert!(!server.contains_key("PGHOST"), "a client in the container uses its socket");
        let processes = Abilities { images: false, network: false, any_address: false };
        assert_eq!(of("reports", processes)["PGPORT"], "20432");
        let urls = urls(&project, processes, &ports).expect("no mistake");
        assert_eq!(urls["reports"], format!("postgres://reporter:{made}@127.0.0.1:20432/reporting"));
        assert!(super::urls(&project, processes, &Ports::new()).expect("no mistake").is_empty(), "it does not run");
    }

    #[test]
    fn a_container_keeps_its_health_check_and_ends_at_once() {
        let fake = project();
        let project = fake.load();
        let service = &project.manifest.services["reports"];
        let containers = Abilities { images: true, network: true, any_address: true };
        let artifact = Artifact::Image { reference: "postgres:15".to_owned() };
        let intent = UnitIntent {
            name: "reports".to_owned(),
            service: "reports".to_owned(),
            aliases: Vec::new(),
            artifact: artifact.clone(),
            entrypoint: None,
            command: None,
            environment: BTreeMap::new(),
            bindings: vec![Binding::on_loopback(PORT, 20432)],
            probe: Probe::Started,
            healthcheck: None,
            container: service.container.clone(),
            user: None,
            labels: BTreeMap::new(),
            stop_grace_period: service.stop_grace_period,
            lifetime: devenv_model::intent::Lifetime::OneShot,
            runs_under_init: false,
        };
        let finished = finish(&project, service, containers, intent).expect("it needs no server of this machine");
        assert_eq!((finished.artifact, finished.probe), (artifact, Probe::Started));
        assert_eq!(finished.container.execution.stop_signal.as_deref(), Some(STOP_SIGNAL));
    }
}
