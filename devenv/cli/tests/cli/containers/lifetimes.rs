//! Services that run once, and replicas, as containers.

use serde_json::Value;

use super::engine::{ShellImage, docker};
use super::project::Project;
use crate::folder::{eventually, signal};

/// A project whose `web` starts when `migrate`, with this script, has completed.
fn with_one_shot(image: &ShellImage, script: &str) -> Project {
    let project = Project::new();
    let waits = "service_healthy }, migrate: { condition: service_completed_successfully }";
    project.change("compose.yaml", "service_healthy }", waits);
    add(&project, "migrate", image, script, "");
    project
}

fn add(project: &Project, name: &str, image: &ShellImage, script: &str, more: &str) {
    let compose = std::fs::read_to_string(project.path().join("compose.yaml")).expect("readable");
    let service = format!(
        "  {name}:\n    image: {}\n    command: [sh, -c, {script:?}]\n    stop_grace_period: 5s\n{more}",
        image.0
    );
    project.write("compose.yaml", &(compose + &service));
}

fn facts(project: &Project, unit: &str) -> Value {
    let facts: Value = serde_json::from_str(&docker(&["inspect", &project.container(unit)])).expect("JSON");
    facts[0].clone()
}

/// The start of the unit's container: another time is another run.
fn started(project: &Project, unit: &str) -> String {
    facts(project, unit)["State"]["StartedAt"].as_str().expect("it ran").to_owned()
}

#[test]
#[ignore = "needs a container engine"]
fn a_migration_runs_once_until_it_changes_or_the_environment_goes() {
    let image = ShellImage::new();
    let project = with_one_shot(&image, "echo adding a column; sleep 2.5");
    let plan = project.done(&["up", "--dry-run", "--runtime", "docker"]).out;
    assert!(plan.contains("start migrate (not completed yet)"), "{plan}");
    let up = project.up();
    assert!(up.err.contains("  adding a column\n"), "its log is its progress: {}", up.err);
    assert_eq!(project.unit("migrate")["state"], "completed");
    assert_eq!(facts(&project, "migrate")["HostConfig"]["RestartPolicy"]["Name"], "no");
    let first = started(&project, "migrate");
    assert!(project.up().err.contains("unchanged"));
    assert_eq!(project.json(&["stop", "migrate"])["changed"], serde_json::json!([]), "it has ended");
    assert_eq!(started(&project, "migrate"), first);
    assert_eq!(project.json(&["restart", "migrate"])["changed"], serde_json::json!(["migrate"]));
    let second = started(&project, "migrate");
    assert_ne!(second, first);
    let web = started(&project, "web");
    project.change("compose.yaml", "adding a column", "adding an index");
    let plan = project.done(&["up", "--dry-run"]).out;
    assert!(plan.contains("replace migrate (configuration changed)") && !plan.contains("web"), "{plan}");
    assert!(project.up().err.contains("  adding an index\n"));
    assert_eq!((started(&project, "migrate") == second, started(&project, "web")), (false, web));
    project.done(&["down"]);
    let up = project.up();
    assert!(up.err.contains("  adding an index\n"), "{}", up.err);
}

#[test]
#[ignore = "needs a container engine"]
fn a_migration_that_fails_is_shown_with_its_exit_code_and_its_log_and_nothing_is_left() {
    let image = ShellImage::new();
    let project = with_one_shot(&image, "echo no such column; exit 3");
    let up = project.run(&["up", "-d", "--runtime", "docker", "--output", "plain"]);
    assert_eq!(up.code, 1, "{}", up.err);
    assert!(up.err.contains("error: migrate failed: it ended with exit code 3\n"), "{}", up.err);
    assert!(up.err.contains("| no such column") && up.err.contains("hint: devenv logs migrate"), "{}", up.err);
    let left = project.things();
    assert!(left.iter().all(|thing| thing.starts_with("volume ")), "{left:?}");
}

#[test]
#[ignore = "needs a container engine"]
fn a_migration_that_a_killed_command_left_half_done_is_put_right() {
    let image = ShellImage::new();
    let project = with_one_shot(&image, "echo begun; sleep 3");
    let mut up = project.command(&["up", "-d", "--runtime", "docker"]).spawn().expect("the program starts");
    eventually("it runs", || project.unit("migrate")["state"] == "starting");
    signal(u64::from(up.id()), "KILL");
    up.wait().expect("ours");
    project.up();
    assert_eq!(project.unit("migrate")["state"], "completed");
    assert_eq!(project.unit("web")["state"], "ready");
    docker(&["rm", "--force", &project.container("migrate")]);
    project.up();
    assert_eq!(project.unit("migrate")["state"], "completed");
}

