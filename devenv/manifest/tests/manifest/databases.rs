//! Reads the files of databases with their services, and reports each mistake at its place.

use devenv_model::manifest::Concerns;

use crate::sources::Sources;

const REPORTS: &str = r#"{
  "DBInstanceIdentifier": "reports",
  "Engine": "postgres",
  "EngineVersion": "15",
  "DBName": "reporting",
  "MasterUsername": "reporter",
  "DBInstanceClass": "db.t4g.micro",
  "AllocatedStorage": 20,
  "StorageEncrypted": true,
  "EnableCloudwatchLogsExports": ["postgresql"],
  "Tags": [{ "Key": "team", "Value": "orders" }]
}
"#;
const SERVICE: &str = "  reports:\n    image: postgres:15\n    stdin_open: true\n";

fn good() -> Sources {
    let mut sources = Sources::good();
    sources.settings =
        sources.settings.replace("seeds = \"seeds\"\n", "seeds = \"seeds\"\ndatabases = \"databases\"\n");
    sources.settings =
        sources.settings.replace("\"127.0.0.1:${port:80}\"", "\"${port:80}\", URL = \"${database:reports}\"");
    sources.compose =
        sources.compose.replace("ports:", "environment: { DATABASE_URL: \"$${database:reports}\" }\n    ports:");
    sources.compose.push_str(SERVICE);
    sources.databases = vec![("reports".to_owned(), REPORTS.to_owned())];
    sources
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

fn database(from: &str, to: &str) -> String {
    let mut sources = good();
    sources.databases[0].1 = replaced(REPORTS, from, to);
    sources.drawn()
}

fn compose(from: &str, to: &str) -> String {
    let mut sources = good();
    sources.compose = replaced(&sources.compose, from, to);
    sources.drawn()
}

#[test]
fn a_database_is_the_service_of_its_name() {
    let manifest = good().assemble().unwrap_or_else(|error| panic!("{error}"));
    let database = manifest.database("reports").expect("it is declared");
    assert_eq!((database.major, database.database.as_str(), database.user.as_str()), (15, "reporting", "reporter"));
    assert_eq!(database.file, "databases/reports.json");
    let service = &manifest.services["reports"];
    assert_eq!(service.expose, [5432], "the port that nobody wrote");
    assert!(service.notices.is_empty(), "{:?}", service.notices);
    assert!(manifest.resources().iter().all(|resource| resource.name != "reports"), "no emulator makes it");
}

#[test]
fn an_image_of_another_version_is_noted() {
    let mut sources = good();
    sources.compose = replaced(&sources.compose, "postgres:15", "postgres:16.2-alpine");
    let manifest = sources.assemble().unwrap_or_else(|error| panic!("{error}"));
    let [notice] = &manifest.services["reports"].notices[..] else { panic!("one notice") };
    assert_eq!(notice.concerns, Concerns::Containers);
    insta::assert_snapshot!(notice.text, @"compose.yaml:9: reports is postgres:16.2-alpine, PostgreSQL 16, and EngineVersion in databases/reports.json is of PostgreSQL 15");
}

#[test]
fn a_database_of_a_profile_waits_for_it() {
    let mut sources = good();
    sources.compose = sources.compose.replace("    stdin_open: true\n", "    profiles: [reporting]\n");
    insta::assert_snapshot!("database of a profile", sources.drawn());
    sources.settings = sources.settings.replace(", URL = \"${database:reports}\"", "");
    sources.compose = sources.compose.replace("$${database:reports}", "none");
    let manifest = sources.assemble().unwrap_or_else(|error| panic!("{error}"));
    assert!(manifest.databases.is_empty());
}

#[test]
fn a_database_alone_needs_no_emulator() {
    let mut sources = good();
    sources.settings = sources.settings.replace("tables = \"tables\"\nseeds = \"seeds\"\n", "");
    (sources.tables, sources.seeds) = (Vec::new(), Vec::new());
    assert!(!sources.assemble().unwrap_or_else(|error| panic!("{error}")).uses_aws);
}

#[test]
fn of_databases() {
    insta::assert_snapshot!("database unknown key", database("EngineVersion", "EngineVersions"));
    insta::assert_snapshot!(
        "database password",
        database("\"DBInstanceClass\": \"db.t4g.micro\"", "\"MasterUserPassword\": \"secret\"")
    );
    insta::assert_snapshot!("database network", database("\"DBInstanceClass\"", "\"DBSubnetGroupName\""));
    insta::assert_snapshot!("database engine", database("\"postgres\"", "\"mysql\""));
    insta::assert_snapshot!("database version", database("\"15\"", "\"fifteen\""));
    insta::assert_snapshot!("database old version", database("\"15\"", "\"9.6\""));
    insta::assert_snapshot!("database version number", database("\"15\"", "15"));
    insta::assert_snapshot!("database identifier", database("\"reports\"", "\"Reports--1\""));
    insta::assert_snapshot!("database name", database("\"reporting\"", "\"re-porting\""));
    insta::assert_snapshot!("database reserved name", database("\"reporting\"", "\"template1\""));
    insta::assert_snapshot!("database user", database("\"reporter\"", "\"admin\""));
    insta::assert_snapshot!("database storage", database("20", "\"20\""));
    insta::assert_snapshot!("database class", database("db.t4g.micro", "t4g.micro"));
    insta::assert_snapshot!("database flag", database("true", "\"true\""));
    insta::assert_snapshot!("database logs", database("[\"postgresql\"]", "[\"slowquery\"]"));
    insta::assert_snapshot!("database missing key", database("  \"DBName\": \"reporting\",\n", ""));
    let mut twice = good();
    twice.databases.push(("again".to_owned(), REPORTS.to_owned()));
    insta::assert_snapshot!("database twice", twice.drawn());
}

#[test]
fn between_databases_and_services() {
    insta::assert_snapshot!("database without service", compose("  reports:", "  report:"));
    insta::assert_snapshot!("database unknown in compose", compose("database:reports", "database:reporting"));
    insta::assert_snapshot!(
        "database other user",
        compose("    stdin_open: true", "    environment: { POSTGRES_USER: someone, POSTGRES_DB: reporting }")
    );
    let mut sources = good();
    sources.settings = replaced(&sources.settings, "${database:reports}", "${database:orders}");
    insta::assert_snapshot!("database unknown in settings", sources.drawn());
}
