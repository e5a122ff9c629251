//! Every error is named, and nothing half-done stays.

use super::engine::docker;
use super::project::Project;
use crate::folder::eventually;

fn nothing_runs(project: &Project) {
    assert!(project.things().iter().all(|thing| thing.starts_with("volume ")), "{:?}", project.things());
}

#[test]
#[ignore = "needs a container engine"]
fn an_image_that_is_missing_and_cannot_be_fetched() {
    let project = Project::new();
    project.change("compose.yaml", "image: devenv-emulator:local", "image: registry.invalid/nobody/nothing:1");
    let failed = project.run(&["up", "-d", "--runtime", "docker"]);
    assert_eq!(failed.code, 4, "{}", failed.err);
    assert!(
        failed.err.contains("registry.invalid/nobody/nothing:1") && failed.err.contains("hint: "),
        "{}",
        failed.err
    );
    nothing_runs(&project);
}

#[test]
#[ignore = "needs a container engine"]
fn a_service_that_never_becomes_healthy() {
    let project = Project::new();
    project.change("devenv.toml", "[services.back]\nhealth = \"/\"", "[services.back]\nhealth = \"/never\"");
    let failed = project.run(&["up", "-d", "--runtime", "docker", "--timeout", "4s"]);
    assert_eq!(failed.code, 5, "{}", failed.err);
    assert!(failed.err.contains("wait for back") && failed.err.contains("listening on"), "{}", failed.err);
    nothing_runs(&project);
}

#[test]
#[ignore = "needs a container engine"]
fn a_container_that_dies_while_another_is_awaited_is_named_and_not_the_other() {
    let project = Project::new();
    project.change("devenv.toml", "[services.web]\nhealth = \"/\"", "[services.web]\nhealth = \"/never\"");
    let mut up = project.command(&["up", "-d", "--runtime", "docker", "--output", "plain"]);
    let up = up.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::null()).spawn().expect("it starts");
    eventually("web is awaited", || {
        let units = project.json(&["status"])["units"].clone();
        units
            .as_array()
            .is_some_and(|units| units.iter().any(|unit| unit["name"] == "web" && unit["state"] == "starting"))
    });
    docker(&["kill", &project.container("back")]);
    let failed = crate::folder::Ran::from(up.wait_with_output().expect("it ends"));
    assert_eq!(failed.code, 1, "{}", failed.err);
    for part in ["back failed: it ended with signal 9", "listening on", "hint: devenv logs back"] {
        assert!(failed.err.contains(part), "{part} is not in: {}", failed.err);
    }
    nothing_runs(&project);
}

#[test]
#[ignore = "needs a container engine"]
fn a_service_that_dies_is_shown_with_its_exit_code_and_started_again() {
    let project = Project::new();
    project.up();
    let before = docker(&["inspect", "--format", "{{.State.Pid}}", &project.container("back")]);
    project.done(&["unit", "kill", "back"]);
    eventually("back runs again", || project.unit("back")["state"] == "ready");
    assert_ne!(docker(&["inspect", "--format", "{{.State.Pid}}", &project.container("back")]), before);
    // Without the engine's restart, so that the container stays ended.
    docker(&["update", "--restart", "no", &project.container("back")]);
    docker(&["kill", &project.container("back")]);
    eventually("its end is seen", || project.unit("back")["state"] == "failed");
    assert!(project.unit("back")["detail"].as_str().is_some_and(|detail| detail.contains("signal 9")));
    let shown = project.done(&["status"]).out;
    assert!(shown.contains("signal 9") && shown.contains("listening on"), "{shown}");
    project.up();
    assert_eq!(project.unit("back")["state"], "ready");
}

#[test]
#[ignore = "needs a container engine"]
fn a_network_of_this_name_that_is_somebody_elses_is_left_alone() {
    let project = Project::new();
    project.up();
    let network = project.container("web").trim_end_matches("-web").to_owned();
    project.done(&["down"]);
    docker(&["network", "create", &network]);
    let failed = project.run(&["up", "-d", "--runtime", "docker"]);
    assert_eq!(failed.code, 1, "{}", failed.err);
    assert!(
        failed.err.contains(&network) && failed.err.contains("this environment did not create it"),
        "{}",
        failed.err
    );
    project.done(&["down"]);
    docker(&["network", "rm", &network]);
}

#[test]
#[ignore = "needs a container engine"]
fn an_emulator_that_somebody_else_runs_is_used_and_left() {
    let (theirs, ours) = (Project::new(), Project::new());
    theirs.up();
    let url = theirs.unit("emulator")["url"].as_str().expect("it runs").to_owned();
    let devenv = env!("CARGO_BIN_EXE_devenv");
    for name in ["web", "back"] {
        let process = format!(
            "[services.{name}.process]\ncommand = [\"{devenv}\", \"emulator\", \"--memory\", \"--listen\", \
             \"127.0.0.1:${{port:8080}}\"]\n[services.{name}]\n"
        );
        ours.change("devenv.toml", &format!("[services.{name}]\n"), &process);
    }
    ours.done(&["up", "-d", "--emulator-url", &url]);
    let environment = ours.done(&["env", "--format", "dotenv"]).out;
    assert!(environment.contains(&format!("AWS_ENDPOINT_URL='{url}'")), "{environment}");
    ours.done(&["reset"]);
    ours.done(&["down"]);
    assert_eq!(theirs.unit("emulator")["state"], "ready");
    let seeded = theirs.done(&["seed", "--emulator-url", &url]).out;
    assert!(seeded.contains("every seed item is there already"), "{seeded}");
}
