//! The journal: what `devenv runs` shows of the commands before it.

use serde_json::Value;

use std::process::Stdio;

use crate::folder::{Folder, Ran, eventually};
use crate::taken_down::{Kind, TakenDown};

struct Sleeping;

impl Kind for Sleeping {
    const DOWN: &'static [&'static str] = &["down"];
}

type Runs = TakenDown<Sleeping>;

impl Runs {
    fn new() -> Self {
        let mut folder = Folder::new();
        folder.variables.push(("DOCKER_HOST", "unix:///nonexistent/docker.sock".to_owned()));
        let runs = Self { folder, kind: Sleeping };
        runs.write("compose.yaml", "services:\n  worker: { image: \"worker:1\" }\n");
        runs.write(
            "devenv.toml",
            "version = 1\nname = \"runs\"\ncompose = \"compose.yaml\"\n[services.worker.process]\ncommand = [\"sleep\", \"600\"]\n\
             [test]\ncommand = [\"sh\", \"-c\", \"sleep 600\"]\n",
        );
        runs
    }

    fn listed(&self) -> Vec<Value> {
        self.json(&["runs"])["runs"].as_array().expect("a list").clone()
    }

    fn show(&self, id: &str) -> Ran {
        self.done(&["runs", id, "-v"])
    }
}

#[test]
fn a_change_leaves_a_run_with_its_plan_and_a_look_leaves_none() {
    let runs = Runs::new();
    assert!(runs.done(&["runs"]).out.contains("no runs yet"));
    assert!(!runs.path().join(".devenv").exists());
    runs.done(&["down"]);
    assert!(runs.listed().is_empty(), "down found nothing to change");

    runs.done(&["up", "-d"]);
    runs.done(&["up", "--dry-run"]);
    runs.done(&["status"]);
    runs.run(&["restart", "mailer"]);
    let listed = runs.listed();
    let verbs: Vec<&str> = listed.iter().map(|run| run["verb"].as_str().expect("a verb")).collect();
    assert_eq!(verbs, ["restart", "up"]);
    assert_eq!((&listed[0]["state"], &listed[1]["exit"]), (&"ended".into(), &0.into()));
    assert!(listed[0]["error"].as_str().is_some_and(|error| error.contains("mailer")), "{listed:?}");

    let shown = runs.show(listed[1]["run"].as_str().expect("an id"));
    assert!(shown.err.contains("start worker (not running)"), "{}", shown.err);
    assert!(shown.out.contains("worker") && shown.out.ends_with("ok\n"), "{}", shown.out);
    assert_eq!(runs.run(&["runs", "nothing"]).code, 1);
}

#[test]
fn a_run_is_listed_as_running_and_as_killed() {
    let runs = Runs::new();
    runs.done(&["up", "-d"]);
    let mut test =
        runs.command(&["test"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    let state = || runs.listed()[0]["state"].as_str().expect("a state").to_owned();
    eventually("the test runs", || runs.listed()[0]["verb"] == "test" && state() == "running");
    test.kill().expect("it runs");
    test.wait().expect("it ends");
    eventually("its end is seen", || state() == "killed");
}
