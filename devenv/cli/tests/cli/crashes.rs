//! After a kill of any process at any time, the next `up` repairs, the next `down` leaves nothing, and no foreign process is
//! touched.

use std::process::Child;
use std::time::Duration;

use crate::folder::{DEVENV, eventually, signal};
use crate::project::Project;

#[test]
fn a_service_that_dies_is_started_again_on_its_port() {
    let project = Project::new();
    project.done(&["up", "-d"]);
    let before = project.unit("web");
    signal(project.pid("web"), "KILL");
    eventually("web is ready again", || {
        let unit = project.unit("web");
        unit["state"] == "ready" && unit["restarts"] == 1
    });
    assert_eq!(project.unit("web")["url"], before["url"]);
}

#[test]
fn after_a_kill_of_the_supervisor_up_repairs() {
    let project = Project::new();
    project.done(&["up", "-d"]);
    let url = project.unit("web")["url"].clone();
    signal(project.supervisor().expect("it runs"), "KILL");
    eventually("the supervisor is gone", || project.supervisor().is_none());
    assert!(!project.processes().is_empty(), "its children live on");
    let up = project.done(&["up", "-d", "--output", "plain"]);
    assert!(up.err.contains("end leftover"), "{}", up.err);
    assert_eq!((&project.unit("web")["state"], &project.unit("web")["url"]), (&"ready".into(), &url));
    project.done(&["down"]);
    project.nothing_is_left();
}

#[test]
fn after_a_kill_of_the_supervisor_down_leaves_nothing_and_touches_no_stranger() {
    let project = Project::new();
    let mut stranger = std::process::Command::new(DEVENV)
        .args(["emulator", "--memory", "--listen", "127.0.0.1:0"])
        .spawn()
        .expect("the program starts");
    project.done(&["up", "-d"]);
    signal(project.supervisor().expect("it runs"), "KILL");
    eventually("the supervisor is gone", || project.supervisor().is_none());
    let down = project.json(&["down"]);
    assert_eq!(down["leftovers"].as_array().map(Vec::len), Some(3), "{down}");
    assert!(project.path().join(".devenv/control.sock").symlink_metadata().is_err());
    project.nothing_is_left();
    assert!(stranger.try_wait().expect("ours").is_none(), "the stranger lives");
    stranger.kill().expect("ours");
    stranger.wait().expect("ours");
}

#[test]
fn after_a_kill_of_the_supervisor_a_plain_up_keeps_the_runtime() {
    let project = Project::new();
    project.done(&["up", "-d", "--runtime", "process"]);
    signal(project.supervisor().expect("it runs"), "KILL");
    eventually("the supervisor is gone", || project.supervisor().is_none());
    let up = project.done(&["up", "-d", "--output", "plain"]);
    assert!(up.err.contains("runtime process (leftover processes found)"), "{}", up.err);
    assert!(!up.err.contains("is held by"), "its own leftover is no stranger: {}", up.err);
    project.done(&["down"]);
    let up = project.done(&["up", "-d", "--output", "plain"]);
    assert!(up.err.contains("runtime process (as last time)"), "{}", up.err);
}

/// Removes the files that `git clean -fdx` removes.
fn clean(project: &Project) {
    std::fs::remove_dir_all(project.path().join(".devenv")).expect("it is there");
}

#[test]
fn an_environment_whose_files_were_removed_is_found() {
    let project = Project::new();
    project.done(&["up", "-d"]);
    let before = project.pids();
    let supervisor = project.supervisor();
    clean(&project);
    let status = project.json(&["status"]);
    assert_eq!((project.pids(), status["supervisor_pid"].as_u64()), (before, supervisor), "{status}");
    assert_eq!(status["data"], serde_json::Value::Null, "the file is gone: {status}");
    clean(&project);
    let up = project.done(&["up", "-d", "--output", "plain"]);
    assert!(up.err.contains("unchanged") && up.err.contains("the data file was removed"), "{}", up.err);
    assert_eq!(project.pids(), before);
    clean(&project);
    let down = project.json(&["down"]);
    assert_eq!((&down["was_running"], down["leftovers"].as_array().map(Vec::len)), (&true.into(), Some(0)), "{down}");
    project.nothing_is_left();
    project.done(&["up", "-d"]);
    assert_eq!(project.unit("web")["state"], "ready");
}

