//! Services that run once, health checks by command, and replicas, as processes.

use crate::folder::{eventually, signal};
use crate::project::Project;

/// A project whose `web` starts when `migrate`, with this script, has completed. `migrate` is told the emulator's address.
fn with_one_shot(script: &str) -> Project {
    let project = Project::new();
    project.change(
        "compose.yaml",
        "service_healthy }",
        "service_healthy }, migrate: { condition: service_completed_successfully }",
    );
    let compose = std::fs::read_to_string(project.path().join("compose.yaml")).expect("readable");
    project.write("compose.yaml", &format!("{compose}  migrate:\n    image: migrate:1\n    stop_grace_period: 2s\n"));
    project.write("migrate.sh", script);
    let process = "[services.migrate.process]\ncommand = [\"sh\", \"migrate.sh\"]\n[test]\n";
    project.change("devenv.toml", "[test]\n", process);
    project
}

fn runs(project: &Project) -> usize {
    std::fs::read_to_string(project.path().join("runs")).unwrap_or_default().lines().count()
}

#[test]
fn a_migration_runs_once_until_it_changes_or_the_environment_goes() {
    let project =
        with_one_shot("test -n \"$AWS_ENDPOINT_URL\" || exit 9; echo run >> runs; echo adding a column; sleep 2.5\n");
    let plan = project.done(&["up", "--dry-run"]).out;
    assert!(plan.contains("start migrate (not completed yet)"), "{plan}");
    let up = project.done(&["up", "-d", "--output", "plain"]);
    assert!(up.err.contains("  adding a column\n"), "its log is its progress: {}", up.err);
    assert!(up.out.contains("migrate") && up.out.contains("completed"), "{}", up.out);
    let unit = project.unit("migrate");
    assert_eq!((&unit["state"], &unit["restarts"]), (&"completed".into(), &0.into()), "{unit}");
    assert!(project.done(&["up", "-d", "--output", "plain"]).err.contains("unchanged"));
    assert_eq!(project.done(&["up", "--dry-run"]).out.trim(), "nothing to do");
    assert_eq!(runs(&project), 1);
    assert_eq!(project.json(&["restart", "migrate"])["changed"], serde_json::json!(["migrate"]));
    assert_eq!(runs(&project), 2);
    project.change("compose.yaml", "image: migrate:1", "image: migrate:1\n    environment: { LEVEL: two }");
    let plan = project.done(&["up", "--dry-run"]).out;
    assert!(plan.contains("replace migrate (configuration changed)") && !plan.contains("web"), "{plan}");
    project.done(&["up", "-d"]);
    assert_eq!(runs(&project), 3);
    project.done(&["down"]);
    assert_eq!(project.unit("migrate")["state"], "stopped");
    project.done(&["up", "-d"]);
    assert_eq!(runs(&project), 4);
}

#[test]
fn a_migration_that_fails_is_shown_with_its_exit_code_and_its_log_and_nothing_is_left() {
    let project = with_one_shot("echo no such column; exit 3\n");
    let up = project.run(&["up", "-d", "--output", "plain"]);
    assert_eq!(up.code, 1, "{}", up.err);
    assert!(up.err.contains("error: migrate failed: ended with exit code 3"), "{}", up.err);
    assert!(up.err.contains("| no such column") && up.err.contains("hint: devenv logs migrate"), "{}", up.err);
    project.nothing_is_left();
    project.write("migrate.sh", "echo repaired\n");
    project.done(&["up", "-d"]);
    assert_eq!(project.unit("migrate")["state"], "completed");
}

#[test]
fn the_deadline_holds_for_a_migration_too() {
    let project = with_one_shot("echo thinking; sleep 60\n");
    let up = project.run(&["up", "-d", "--timeout", "5s", "--output", "plain"]);
    assert_eq!(up.code, 5, "{}", up.err);
    assert!(up.err.contains("wait for migrate: not done within 5.0 s") && up.err.contains("| thinking"), "{}", up.err);
    project.nothing_is_left();
}

