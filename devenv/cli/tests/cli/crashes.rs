//! Whatever is killed and whenever: the next `up` repairs, the next `down` leaves nothing, and no stranger is touched.

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
    project.nothing_is_left();
    assert!(stranger.try_wait().expect("ours").is_none(), "the stranger lives");
    stranger.kill().expect("ours");
    stranger.wait().expect("ours");
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
