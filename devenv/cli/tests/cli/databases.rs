//! PostgreSQL as a process: the server of this machine, its data, and every kill.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use serde_json::Value;

use crate::folder::{DEVENV, Ran, eventually, signal};
use crate::project::Project;

pub(crate) const REPORTS: &str = r#"{
  "DBInstanceIdentifier": "reports",
  "Engine": "postgres",
  "EngineVersion": "13",
  "DBName": "reporting",
  "MasterUsername": "reporter",
  "DBInstanceClass": "db.t4g.micro",
  "AllocatedStorage": 20
}
"#;
const COMPOSE: &str = r#"services:
  reports:
    image: postgres:13
    volumes: ["data:/var/lib/postgresql/data"]
    healthcheck: { test: ["CMD", "pg_isready"] }
  migrate:
    image: migrate:1
    depends_on: { reports: { condition: service_healthy } }
  web:
    image: web:1
    ports: ["80"]
    stop_grace_period: 2s
    environment: { DATABASE_URL: "$${database:reports}" }
    depends_on: { migrate: { condition: service_completed_successfully } }
volumes: { data: {} }
"#;
/// Each run of the migration adds a row, so that a test sees how often it ran.
const MIGRATION: &str = "CREATE TABLE IF NOT EXISTS runs (id serial); INSERT INTO runs DEFAULT VALUES";

/// A database, a migration that runs once, and a service, all as processes.
fn project() -> Project {
    let project = Project::new();
    for folder in ["tables", "seeds"] {
        std::fs::remove_dir_all(project.path().join(folder)).expect("it is there");
    }
    let web = format!("[\"{DEVENV}\", \"emulator\", \"--memory\", \"--listen\", \"127.0.0.1:${{port:80}}\"]");
    let settings = format!(
        "version = 1\nname = \"shop\"\ncompose = \"compose.yaml\"\ndatabases = \"databases\"\n\
         [services.migrate.process]\ncommand = [\"psql\", \"${{database:reports}}\", \"--command\", \"{MIGRATION}\"]\n\
         [services.web]\nhealth = \"/\"\n[services.web.process]\ncommand = {web}\n\
         [test]\ncommand = [\"sh\", \"-c\", \"psql $REPORTS_URL --command 'SELECT id FROM runs'\"]\n"
    );
    project.write("devenv.toml", &settings);
    project.write("compose.yaml", COMPOSE);
    project.write("databases/reports.json", REPORTS);
    project
}

fn up(project: &Project) -> Ran {
    project.done(&["up", "-d", "--output", "plain"])
}

/// What `psql` beside the database prints.
fn sql(project: &Project, statement: &str) -> String {
    let ran = project.done(&[
        "exec",
        "reports",
        "--",
        "psql",
        "--no-psqlrc",
        "--quiet",
        "--tuples-only",
        "--no-align",
        "-c",
        statement,
    ]);
    ran.out.trim().to_owned()
}

fn runs(project: &Project) -> String {
    sql(project, "SELECT count(*) FROM runs")
}

