//! Environments that another version of devenv started.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::thread::JoinHandle;

use crate::project::Project;

/// A supervisor in the place where version 0.1.0 had its lock and socket: in the state directory. It ends when it is asked to.
fn supervisor(project: &Project, hello: &'static str) -> JoinHandle<Vec<String>> {
    let state = project.path().join(".devenv");
    std::fs::create_dir_all(&state).expect("writable");
    let lock = locked(&state.join("supervisor.lock"));
    let listener = UnixListener::bind(state.join("control.sock")).expect("nobody else has it");
    std::thread::spawn(move || {
        let mut asked = Vec::new();
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.expect("a connection"));
            let mut request = String::new();
            while stream.read_line(&mut request).is_ok_and(|read| read > 0) {
                let answer = match request.trim() {
                    "\"hello\"" => hello,
                    "\"observe\"" => r#"{"units":{"units":[]}}"#,
                    _ => r#""done""#,
                };
                writeln!(stream.get_mut(), "{answer}").expect("somebody reads");
                asked.push(request.trim().to_owned());
                if request.trim() == "\"shutdown\"" {
                    drop(lock);
                    return asked;
                }
                request.clear();
            }
        }
        asked
    })
}

fn locked(path: &Path) -> File {
    let mut lock = File::create(path).expect("writable");
    lock.lock().expect("nobody else has it");
    write!(lock, "{}", std::process::id()).expect("writable");
    lock
}

const OLD: &str = r#"{"hello":{"protocol":2,"pid":7}}"#;

#[test]
fn up_replaces_the_supervisor_of_an_older_devenv() {
    let project = Project::new();
    let old = supervisor(&project, OLD);
    let up = project.done(&["up", "-d", "--output", "plain"]);
    assert!(up.err.contains("an older devenv started this environment"), "{}", up.err);
    let asked = old.join().expect("it ended");
    assert_eq!(asked.last().map(String::as_str), Some("\"shutdown\""), "{asked:?}");
    assert_eq!(project.unit("web")["state"], "ready");
    assert!(project.runtime().join("supervisor.sock").exists());
}

#[test]
fn down_ends_the_supervisor_of_an_older_devenv() {
    let project = Project::new();
    let old = supervisor(&project, OLD);
    let status = project.done(&["status", "--output", "plain"]);
    assert!(status.out.contains("stopped"), "it can be looked at: {}", status.out);
    let down = project.json(&["down"]);
    assert_eq!(down["was_running"], true, "{down}");
    old.join().expect("it ended");
    assert!(project.path().join(".devenv/control.sock").symlink_metadata().is_err());
}

#[test]
fn a_newer_devenvs_environment_is_not_touched_and_the_remedy_named() {
    let project = Project::new();
    let _newer = supervisor(&project, r#"{"hello":{"protocol":99,"pid":7,"program":"/new/devenv","since":1}}"#);
    for command in [&["up", "-d"][..], &["status"], &["down"]] {
        let refused = project.json(command);
        let error = &refused["error"];
        assert_eq!(error["code"], "supervisor_version", "{command:?}: {refused}");
        assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("/new/devenv down")), "{error}");
    }
}
