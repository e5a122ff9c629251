//! Help, usage and the forms of output.

use std::process::Command;

use crate::folder::{DEVENV, Ran};
use crate::project::Project;

fn run(arguments: &[&str]) -> Ran {
    Ran::from(Command::new(DEVENV).args(arguments).env("NO_COLOR", "1").output().expect("the program starts"))
}

#[test]
fn help() {
    for command in [
        "",
        "init",
        "up",
        "down",
        "stop",
        "start",
        "restart",
        "status",
        "ps",
        "logs",
        "runs",
        "exec",
        "resources",
        "seed",
        "reset",
        "env",
        "config",
        "test",
        "rollback",
        "doctor",
        "self",
        "ls",
        "prune",
        "completions",
    ] {
        let arguments: Vec<&str> = [command, "--help"].into_iter().filter(|word| !word.is_empty()).collect();
        let ran = run(&arguments);
        assert_eq!(ran.code, 0);
        insta::assert_snapshot!(format!("help {command}").trim(), ran.out);
    }
}

#[test]
fn usage() {
    for arguments in [
        &["upp"][..],
        &["up", "--timeout", "soon"],
        &["logs", "--tail", "x"],
        &["logs", "--since", "noon"],
        &["logs", "--grep", "("],
        &[],
    ] {
        assert_eq!(run(arguments).code, 2, "{arguments:?}");
    }
    let ran = run(&["--output", "json", "upp"]);
    assert_eq!(ran.code, 2);
    let result: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!((&result["version"], &result["error"]["exit_code"]), (&1.into(), &2.into()), "{result}");
}

#[test]
fn it_says_what_it_is() {
    let ran = run(&["self", "version"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for word in [concat!("devenv ", env!("CARGO_PKG_VERSION")), "\ntarget: ", "\ninstalled from: "] {
        assert!(ran.out.contains(word), "{}", ran.out);
    }
    let json: serde_json::Value =
        serde_json::from_str(&run(&["--output", "json", "self", "version"]).out).expect("JSON");
    assert_eq!(json["devenv_version"], env!("CARGO_PKG_VERSION"), "{json}");
    assert_eq!(run(&["--version"]).out, concat!("devenv ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn completions() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = run(&["completions", shell]);
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains("devenv") && ran.out.contains("doctor"), "{shell}");
    }
}

#[test]
fn every_line_of_json_has_its_version_and_the_last_is_the_result() {
    let project = Project::new();
    let ran = project.done(&["up", "-d", "--output", "json"]);
    let lines: Vec<serde_json::Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert!(lines.iter().all(|line| line["version"] == 1 && line["event"].is_string()));
    assert_eq!(lines[0]["event"], "runtime_chosen");
    let last = lines.last().expect("a result");
    assert_eq!((&last["event"], &last["command"], &last["ok"]), (&"result".into(), &"up".into(), &true.into()));
    assert_eq!(ran.err, "");
}

#[test]
fn the_first_line_names_the_runtime_and_why() {
    let project = Project::new();
    let ran = project.done(&["up", "-d", "--output", "plain"]);
    let first = ran.err.lines().next().expect("a line");
    assert!(first.contains("runtime process (no container engine answers), emulator embedded"), "{first}");
    assert!(ran.out.contains("SERVICE") && ran.out.contains("devenv logs -f"), "{}", ran.out);
}

#[test]
fn output_that_is_lost_is_a_failure() {
    let project = Project::new();
    project.done(&["up", "-d"]);
    for arguments in
        [&["--help"][..], &["completions", "bash"], &["status"], &["status", "--output", "json"], &["env"], &["logs"]]
    {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("a full device");
        let ran = Ran::from(project.command(arguments).stdout(full).output().expect("the program starts"));
        assert_eq!(ran.code, 1, "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains("cannot write to standard output"), "{arguments:?}: {}", ran.err);
    }
}
