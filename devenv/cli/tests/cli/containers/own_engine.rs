//! The effect of an engine's failures on an environment: these tests start their own engine, which they may stop and starve.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::engine::{IMAGE, docker, required};
use super::project::Project;
use crate::folder::eventually;

/// A Docker Engine with its own socket, state and network namespace: it cannot see another engine's bridge and rules.
struct Engine {
    folder: TempDir,
    child: Option<Child>,
    namespace: String,
    mounted: bool,
}

impl Engine {
    fn start(size: Option<&str>) -> Self {
        required();
        let there = Command::new("dockerd").arg("--version").stdout(Stdio::null()).status().is_ok();
        assert!(is_root() && there, "this test starts an engine of its own: it needs root and dockerd on the PATH");
        let folder = tempfile::Builder::new().prefix("dockerd").tempdir().expect("a temporary directory");
        let data = folder.path().join("data");
        std::fs::create_dir(&data).expect("writable");
        if let Some(size) = size {
            let size = format!("size={size}");
            run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs", &data.display().to_string()]);
        }
        let namespace = folder.path().file_name().expect("a name").to_string_lossy().into_owned();
        run("ip", &["netns", "add", &namespace]);
        run("ip", &["-n", &namespace, "link", "set", "lo", "up"]);
        let mut engine = Self { folder, child: None, namespace, mounted: size.is_some() };
        engine.launch();
        engine
    }

    fn launch(&mut self) {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let log = std::fs::File::options().create(true).append(true).open(path("log")).expect("writable");
        // Not `ip netns exec`, which hides the control groups.
        let child = Command::new("nsenter")
            .args([&format!("--net=/run/netns/{}", self.namespace), "dockerd"])
            .args(["--host", &self.host(), "--pidfile", &path("pid")])
            .args(["--data-root", &path("data"), "--exec-root", &path("exec")])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.child = Some(child.expect("dockerd starts"));
        eventually("the engine answers", || {
            let answer = self.docker().arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            answer.is_ok_and(|status| status.success())
        });
    }

    /// Sends SIGTERM, as a system's shutdown does.
    fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            run("kill", &[&child.id().to_string()]);
            child.wait().expect("ours");
        }
    }

    fn host(&self) -> String {
        format!("unix://{}", self.folder.path().join("docker.sock").display())
    }

    fn docker(&self) -> Command {
        let mut command = Command::new("docker");
        command.args(["--host", &self.host()]);
        command
    }

    /// Copies the test image from the usual engine.
    fn load(&self) {
        let archive = self.folder.path().join("image.tar");
        docker(&["save", "--output", &archive.display().to_string(), IMAGE]);
        let loaded = self.docker().args(["load", "--input"]).arg(&archive).output().expect("docker is here");
        assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
        let _ = Command::new("ip").args(["netns", "del", &self.namespace]).status();
        if self.mounted {
            let _ = Command::new("umount").arg("--lazy").arg(self.folder.path().join("data")).status();
        }
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    Path::new("/proc/self").metadata().is_ok_and(|metadata| metadata.uid() == 0)
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().expect(program);
    assert!(status.success(), "{program} {}", arguments.join(" "));
}

#[test]
#[ignore = "needs a container engine, root and dockerd"]
fn an_engine_that_was_stopped_and_started_is_repaired_by_the_next_up() {
    let mut engine = Engine::start(None);
    engine.load();
    let mut project = Project::new();
    project.move_to(&engine.namespace, engine.host());
    project.up();
    engine.stop();
    let lost = project.run(&["status"]);
    assert_eq!(lost.code, 4, "{}", lost.err);
    assert!(lost.err.contains("no container engine answers") && lost.err.contains("hint: "), "{}", lost.err);
    engine.launch();
    project.up();
    for unit in ["emulator", "web", "back"] {
        assert_eq!(project.unit(unit)["state"], "ready", "{unit}");
    }
    project.done(&["down", "--volumes"]);
}

#[test]
#[ignore = "needs a container engine, root and dockerd"]
fn a_full_disk_of_the_engine_is_named_and_nothing_half_made_stays() {
    let engine = Engine::start(Some("24m"));
    engine.load();
    let filler = engine.folder.path().join("data/filler");
    let mut file = std::fs::File::create(&filler).expect("writable");
    let zeros = vec![0; 64 * 1024];
    while file.write_all(&zeros).is_ok() {}
    drop(file);
    let mut project = Project::new();
    project.move_to(&engine.namespace, engine.host());
    let failed = project.run(&["up", "-d", "--runtime", "docker"]);
    assert_eq!(failed.code, 1, "{}", failed.err);
    assert!(failed.err.contains("no space left on device") && failed.err.contains("free some space"), "{}", failed.err);
    std::fs::remove_file(&filler).expect("ours");
    let left = engine.docker().args(["ps", "--all", "--quiet"]).output().expect("docker is here");
    assert!(left.stdout.is_empty(), "{}", String::from_utf8_lossy(&left.stdout));
    project.up();
    project.done(&["down", "--volumes"]);
}
