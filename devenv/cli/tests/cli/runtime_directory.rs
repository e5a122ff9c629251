//! Locks and sockets outlive `git clean -fdx`, and the removal of their own folder; nobody else can prepare that folder.

use std::os::unix::fs::PermissionsExt;

use crate::folder::{Folder, eventually, signal};
use crate::project::Project;

#[test]
fn locks_and_sockets_are_outside_of_the_checkout() {
    let project = Project::new();
    project.done(&["up", "-d"]);
    let runtime = project.runtime();
    assert!(runtime.starts_with(project.runtime_root()), "{}", runtime.display());
    for file in ["supervisor.lock", "supervisor.sock", "command.lock", "environment.json", "units/web.lock"] {
        assert!(runtime.join(file).exists(), "{file}");
    }
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&runtime), mode(project.runtime_root())), (0o700, 0o700));
    assert!(!project.path().join(".devenv/units").exists());
}

#[test]
fn a_git_clean_leaves_the_environment_within_reach_of_the_next_command() {
    let project = Project::new();
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
        let mut command = std::process::Command::new("git");
        command.args(identity).args(arguments).current_dir(project.path());
        assert!(command.output().expect("git is there").status.success(), "git {arguments:?}");
    };
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "all"]);
    project.done(&["up", "-d"]);
    let before = project.pids();
    for command in [&["status"][..], &["up", "-d"], &["down"]] {
        git(&["clean", "-fdxq"]);
        assert!(!project.path().join(".devenv").exists());
        project.done(command);
        if command != ["down"] {
            assert_eq!(project.pids(), before, "{command:?}");
        }
    }
    project.nothing_is_left();
}

/// As a cleaner of `/tmp` does.
#[test]
fn an_environment_whose_runtime_directory_was_removed_is_found() {
    let project = Project::new();
    project.done(&["up", "-d"]);
    let before = project.pids();
    for command in [&["status"][..], &["up", "-d"], &["restart", "web"], &["down"]] {
        std::fs::remove_dir_all(project.runtime()).expect("it is there");
        project.done(command);
        if command == ["up", "-d"] {
            assert_eq!(project.pids(), before);
        }
    }
    project.nothing_is_left();
}

#[test]
fn what_a_killed_supervisor_left_is_found_without_the_runtime_directory() {
    let project = Project::new();
    for command in [&["down"][..], &["up", "-d"]] {
        project.done(&["up", "-d"]);
        let runtime = project.runtime();
        signal(project.supervisor().expect("it runs"), "KILL");
        eventually("the supervisor is gone", || project.supervisor().is_none());
        std::fs::remove_dir_all(runtime).expect("it is there");
        project.done(command);
        project.done(&["down"]);
        project.nothing_is_left();
    }
}

/// A login with a session started it; `sudo`, `cron` or another login has other variables.
#[test]
fn a_command_with_another_runtime_directory_finds_the_environment() {
    let mut project = Project::new();
    project.done(&["up", "-d"]);
    let before = project.pids();
    let elsewhere = tempfile::tempdir().expect("a temporary directory");
    project.set("DEVENV_RUNTIME_DIR", &elsewhere.path().display().to_string());
    project.done(&["up", "-d"]);
    assert_eq!(project.pids(), before, "the link in the state directory leads to it");
    project.done(&["down"]);
    project.nothing_is_left();
}

#[test]
fn a_runtime_folder_that_others_may_use_is_refused_with_the_remedy() {
    let mut project = Project::new();
    let place = tempfile::tempdir().expect("a temporary directory");
    let (own, open, link) = (place.path().join("own"), place.path().join("open"), place.path().join("link"));
    for (folder, mode) in [(&own, 0o700), (&open, 0o777)] {
        std::fs::create_dir(folder).expect("writable");
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).expect("ours");
    }
    std::os::unix::fs::symlink(&own, &link).expect("writable");
    for (folder, why, remedy) in
        [(&open, "other users may use it", "chmod 700"), (&link, "not a folder", "DEVENV_RUNTIME_DIR")]
    {
        project.set("DEVENV_RUNTIME_DIR", &folder.display().to_string());
        for command in ["up", "status", "down"] {
            let refused = project.json(&[command]);
            let error = &refused["error"];
            assert_eq!(error["code"], "untrusted", "{command}: {refused}");
            assert!(error["message"].as_str().is_some_and(|text| text.contains(why)), "{error}");
            assert!(error["hint"].as_str().is_some_and(|text| text.contains(remedy)), "{error}");
        }
    }
    project.set("DEVENV_RUNTIME_DIR", &own.display().to_string());
    project.done(&["up", "-d"]);
}

#[test]
fn a_checkout_with_a_long_path_works() {
    let project = Project::within(Folder::named(&"a-long-name-of-a-folder-".repeat(9)));
    assert!(project.path().as_os_str().len() > 200);
    project.done(&["up", "-d"]);
    assert_eq!(project.unit("web")["state"], "ready");
    std::fs::remove_dir_all(project.path().join(".devenv")).expect("it is there");
    assert_eq!(project.unit("web")["state"], "ready");
    project.done(&["down"]);
    project.nothing_is_left();
}