#[test]
fn a_migration_that_a_killed_command_left_half_done_is_put_right() {
    let project = with_one_shot("echo run >> runs; while [ ! -e go ]; do sleep 0.02; done\n");
    let mut up = project.start(&["up", "-d"]);
    eventually("it runs", || runs(&project) == 1);
    signal(u64::from(up.id()), "KILL");
    up.wait().expect("ours");
    project.nothing_is_left();
    project.write("go", "");
    project.done(&["up", "-d"]);
    assert_eq!((project.unit("migrate")["state"].as_str(), runs(&project)), (Some("completed"), 2));
    // In an environment that was there before, the migration runs on, and the next command waits for it.
    std::fs::remove_file(project.path().join("go")).expect("ours");
    project.change("compose.yaml", "image: migrate:1", "image: migrate:1\n    environment: { LEVEL: two }");
    let mut up = project.start(&["up", "-d"]);
    eventually("it runs again", || runs(&project) == 3);
    signal(u64::from(up.id()), "KILL");
    up.wait().expect("ours");
    assert_eq!(project.unit("migrate")["state"], "starting");
    let plan = project.done(&["up", "--dry-run"]).out;
    assert!(plan.contains("wait for migrate (not ready yet)"), "{plan}");
    project.write("go", "");
    project.done(&["up", "-d"]);
    assert_eq!((project.unit("migrate")["state"].as_str(), runs(&project)), (Some("completed"), 3));
    signal(project.supervisor().expect("it runs"), "KILL");
    eventually("the supervisor is gone", || project.supervisor().is_none());
    project.done(&["up", "-d"]);
    assert_eq!((project.unit("migrate")["state"].as_str(), runs(&project)), (Some("completed"), 4));
}

#[test]
fn a_check_that_runs_when_its_supervisor_is_killed_is_ended_by_the_next_command() {
    let project = Project::new();
    let check = "healthcheck: { test: \"test -e passed || { touch passed; exit 0; }; echo $$$$ > pid; sleep 60\", interval: 100ms }";
    project.change("compose.yaml", "image: back:1", &format!("image: back:1\n    {check}"));
    let settings = std::fs::read_to_string(project.path().join("devenv.toml")).expect("readable");
    project.write("devenv.toml", &settings.replace("[services.back]\nhealth = \"/\"\n", ""));
    project.done(&["up", "-d"]);
    let pid = || std::fs::read_to_string(project.path().join("pid")).unwrap_or_default().trim().to_owned();
    eventually("the second check runs", || !pid().is_empty());
    signal(project.supervisor().expect("it runs"), "KILL");
    eventually("the supervisor is gone", || project.supervisor().is_none());
    // The command line of an ended process that nobody has waited for is empty.
    let is_alive = || std::fs::read(format!("/proc/{}/cmdline", pid())).is_ok_and(|words| !words.is_empty());
    assert!(is_alive());
    let down = project.json(&["down"]);
    let ended: Vec<_> = down["leftovers"].as_array().expect("a list").iter().map(|left| left["unit"].clone()).collect();
    assert!(ended.contains(&"back+check".into()) && !is_alive(), "{ended:?}");
    project.nothing_is_left();
}

#[test]
fn replicas_have_ports_and_logs_of_their_own_and_are_controlled_together() {
    let project = Project::new();
    project.change(
        "compose.yaml",
        "image: web:1\n    ports: [\"80\"]",
        "image: web:1\n    scale: 2\n    ports: [\"19482:80\"]",
    );
    let up = project.done(&["up", "-d", "--output", "plain"]);
    assert!(up.err.contains("port 19482 is held by web; web-2 uses port "), "{}", up.err);
    let (first, second) = (project.unit("web"), project.unit("web-2"));
    assert_eq!(first["url"], "http://127.0.0.1:19482");
    assert!(second["state"] == "ready" && second["url"] != first["url"], "{second}");
    assert!(project.done(&["up", "-d", "--output", "plain"]).err.contains("unchanged"));
    assert_eq!(project.json(&["restart", "web"])["changed"], serde_json::json!(["web", "web-2"]));
    let logs = project.done(&["logs", "web", "--output", "plain"]).out;
    assert!(logs.contains("web  ") && logs.contains("web-2  "), "{logs}");
    assert!(!project.done(&["logs", "web-2", "--output", "plain"]).out.contains("web  "));
    let pid = project.pid("web");
    project.change("compose.yaml", "scale: 2", "scale: 3");
    project.done(&["up", "-d"]);
    assert_eq!(project.pid("web"), pid, "the first ones stay");
    assert_eq!(project.unit("web-3")["state"], "ready");
    project.change("compose.yaml", "scale: 3", "scale: 0");
    project.done(&["up", "-d"]);
    let status = project.json(&["status"]);
    let names: Vec<_> = status["units"].as_array().expect("a list").iter().map(|unit| unit["name"].clone()).collect();
    assert_eq!(names, ["emulator", "back"]);
}