#[test]
fn what_a_killed_supervisor_left_is_found_without_its_files() {
    let project = Project::new();
    for command in [&["down"][..], &["up", "-d"]] {
        project.done(&["up", "-d"]);
        signal(project.supervisor().expect("it runs"), "KILL");
        eventually("the supervisor is gone", || project.supervisor().is_none());
        clean(&project);
        project.done(command);
        project.done(&["down"]);
        project.nothing_is_left();
    }
}

#[test]
fn a_supervisor_whose_socket_was_removed_is_reached_and_ended() {
    let project = Project::new();
    project.done(&["up", "-d"]);
    let before = project.pids();
    for command in [&["status"][..], &["up", "-d"], &["down"]] {
        std::fs::remove_file(project.runtime().join("supervisor.sock")).expect("it is there");
        project.done(command);
        if command != ["down"] {
            assert_eq!(project.pids(), before, "{command:?}");
        }
    }
    project.nothing_is_left();
}

#[test]
fn an_attached_up_that_is_killed_takes_everything_along() {
    let project = Project::new();
    let mut up = project.start(&["up"]);
    eventually("everything is ready", || project.unit("web")["state"] == "ready");
    up.kill().expect("ours");
    up.wait().expect("ours");
    project.nothing_is_left();
}

#[test]
fn an_attached_up_that_is_interrupted_stops_what_it_started() {
    let project = Project::new();
    let mut up = project.start(&["up"]);
    eventually("everything is ready", || project.unit("web")["state"] == "ready");
    signal(u64::from(up.id()), "INT");
    assert_eq!(up.wait().expect("it ends").code(), Some(0));
    project.nothing_is_left();
}

#[test]
fn an_interrupt_while_starting_exits_130_and_leaves_nothing() {
    let project = Project::new();
    project.change("devenv.toml", "health = \"/\"", "health = \"/never\"");
    let mut up = project.start(&["up", "-d"]);
    eventually("web has started", || project.unit("web")["state"] == "starting");
    signal(u64::from(up.id()), "INT");
    assert_eq!(up.wait().expect("it ends").code(), Some(130));
    project.nothing_is_left();
}

#[test]
fn kill_9_at_any_moment_of_up_is_repaired() {
    let project = Project::new();
    for milliseconds in [1, 4, 10, 20, 40, 80] {
        let mut up = project.start(&["up", "-d"]);
        std::thread::sleep(Duration::from_millis(milliseconds));
        up.kill().expect("ours");
        up.wait().expect("ours");
        project.done(&["up", "-d"]);
        assert_eq!(project.unit("web")["state"], "ready", "after {milliseconds} ms");
        project.done(&["down"]);
        project.nothing_is_left();
    }
}

#[test]
fn two_ups_at_once_do_not_mix() {
    let project = Project::new();
    let ups = [project.start(&["up", "-d"]), project.start(&["up", "-d"])];
    let mut codes = ups.map(|mut up| up.wait().expect("it ends").code());
    codes.sort_unstable();
    assert!(codes == [Some(0), Some(9)] || codes == [Some(0), Some(0)], "{codes:?}");
    assert_eq!(project.unit("web")["state"], "ready");
}

