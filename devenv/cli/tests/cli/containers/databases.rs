//! PostgreSQL as a container: devenv gives it the login that its Compose service leaves out.

use super::engine::{IMAGE, docker};
use super::project::Project;
use crate::databases::REPORTS;

/// `POSTGRES_IMAGE` names another image than the official one.
fn image() -> String {
    std::env::var("POSTGRES_IMAGE").unwrap_or_else(|_| "postgres:15".to_owned())
}

fn project() -> Project {
    let project = Project::new();
    let settings = format!(
        "version = 1\nname = \"shop\"\ncompose = \"compose.yaml\"\ndatabases = \"databases\"\n\
         [emulator.embedded]\nimage = \"{IMAGE}\"\n"
    );
    project.write("devenv.toml", &settings);
    let image = image();
    let run = "psql \\\"$$DATABASE_URL\\\" -c 'CREATE TABLE IF NOT EXISTS runs (id serial)' -c 'INSERT INTO runs DEFAULT VALUES'";
    let compose = format!(
        "services:\n  reports:\n    image: {image}\n    volumes: [\"data:/var/lib/postgresql/data\"]\n    healthcheck: {{ test: [\"CMD\", \
         pg_isready, --host, 127.0.0.1], interval: 1s, start_period: 30s }}\n  migrate:\n    image: {image}\n    \
         environment: {{ DATABASE_URL: \"$${{database:reports}}\" }}\n    command: [\"sh\", \"-c\", \"{run}\"]\n    \
         depends_on: {{ reports: {{ condition: service_healthy }} }}\n  web:\n    image: {IMAGE}\n    \
         command: [\"--memory\", \"--allow-any-address\", \"--listen\", \"0.0.0.0:8080\"]\n    ports: [\"8080\"]\n    \
         depends_on: {{ migrate: {{ condition: service_completed_successfully }} }}\nvolumes: {{ data: {{}} }}\n"
    );
    project.write("compose.yaml", &compose);
    project.write("databases/reports.json", REPORTS);
    project
}

/// What `psql` in the container prints. Over TCP: an image may have its socket in another folder.
fn sql(project: &Project, statement: &str) -> String {
    let client = "PGPASSWORD=$POSTGRES_PASSWORD psql --host 127.0.0.1 --quiet --tuples-only --no-align --command";
    let ran = project.done(&["exec", "reports", "--", "sh", "-c", &format!("{client} '{statement}'")]);
    ran.out.trim().to_owned()
}

#[test]
#[ignore = "needs a container engine"]
fn a_database_in_a_container_has_a_login_and_is_made_anew() {
    let project = project();
    project.up();
    let count = || sql(&project, "SELECT count(*) FROM runs");
    assert_eq!(count(), "1");
    let environment = docker(&["inspect", "--format", "{{json .Config.Env}}", &project.container("reports")]);
    assert!(
        environment.contains("POSTGRES_USER=reporter") && environment.contains("POSTGRES_DB=reporting"),
        "{environment}"
    );
    assert!(project.up().err.contains("unchanged"));
    assert!(project.done(&["resources"]).out.contains("database  reports  present"));
    sql(&project, "INSERT INTO runs DEFAULT VALUES");
    project.done(&["reset"]);
    assert_eq!(count(), "1", "the migration ran again");
    project.done(&["down"]);
    project.up();
    assert_eq!(count(), "2", "the volume is kept");
    project.done(&["down", "--volumes"]);
    project.up();
    assert_eq!(count(), "1");
}
