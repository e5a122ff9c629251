//! `devenv ls` and `devenv prune`: all environments of this user, in any folder.

use std::process::Command;

use serde_json::Value;

use crate::folder::{DEVENV, Ran, eventually, signal};
use crate::project::Project;

/// Runs a command in a folder without a project, over the runtime directories of `project`.
fn run(project: &Project, arguments: &[&str]) -> Ran {
    let anywhere = tempfile::tempdir().expect("a temporary directory");
    let mut command = Command::new(DEVENV);
    command.args(arguments).current_dir(anywhere.path()).env_remove("DEVENV_STATE_DIR").env("NO_COLOR", "1");
    command.envs(project.variables.iter().map(|(name, value)| (name, value))).stdin(std::process::Stdio::null());
    Ran::from(command.output().expect("the program starts"))
}

fn json(project: &Project, arguments: &[&str]) -> Value {
    let ran = run(project, &[arguments, &["--output", "json"]].concat());
    serde_json::from_str(ran.out.lines().last().unwrap_or_default()).unwrap_or_else(|_| panic!("{ran:?}"))
}

/// The environments in the list, by folder.
fn environments(project: &Project) -> Vec<Value> {
    json(project, &["ls"])["environments"].as_array().expect("a list").clone()
}

fn of<'a>(rows: &'a [Value], project: &Project) -> &'a Value {
    let root = project.path().canonicalize().unwrap_or_else(|_| project.path().to_owned()).display().to_string();
    rows.iter().find(|row| row["root"] == root.as_str()).unwrap_or_else(|| panic!("no {root} in {rows:?}"))
}

/// A second project, with its runtime directories beside those of the first.
fn neighbour(project: &Project) -> Project {
    let mut other = Project::new();
    other.set("DEVENV_RUNTIME_DIR", &project.runtime_root().display().to_string());
    other
}

#[test]
fn environments_of_all_projects_are_listed_anywhere() {
    let one = Project::new();
    let two = neighbour(&one);
    assert!(environments(&one).is_empty());
    one.done(&["up", "-d"]);
    two.done(&["up", "-d"]);
    two.done(&["down"]);
    let rows = environments(&one);
    assert_eq!(rows.len(), 2, "{rows:?}");
    let (running, stopped) = (of(&rows, &one), of(&rows, &two));
    assert_eq!(
        (&running["state"], &running["runtime"], &running["folder"]),
        (&"running".into(), &"process".into(), &"there".into())
    );
    assert_eq!((&running["ready"], &running["units"]), (&3.into(), &3.into()), "{running}");
    assert!(running["memory"].as_u64().is_some_and(|bytes| bytes > 1 << 20), "{running}");
    assert!(running["since"].as_u64().is_some() && running["pid"].as_u64() == one.supervisor(), "{running}");
    assert_eq!((&stopped["state"], &stopped["pid"]), (&"stopped".into(), &Value::Null));
    let table = run(&one, &["ls", "--output", "plain"]);
    assert_eq!(table.code, 0, "{}", table.err);
    assert!(table.out.contains("NAME") && table.out.contains("running") && table.out.contains(" MiB"), "{}", table.out);
    assert!(table.err.contains("containers are not listed"), "no engine answers: {}", table.err);
    two.done(&["down", "--volumes"]);
    assert_eq!(environments(&one).len(), 1, "nothing is left of it");
}

#[test]
fn a_killed_supervisors_processes_and_a_gone_folder_are_shown() {
    let project = Project::new();
    project.done(&["up", "-d"]);
    signal(project.supervisor().expect("it runs"), "KILL");
    eventually("the supervisor is gone", || project.supervisor().is_none());
    let rows = environments(&project);
    assert_eq!(of(&rows, &project)["state"], "left");
    project.done(&["down"]);
}

#[test]
fn prune_ends_and_removes_what_a_gone_folder_left() {
    let project = Project::new();
    let other = neighbour(&project);
    project.done(&["up", "-d"]);
    other.done(&["up", "-d"]);
    let before = other.pids();
    let root = project.path().canonicalize().expect("it exists").display().to_string();
    std::fs::remove_dir_all(project.path()).expect("ours");
    let rows = environments(&project);
    let gone = rows.iter().find(|row| row["root"] == root.as_str()).expect("its processes run");
    assert_eq!((&gone["folder"], &gone["state"]), (&"gone".into(), &"running".into()), "{gone}");

    let shown = run(&project, &["prune", "--dry-run", "--output", "plain"]);
    assert!(
        shown.code == 0 && shown.out.contains("4 running processes") && shown.out.contains("folder is gone"),
        "{shown:?}"
    );
    let unasked = json(&project, &["prune"]);
    assert_eq!(unasked["error"]["code"], "nobody_to_ask", "{unasked}");
    assert_eq!(environments(&project).len(), 2, "nothing is removed yet");

    let pruned = json(&project, &["prune", "--yes"]);
    assert_eq!(
        (pruned["removed"].as_array().map(Vec::len), pruned["kept"].as_array().map(Vec::len)),
        (Some(2), Some(0)),
        "{pruned}"
    );
    let rows = environments(&project);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(other.pids(), before, "a running environment is not touched");
    assert!(!project.path().exists(), "the folder is not made again");
    other.done(&["down"]);
    other.nothing_is_left();
}

#[test]
fn prune_removes_the_runtime_directory_of_a_stopped_environment_and_keeps_its_data() {
    let project = Project::new();
    project.done(&["up", "-d"]);
    let runtime = project.runtime();
    project.done(&["down"]);
    assert!(runtime.exists());
    let pruned = json(&project, &["prune", "--yes"]);
    assert_eq!(
        (&pruned["removed"][0]["kind"], &pruned["removed"][0]["why"]),
        (&"runtime_directory".into(), &"stopped".into())
    );
    assert!(!runtime.exists() && project.path().join(".devenv/data/dynamodb.sqlite").exists());
    assert!(run(&project, &["prune", "--yes"]).out.contains("nothing to remove"));
    project.done(&["up", "-d"]);
}