/// The user id of a process.
fn user(pid: u64) -> u32 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:")).expect("it has a user");
    line.split_whitespace().next().and_then(|user| user.parse().ok()).expect("a number")
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_database_keeps_its_data_until_its_volumes_go() {
    let project = project();
    let first = up(&project);
    assert!(first.err.contains("EngineVersion in databases/reports.json is of PostgreSQL 13"), "{}", first.err);
    assert_ne!(user(project.pid("reports")), 0, "PostgreSQL does not run as root");
    assert_eq!(runs(&project), "1");
    assert!(up(&project).err.contains("unchanged"));
    let resources = project.json(&["resources"]);
    let reports = resources["resources"].as_array().and_then(|all| all.first()).cloned().unwrap_or_default();
    assert_eq!((&reports["kind"], &reports["state"]), (&"database".into(), &"present".into()), "{resources}");
    assert!(project.done(&["resources"]).out.contains("database  reports  present"));
    let url = project.json(&["env"])["variables"]["REPORTS_URL"].as_str().unwrap_or_default().to_owned();
    assert!(url.starts_with("postgres://reporter:") && url.ends_with("/reporting"), "{url}");
    assert!(project.json(&["env"])["variables"].get("REPORTS_5432_URL").is_none(), "a database does not speak HTTP");
    let listed = project.json(&["ps"]);
    assert!(listed.to_string().contains("\"reports\""), "{listed}");
    assert!(project.done(&["logs", "reports", "--tail", "50"]).out.contains("ready to accept connections"));
    project.done(&["down"]);
    project.nothing_is_left();
    let log = std::fs::read_to_string(project.path().join(".devenv/logs/reports.log")).expect("it is kept");
    assert!(log.contains("received fast shutdown request"), "{log}");
    up(&project);
    assert_eq!(runs(&project), "2", "the data is kept, and the migration ran in the new environment");
    project.done(&["down", "--volumes"]);
    assert!(!project.path().join(".devenv/data").exists());
    up(&project);
    assert_eq!(runs(&project), "1");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_killed_server_recovers_what_was_committed() {
    let project = project();
    up(&project);
    for round in 1..=3 {
        sql(&project, "INSERT INTO runs DEFAULT VALUES");
        signal(project.pid("reports"), "KILL");
        eventually("the server is ready again", || {
            let unit = project.unit("reports");
            unit["state"] == "ready" && unit["restarts"] == round
        });
        assert_eq!(runs(&project), (1 + round).to_string());
    }
    assert!(up(&project).err.contains("unchanged"));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn after_a_kill_of_the_supervisor_up_repairs_and_down_leaves_nothing() {
    let project = project();
    up(&project);
    // A client that does not leave by itself.
    let url = project.json(&["env"])["variables"]["REPORTS_URL"].as_str().expect("it has one").to_owned();
    let mut client = std::process::Command::new("psql")
        .args([url.as_str(), "--command", "SELECT pg_sleep(600)"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("psql is there");
    for _ in 0..2 {
        signal(project.supervisor().expect("it runs"), "KILL");
        eventually("the supervisor is gone", || project.supervisor().is_none());
        let again = up(&project);
        assert!(again.err.contains("end leftover"), "{}", again.err);
        assert_eq!(project.unit("reports")["state"], "ready");
    }
    assert_eq!(runs(&project), "3");
    signal(project.supervisor().expect("it runs"), "KILL");
    eventually("the supervisor is gone", || project.supervisor().is_none());
    project.done(&["down"]);
    project.nothing_is_left();
    client.wait().expect("its server is gone");
    up(&project);
    assert_eq!(runs(&project), "4");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn the_database_ends_with_the_command_that_owns_it() {
    let project = project();
    let mut owner = project.start(&["up"]);
    eventually("everything is ready", || {
        project.json(&["status"])["units"]
            .as_array()
            .is_some_and(|units| units.iter().any(|unit| unit["name"] == "web" && unit["state"] == "ready"))
    });
    owner.kill().expect("ours");
    owner.wait().expect("ours");
    project.nothing_is_left();
    up(&project);
    assert_eq!(runs(&project), "2");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_reset_makes_the_database_anew_and_runs_the_migration_again() {
    let project = project();
    up(&project);
    sql(&project, "INSERT INTO runs DEFAULT VALUES; CREATE TABLE other (id int)");
    let before = project.pid("reports");
    let reset = project.done(&["reset"]);
    assert!(reset.out.contains("1 database"), "{}", reset.out);
    assert_eq!(runs(&project), "1");
    assert_eq!(sql(&project, "SELECT to_regclass('other') IS NULL"), "t");
    assert_eq!(project.pid("reports"), before, "the server goes on");
    assert_eq!(project.unit("migrate")["state"], "completed");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_database_of_the_servers_own_name_is_made_anew_too() {
    let project = project();
    project.change("databases/reports.json", "\"reporting\"", "\"postgres\"");
    up(&project);
    sql(&project, "CREATE TABLE other (id int)");
    project.done(&["reset"]);
    assert_eq!(runs(&project), "1");
    assert_eq!(sql(&project, "SELECT to_regclass('other') IS NULL"), "t");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_port_that_is_taken_is_replaced() {
    let project = project();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port();
    let ports = format!("    image: postgres:13\n    ports: [\"127.0.0.1:{port}:5432\"]\n");
    project.change("compose.yaml", "    image: postgres:13\n", &ports);
    let first = up(&project);
    assert!(first.err.contains(&format!("port {port} is held by")), "{}", first.err);
    assert_eq!(runs(&project), "1");
    project.done(&["down"]);
    drop(taken);
    up(&project);
    assert_eq!(project.unit("reports")["url"], format!("postgres://127.0.0.1:{port}"));
    assert_eq!(runs(&project), "2");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_login_of_the_compose_file_is_the_databases() {
    let project = project();
    up(&project);
    let given = "    image: postgres:13\n    environment: { POSTGRES_PASSWORD: \"it's/secret\" }\n    command: [postgres, -c, work_mem=5MB, -c, listen_addresses=*]\n";
    project.change("compose.yaml", "    image: postgres:13\n", given);
    up(&project);
    let url = project.json(&["env"])["variables"]["REPORTS_URL"].as_str().unwrap_or_default().to_owned();
    assert!(url.contains(":it%27s%2Fsecret@"), "{url}");
    assert_eq!(runs(&project), "2", "the migration used it too");
    assert_eq!(sql(&project, "SHOW work_mem"), "5MB");
    assert_eq!(sql(&project, "SHOW listen_addresses"), "127.0.0.1", "no file opens it to others");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_test_run_has_a_database_of_its_own() {
    let project = project();
    up(&project);
    let before = runs(&project);
    let ran = project.run(&["test", "--output", "plain"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(runs(&project), before);
    assert!(std::fs::read_dir(project.path().join(".devenv/test")).map_or(true, |mut left| left.next().is_none()));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn data_of_another_version_is_left_alone() {
    let project = project();
    up(&project);
    project.done(&["down"]);
    let version = project.path().join(".devenv/data/postgresql/reports/PG_VERSION");
    let written = std::fs::read_to_string(&version).expect("it is there");
    std::fs::write(&version, "99\n").expect("writable");
    let failure = project.json(&["up", "-d"]);
    assert_eq!(failure["error"]["code"], "no_postgresql", "{failure}");
    let hint = failure["error"]["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("devenv down --volumes"), "{failure}");
    std::fs::write(&version, written).expect("writable");
    up(&project);
    assert_eq!(runs(&project), "2");
}

/// No machine has this version.
#[test]
fn a_machine_without_the_server_is_told_what_to_install() {
    let project = project();
    project.change("databases/reports.json", "\"13\"", "\"99\"");
    let failure = project.json(&["up", "-d"]);
    let error = &failure["error"];
    assert_eq!((&error["code"], &error["exit_code"]), (&"no_postgresql".into(), &Value::from(4)), "{failure}");
    let message = error["message"].as_str().unwrap_or_default();
    assert!(message.contains("reports needs a PostgreSQL server: PostgreSQL 99 is not installed"), "{failure}");
    assert!(error["hint"].as_str().unwrap_or_default().contains("--runtime docker"), "{failure}");
    assert!(!project.path().join(".devenv/data/postgresql").exists());
    let doctor = project.run(&["doctor"]);
    assert!(doctor.out.contains("PostgreSQL 99 is not installed on this machine"), "{}", doctor.out);
}

/// User id of `nobody` on most systems; no account has to exist.
const OTHER: u32 = 65534;

#[test]
#[ignore = "needs root and PostgreSQL"]
fn an_ordinary_user_runs_the_server_as_itself() {
    let mut project = project();
    let own = |path: &std::path::Path| {
        std::os::unix::fs::chown(path, Some(OTHER), Some(OTHER)).expect("this test runs as root");
    };
    own(project.path());
    own(project.runtime_root().parent().expect("it is in a folder"));
    let home = project.path().join("home");
    std::fs::create_dir(&home).expect("writable");
    own(&home);
    project.set("HOME", home.to_str().expect("UTF-8"));
    // The other user may have no access to the program's folder.
    let program = project.path().join("devenv");
    std::fs::copy(DEVENV, &program).expect("writable");
    project.write(
        "devenv.toml",
        &std::fs::read_to_string(project.path().join("devenv.toml"))
            .expect("readable")
            .replace(DEVENV, program.to_str().expect("UTF-8")),
    );
    project.folder.program = vec![program.display().to_string()];
    let run = |arguments: &[&str]| {
        let ran = Ran::from(project.command(arguments).uid(OTHER).gid(OTHER).output().expect("it starts"));
        assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.out, ran.err);
        ran
    };
    run(&["up", "-d"]);
    let status: Value =
        serde_json::from_str(run(&["status", "--output", "json"]).out.lines().last().expect("a result")).expect("JSON");
    let reports = status["units"]
        .as_array()
        .and_then(|all| all.iter().find(|unit| unit["name"] == "reports"))
        .expect("it is listed");
    assert_eq!(user(reports["pid"].as_u64().expect("it runs")), OTHER);
    // A killed server leaves its lock file, and a stranger of this user now has the id in it.
    run(&["down"]);
    let mut stranger =
        std::process::Command::new("sleep").arg("60").uid(OTHER).gid(OTHER).spawn().expect("sleep is there");
    let lock = project.path().join(".devenv/data/postgresql/reports/postmaster.pid");
    std::fs::write(&lock, format!("{}\n/elsewhere\n", stranger.id())).expect("writable");
    own(&lock);
    run(&["up", "-d"]);
    assert!(stranger.try_wait().expect("ours").is_none(), "the stranger lives");
    run(&["down", "--volumes"]);
    stranger.kill().expect("ours");
    stranger.wait().expect("ours");
}
