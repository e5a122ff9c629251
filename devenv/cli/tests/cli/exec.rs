//! `devenv exec` and `devenv ps` on processes.

use std::io::Write;
use std::process::Stdio;

use crate::folder::{Ran, eventually, signal};
use crate::project::Project;

#[test]
fn a_command_has_the_variables_of_its_service_and_its_exit_code_is_passed_on() {
    let project = Project::new();
    let absent = project.run(&["exec", "web", "true"]);
    assert_eq!(absent.code, 1);
    assert!(absent.err.contains("is not running"), "{}", absent.err);
    project.done(&["up", "-d"]);
    let script = "printf '%s %s %s' \"$AWS_ENDPOINT_URL\" \"$OWN\" \"$(basename \"$PWD\")\"; exit 42";
    let ran = project.run(&["exec", "-e", "OWN=mine", "-w", "tables", "web", "--", "sh", "-c", script]);
    assert_eq!((ran.code, ran.err.as_str()), (42, ""));
    assert!(ran.out.starts_with("http://127.0.0.1:") && ran.out.ends_with(" mine tables"), "{}", ran.out);
    assert_eq!(project.run(&["exec", "web", "sh", "-c", "kill -9 $$"]).code, 137);
    let unknown = project.run(&["exec", "web", "/nonexistent/program"]);
    assert_eq!(unknown.code, 127);
    assert!(unknown.err.contains("cannot run /nonexistent/program beside web"), "{}", unknown.err);
    assert_eq!(project.run(&["exec", "web", "/etc/passwd"]).code, 126);
    assert_eq!(project.run(&["exec", "--user", "root", "web", "true"]).code, 2);
    let ghost = project.run(&["exec", "ghost", "true"]);
    assert_eq!(ghost.code, 2);
    assert!(ghost.err.contains("no service is named ghost"), "{}", ghost.err);
    let ran = project.run(&["--output", "json", "exec", "web", "false"]);
    assert_eq!(ran.code, 1);
    let result: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!((&result["ok"], &result["exit_code"]), (&false.into(), &1.into()));
}

#[test]
fn a_command_reads_the_callers_input() {
    let project = Project::new();
    project.done(&["up", "-d"]);
    let mut command = project.command(&["exec", "back", "cat"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().expect("piped").write_all(b"typed").expect("it reads");
    let ran = Ran::from(child.wait_with_output().expect("it ends"));
    assert_eq!((ran.code, ran.out.as_str()), (0, "typed"));
}

#[test]
fn signals_are_the_commands() {
    let project = Project::new();
    project.done(&["up", "-d"]);
    for (name, code) in [("TERM", 3), ("INT", 4)] {
        let script = "trap 'exit 3' TERM; trap 'exit 4' INT; : > begun; while true; do sleep 0.05; done";
        let begun = project.path().join("begun");
        let _ = std::fs::remove_file(&begun);
        let mut child = project.start(&["exec", "web", "sh", "-c", script]);
        eventually("the command has begun", || begun.exists());
        signal(child.id().into(), name);
        assert_eq!(child.wait().expect("it ends").code(), Some(code), "{name}");
    }
}

#[test]
fn processes_are_listed_with_their_memory() {
    let project = Project::new();
    assert_eq!(project.done(&["ps"]).out, "nothing runs\n");
    project.done(&["up", "-d"]);
    let ran = project.done(&["ps"]);
    let header: Vec<&str> = ran.out.lines().next().expect("a header").split_whitespace().collect();
    assert_eq!(header, ["NAME", "STATE", "AGE", "HEALTH", "MEMORY", "RESTARTS", "PID", "PORTS"]);
    let result = project.json(&["ps"]);
    let web = result["units"].as_array().expect("a list").iter().find(|unit| unit["name"] == "web").expect("it runs");
    assert_eq!((&web["state"], &web["ready"], &web["restarts"]), (&"running".into(), &true.into(), &0.into()));
    assert_eq!(web["pid"].as_u64(), Some(project.pid("web")));
    assert!(web["age_seconds"].is_u64(), "{web}");
    if cfg!(target_os = "linux") {
        assert!(web["memory_bytes"].as_u64().is_some_and(|bytes| bytes > 1 << 20), "{web}");
    }
    project.done(&["stop", "web"]);
    let stopped = project.json(&["ps"]);
    let web =
        stopped["units"].as_array().expect("a list").iter().find(|unit| unit["name"] == "web").expect("it is known");
    assert_eq!((&web["state"], &web["pid"]), (&"stopped".into(), &serde_json::Value::Null));
}
