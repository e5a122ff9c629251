//! `devenv-promote` starts itself as the guard of its smoke tests.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use camino::Utf8Path;
use devenv_supervisor::leftovers;
use devenv_supervisor::lock::take_for_child;
use devenv_supervisor::state_directory::StateDirectory;

/// `kill -9` closes the guard's standard input, as dropping it does here.
#[test]
fn a_guard_ends_the_smoke_tests_when_its_promotion_is_gone() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = Utf8Path::from_path(folder.path()).expect("UTF-8");
    let runtime = path.join("run");
    let state = StateDirectory::within(&path.join("promote/dev"), std::slice::from_ref(&runtime));
    state.runtime().prepare().expect("writable");
    let mut tests = Ended(start_tests(&state.unit_lock("test command")));
    assert_eq!(leftovers::find(&state).expect("readable").len(), 1, "their lock is known");
    let mut guard = Command::new(env!("CARGO_BIN_EXE_devenv-promote"));
    guard.args(["guard", "--state-dir", state.path().as_str()]).env("DEVENV_RUNTIME_DIR", runtime);
    guard.stdin(Stdio::piped());
    let mut guard = guard.spawn().expect("the program starts");
    assert!(tests.0.try_wait().expect("ours").is_none(), "they run for as long as the promotion does");
    drop(guard.stdin.take());
    assert!(guard.wait().expect("ours").success());
    assert!(leftovers::find(&state).expect("readable").is_empty());
}

/// As every test command, they hold the lock, here as their standard input, and lead a group, which the guard signals.
fn start_tests(lock: &Utf8Path) -> Child {
    let held = take_for_child(lock).expect("nobody else has it");
    Command::new("sleep").arg("1000").stdin(held).process_group(0).spawn().expect("sleep is there")
}

/// Killed with the test, should that fail.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
