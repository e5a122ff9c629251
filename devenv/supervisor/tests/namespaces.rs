//! A process in its own mount namespace, like a container's, that holds the lock of a removed file.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use camino::Utf8Path;
use devenv_supervisor::leftovers;
use devenv_supervisor::state_directory::StateDirectory;

/// Ends with the test.
struct Elsewhere(Child);

impl Elsewhere {
    /// Runs `before` in a new namespace, then takes the lock of the unit `api` there and removes its file.
    fn start(state: &StateDirectory, before: &str) -> Self {
        let lock = state.unit_lock("api");
        let script = format!(
            "{before} mkdir -p {units} && exec 9> {lock} && flock 9 && rm {lock} && echo ready && exec sleep 1000",
            units = state.units(),
        );
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", &script]).stdout(Stdio::piped());
        let mut child = command.spawn().expect("unshare is there");
        let mut first = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut first).expect("text");
        let elsewhere = Self(child);
        assert_eq!(first, "ready\n", "this test needs root, unshare and flock");
        elsewhere
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The leftovers that a new command finds.
fn found(state: &StateDirectory, root: &Utf8Path) -> Vec<u32> {
    let leftovers = leftovers::find(&StateDirectory::within(state.path(), &[root.to_owned()])).expect("readable");
    leftovers.into_iter().map(|leftover| leftover.pid).collect()
}

#[test]
#[ignore = "needs root, unshare and flock"]
fn a_nameless_lock_is_ours_where_its_file_is_on_our_file_system() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = Utf8Path::from_path(folder.path()).expect("UTF-8");
    let root = path.join("run");
    let state = StateDirectory::within(&path.join(".devenv"), std::slice::from_ref(&root));
    state.prepare().expect("writable");
    let stranger = Elsewhere::start(&state, &format!("mount -t tmpfs none {path} &&"));
    // A supervisor was killed, and the runtime directory is gone: only then are processes searched.
    std::fs::write(state.supervisor_anchor(), "4711").expect("writable");
    std::fs::remove_dir_all(&root).expect("writable");
    assert_eq!(found(&state, &root), [0; 0], "the path of process {} means another file", stranger.0.id());
    state.prepare().expect("writable");
    let sandboxed = Elsewhere::start(&state, "");
    std::fs::remove_dir_all(&root).expect("writable");
    assert_eq!(found(&state, &root), [sandboxed.0.id()]);
}
