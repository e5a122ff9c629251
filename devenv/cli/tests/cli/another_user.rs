//! An environment of another user is neither changed nor mistaken for a broken one.

use std::fs::{File, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;

use rustix::io::FdFlags;

use crate::folder::{DEVENV, Ran};
use crate::project::Project;

/// User id of `nobody` on most systems; no account has to exist.
const OTHER: u32 = 65534;

/// Creates a project that belongs to this user and that everybody may read.
fn project() -> Project {
    assert!(rustix::process::geteuid().is_root(), "this test runs devenv as another user: it needs root");
    let project = Project::new();
    std::fs::set_permissions(project.path(), Permissions::from_mode(0o755)).expect("ours");
    project
}

fn run_as_other_user(project: &Project, arguments: &[&str]) -> Ran {
    // The other user may have no access to the program's folder.
    let program = File::open(DEVENV).expect("the program");
    rustix::io::fcntl_setfd(&program, FdFlags::empty()).expect("ours");
    let mut command = std::process::Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()));
    let wanted = project.command(arguments);
    command.args(arguments).current_dir(project.path());
    for (name, value) in wanted.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    // Each user has runtime directories of their own.
    command.env_remove("DEVENV_RUNTIME_DIR").env_remove("XDG_RUNTIME_DIR");
    Ran::from(command.uid(OTHER).gid(OTHER).output().expect("it starts"))
}

#[test]
#[ignore = "needs root"]
fn the_environment_of_another_user_is_out_of_reach_and_not_lost() {
    let project = project();
    project.done(&["up", "-d"]);
    let before = project.pids();
    for (command, code, hint) in [
        (&["status"][..], "permission_denied", "run devenv as the owner of this environment"),
        (&["unit", "kill", "web"], "permission_denied", "run devenv as the owner of this environment"),
        // `down` first changes files of their owner.
        (&["down"], "state", "it belongs to user 0: run devenv as that user"),
    ] {
        let ran = run_as_other_user(&project, &[command, &["--output", "json"]].concat());
        assert_eq!(ran.code, 1, "{command:?}: {}{}", ran.out, ran.err);
        assert!(ran.out.contains(&format!("\"code\":\"{code}\"")), "{command:?}: {}", ran.out);
        assert!(ran.out.contains(hint) && !ran.out.contains("lost"), "{command:?}: {}", ran.out);
    }
    assert_eq!(project.pids(), before);
}

#[test]
#[ignore = "needs root"]
fn a_folder_of_another_user_is_for_that_user_to_change() {
    let project = project();
    project.done(&["up", "-d"]);
    project.done(&["down"]);
    let ran = run_as_other_user(&project, &["up", "-d", "--output", "plain"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("cannot write") && ran.err.contains("it belongs to user 0"), "{}", ran.err);
    assert!(ran.err.contains("--state-dir") && !ran.err.contains("chmod"), "{}", ran.err);
}