#[test]
#[ignore = "needs a container engine"]
fn a_service_without_restarts_completes_or_is_stopped_but_is_not_both() {
    let image = ShellImage::new();
    let project = Project::new();
    let server = "trap 'exit 0' TERM; while [ ! -e /go ]; do sleep 0.1; done";
    add(&project, "batch", &image, server, "    restart: \"no\"\n");
    project.up();
    assert_eq!(project.unit("batch")["state"], "ready");
    project.done(&["stop", "batch"]);
    let stopped = project.unit("batch");
    assert_eq!((&stopped["state"], &stopped["detail"]), (&"stopped".into(), &"ended with exit code 0".into()));
    assert!(project.done(&["up", "--dry-run"]).out.contains("start batch (not running)"));
    project.up();
    assert_eq!(project.unit("batch")["state"], "ready");
    docker(&["exec", &project.container("batch"), "touch", "/go"]);
    eventually("it has ended", || project.unit("batch")["state"] == "completed");
    assert!(project.up().err.contains("unchanged"));
    project.done(&["restart", "batch"]);
    eventually("it has ended again", || project.unit("batch")["state"] == "completed");
}

/// Compose's default is no restart, and many files have a container that fills a database and ends.
#[test]
#[ignore = "needs a container engine"]
fn a_service_that_ends_is_no_failure_unless_it_has_a_port() {
    let image = ShellImage::new();
    let project = Project::new();
    add(&project, "fill", &image, "echo filled", "");
    project.up();
    eventually("it has ended", || project.unit("fill")["state"] == "completed");
    let first = started(&project, "fill");
    project.up();
    eventually("it has run again, as with Compose", || started(&project, "fill") != first);
    project.done(&["down"]);
    project.change("compose.yaml", "echo filled\"]", "echo filled\"]\n    ports: [\"8080\"]");
    let failed = project.run(&["up", "-d", "--output", "plain"]);
    assert_eq!(failed.code, 1, "{}", failed.err);
    assert!(failed.err.contains("fill failed: it ended with exit code 0"), "{}", failed.err);
}

#[test]
#[ignore = "needs a container engine"]
fn replicas_share_a_name_and_have_ports_of_their_own() {
    let project = Project::new();
    project.change("compose.yaml", "ports: [\"8080\"]", "scale: 3\n    ports: [\"19483-19484:8080\"]");
    let up = project.up();
    assert!(up.err.contains("the ports 19483 to 19484 are taken; web-3 uses port "), "{}", up.err);
    let urls = ["web", "web-2", "web-3"].map(|unit| project.unit(unit)["url"].as_str().expect("published").to_owned());
    assert_eq!(urls[..2], ["http://127.0.0.1:19483", "http://127.0.0.1:19484"]);
    assert!(!urls[..2].contains(&urls[2]), "{urls:?}");
    for unit in ["web", "web-2", "web-3"] {
        let networks = facts(&project, unit)["NetworkSettings"]["Networks"].clone();
        let network = networks.as_object().expect("a map").values().next().expect("one").clone();
        let aliases: Vec<String> = serde_json::from_value(network["Aliases"].clone()).expect("a list");
        assert!(["web", unit].iter().all(|name| aliases.iter().any(|alias| alias == name)), "{aliases:?}");
    }
    assert!(project.up().err.contains("unchanged"));
    let web = started(&project, "web");
    project.change("compose.yaml", "scale: 3", "scale: 2");
    let plan = project.done(&["up", "--dry-run"]).out;
    assert!(plan.contains("stop web-3 (no longer in the manifest)"), "{plan}");
    project.up();
    assert_eq!(started(&project, "web"), web, "the others stay");
    assert_eq!(project.json(&["stop", "web"])["changed"], serde_json::json!(["web", "web-2"]));
    let logs = project.done(&["logs", "web", "--output", "plain"]).out;
    assert!(logs.contains("web  ") && logs.contains("web-2  "), "{logs}");
}
