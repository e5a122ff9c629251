//! The Compose files, profiles and files of variables of a command, and those that an environment remembers.

use crate::folder::DEVENV;
use crate::project::Project;

/// The project with a third service, `more`, in a file and a profile of its own.
fn with_more() -> Project {
    let project = Project::new();
    project.write(
        "more.yaml",
        "services: { more: { image: more, profiles: [extra], ports: [\"80\"], environment: { LEVEL: \"${LEVEL}\" } } }",
    );
    project.write("some.env", "LEVEL=debug\n");
    project
}

fn settings(project: &Project) -> String {
    std::fs::read_to_string(project.path().join("devenv.toml")).expect("readable")
}

fn names(project: &Project, arguments: &[&str]) -> Vec<String> {
    let result = project.json(arguments);
    let units = result["units"].as_array().unwrap_or_else(|| panic!("units in {result}")).clone();
    units
        .iter()
        .filter(|unit| unit["state"] != "stopped")
        .map(|unit| unit["name"].as_str().unwrap_or_default().to_owned())
        .collect()
}

const MORE: [&str; 8] = ["-f", "compose.yaml", "-f", "more.yaml", "--profile", "extra", "--env-file", "some.env"];

#[test]
fn an_environment_remembers_its_files() {
    let project = with_more();
    let without = settings(&project);
    let listen = "\"--memory\", \"--listen\", \"127.0.0.1:${port:80}\"";
    let section = format!("[services.more.process]\ncommand = [\"{DEVENV}\", \"emulator\", {listen}]\n");
    project.write("devenv.toml", &format!("{without}{section}"));
    project.done(&[&["up", "-d"], &MORE[..]].concat());
    let all = ["back", "emulator", "more", "web"];
    let mut running = names(&project, &["status"]);
    running.sort();
    assert_eq!(running, all);
    assert_eq!(names(&project, &["ps"]), all);
    assert!(project.done(&["logs", "more"]).err.is_empty());
    project.done(&["restart", "more"]);
    project.done(&["test"]);
    let unchanged = project.done(&[&["up", "-d"], &MORE[..]].concat());
    assert!(unchanged.err.contains("unchanged"), "{}", unchanged.err);
    // Other files are a changed environment: without a word, up takes those of the project.
    project.write("devenv.toml", &without);
    project.done(&["up", "-d"]);
    assert_eq!(names(&project, &["ps"]), ["back", "emulator", "web"]);
    assert_eq!(names(&project, &["status"]).len(), 3);
    project.done(&["down"]);
}

#[test]
fn the_variables_of_compose_stand_for_the_options() {
    let mut project = with_more();
    let services = |project: &Project| {
        let model = project.json(&["config"]);
        let services = model["model"]["services"].as_object().unwrap_or_else(|| panic!("services in {model}")).clone();
        services.into_iter().map(|(name, service)| (name, service["environment"]["LEVEL"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(services(&project).len(), 2);
    project.variables_mut().extend([
        ("COMPOSE_FILE", "compose.yaml:more.yaml".to_owned()),
        ("COMPOSE_PROFILES", "extra".to_owned()),
        ("COMPOSE_ENV_FILES", "some.env".to_owned()),
    ]);
    let read = services(&project);
    assert_eq!(read[1], ("more".to_owned(), "debug".into()), "{read:?}");
    let named = project.json(&["config", "-f", "compose.yaml"]);
    assert_eq!(named["model"]["services"].as_object().map(serde_json::Map::len), Some(2), "an option wins");
}

#[test]
fn status_and_down_work_without_readable_files() {
    let project = Project::new();
    project.done(&["up", "-d"]);
    project.write("compose.yaml", "services: [");
    let status = project.done(&["status"]);
    assert!(status.err.contains("the project's files cannot be read (compose.yaml:1:"), "{}", status.err);
    assert!(status.out.contains("web") && status.out.contains("ready"), "{}", status.out);
    std::fs::remove_file(project.path().join("devenv.toml")).expect("removable");
    assert!(project.done(&["ps"]).out.contains("web"));
    let down = project.done(&["down"]);
    assert!(down.out.starts_with("stopped "), "{}", down.out);
    project.nothing_is_left();
    let up = project.run(&["up"]);
    assert_eq!(up.code, 3);
    assert!(up.err.contains("no devenv.toml") && up.err.contains("devenv init"), "{}", up.err);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let project = Project::new();
    let ran = project.run(&["up", "-d", "-f", "absent.yaml"]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("absent.yaml") && ran.err.contains("after -f"), "{}", ran.err);
}