/// Starts `devenv test` with a long test command, and waits until the command and its child run. Returns devenv, the
/// guard's id, and the ids of the command and its child.
fn long_test(project: &Project) -> (Child, u64, [u64; 2]) {
    let script = "sleep 1000 & echo $$ $! > pids; wait";
    project.change("devenv.toml", "test -n \\\"$WEB_URL\\\" && test -z \\\"$AWS_PROFILE\\\"", script);
    let test = project.start(&["test"]);
    let pids = || -> Option<[u64; 2]> {
        let text = std::fs::read_to_string(project.path().join("pids")).ok()?;
        let pids: Vec<u64> = text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
        pids.try_into().ok()
    };
    eventually("the test command runs", || pids().is_some());
    let state = project.path().canonicalize().expect("it exists").join(".devenv");
    let guard = std::fs::read_dir("/proc").expect("this test needs /proc").flatten().find_map(|entry| {
        let words = std::fs::read(entry.path().join("cmdline")).ok()?;
        let words = String::from_utf8_lossy(&words).replace('\0', " ");
        let is_ours = words.contains(" guard ") && words.contains(&*state.to_string_lossy());
        entry.file_name().to_string_lossy().parse().ok().filter(|_| is_ours)
    });
    (test, guard.expect("a guard"), pids().expect("just seen"))
}

fn runs(pid: u64) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn a_test_command_ends_with_a_killed_devenv() {
    let project = Project::new();
    let (mut test, _, pids) = long_test(&project);
    test.kill().expect("ours");
    test.wait().expect("ours");
    eventually("the test command has ended", || !pids.into_iter().any(runs));
    project.done(&["down"]);
    project.nothing_is_left();
}

#[test]
fn a_test_command_whose_guard_was_killed_too_is_ended_by_the_next_command() {
    let project = Project::new();
    let (mut test, guard, pids) = long_test(&project);
    signal(guard, "KILL");
    test.kill().expect("ours");
    test.wait().expect("ours");
    assert!(pids.into_iter().all(runs));
    project.done(&["down"]);
    assert!(!pids.into_iter().any(runs));
    project.nothing_is_left();
}

#[test]
fn a_supervisor_that_dies_while_an_environment_of_tests_begins_leaves_nothing() {
    let project = Project::new();
    project.change("devenv.toml", "health = \"/\"", "health = \"/never\"");
    let mut test = project.start(&["test", "--timeout", "10s"]);
    let tests = project.path().join(".devenv/test");
    let supervisor = || -> Option<u64> {
        let folder = std::fs::read_dir(&tests).ok()?.flatten().next()?.path();
        // This file exists once the first unit has been started.
        let socket = std::fs::read_link(folder.join("control.sock")).ok()?;
        std::fs::metadata(socket.parent()?.join("units/emulator.lock")).ok()?;
        std::fs::read_to_string(folder.join("supervisor.lock")).ok()?.trim().parse().ok()
    };
    eventually("the environment begins", || supervisor().is_some());
    signal(supervisor().expect("just seen"), "KILL");
    assert_ne!(test.wait().expect("ours").code(), Some(0));
    project.nothing_is_left();
}

#[test]
fn a_report_that_cannot_be_written_is_refused_before_anything_starts() {
    let project = Project::new();
    let failed = project.run(&["test", "--junit", "compose.yaml/junit.xml", "--output", "plain"]);
    assert_eq!(failed.code, 1, "{}", failed.err);
    assert!(
        failed.err.contains("cannot write compose.yaml/junit.xml") && !failed.err.contains("start"),
        "{}",
        failed.err
    );
    assert!(!project.path().join(".devenv/test").exists());
}

#[test]
fn a_report_that_cannot_be_written_any_more_leaves_nothing() {
    let project = Project::new();
    project.change("devenv.toml", "test -n", "mkdir -p out/junit.xml/in && test -n");
    let failed = project.run(&["test", "--junit", "out/junit.xml", "--output", "plain"]);
    assert_eq!(failed.code, 1, "{}", failed.err);
    assert!(failed.err.contains("cannot write out/junit.xml"), "{}", failed.err);
    assert_eq!(std::fs::read_dir(project.path().join(".devenv/test")).expect("made").count(), 0);
    project.nothing_is_left();
}
