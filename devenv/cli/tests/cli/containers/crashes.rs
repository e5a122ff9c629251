//! After a kill of devenv at any time, `down` leaves nothing of the project, and nothing foreign is touched.

use std::process::Stdio;
use std::time::Duration;

use super::engine::{IMAGE, docker};
use super::project::Project;

/// A container and a network that devenv did not make, as similar to its own as possible.
struct Foreign {
    name: String,
}

impl Foreign {
    fn new(project: &Project) -> Self {
        let name = format!("{}-foreign", project.path().file_name().expect("a name").to_string_lossy());
        docker(&["network", "create", &name]);
        let command = ["--memory", "--allow-any-address", "--listen", "0.0.0.0:8080"];
        docker(&[&["run", "--detach", "--name", &name, "--network", &name, IMAGE][..], &command].concat());
        Self { name }
    }

    fn started(&self) -> String {
        docker(&["inspect", "--format", "{{.State.Running}} {{.State.StartedAt}}", &self.name])
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        docker(&["rm", "--force", &self.name]);
        docker(&["network", "rm", &self.name]);
    }
}

/// Runs a command and kills it with SIGKILL `after` its start.
fn killed(project: &Project, arguments: &[&str], after: Duration) {
    let mut command = project.command(arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    std::thread::sleep(after);
    let _ = child.kill();
    child.wait().expect("ours");
}

#[test]
#[ignore = "needs a container engine"]
fn a_killed_up_or_down_leaves_nothing_after_the_next_run() {
    let project = Project::new();
    let foreign = Foreign::new(&project);
    let before = foreign.started();
    // Times from before the first request to after the last one.
    for (round, after) in [3, 30, 80, 200, 350, 500, 700, 1000].into_iter().enumerate() {
        let after = Duration::from_millis(after);
        killed(&project, &["up", "-d", "--runtime", "docker"], after);
        if round % 2 == 0 {
            project.up();
            assert_eq!(project.unit("web")["state"], "ready", "after {after:?}");
            killed(&project, &["down"], after);
        }
        project.done(&["down", "--volumes"]);
        assert_eq!(project.things(), Vec::<String>::new(), "after {after:?}");
    }
    assert_eq!(foreign.started(), before);
}

#[test]
#[ignore = "needs a container engine"]
fn a_killed_test_run_is_swept_by_the_next_command() {
    let project = Project::new();
    project.change("devenv.toml", "test -n \\\"$WEB_URL\\\"", "sleep 60");
    for after in [400, 1500] {
        killed(&project, &["test", "--runtime", "docker"], Duration::from_millis(after));
        project.done(&["down"]);
        assert_eq!(project.things(), Vec::<String>::new(), "after {after} ms");
    }
}

/// `git clean -fdx` removes the folder.
#[test]
#[ignore = "needs a container engine"]
fn an_environment_whose_folder_was_removed_is_found() {
    let project = Project::new();
    project.up();
    let before = project.ids();
    for command in [&["status"][..], &["up", "-d"]] {
        std::fs::remove_dir_all(project.path().join(".devenv")).expect("it is there");
        project.done(command);
        std::fs::create_dir_all(project.path().join(".devenv")).expect("writable");
        assert_eq!(project.ids(), before, "{command:?}");
    }
    std::fs::remove_dir_all(project.path().join(".devenv")).expect("it is there");
    project.done(&["down", "--volumes"]);
    assert_eq!(project.things(), Vec::<String>::new());
}
