//! The effect of an engine's failures on an environment: these tests start their own engine, which they may stop and starve.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::engine::{IMAGE, docker, required};
use super::project::Project;
use crate::folder::{Ran, eventually};

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

    /// The names of a project's containers, networks or volumes in this engine.
    fn named(&self, kind: &str, root: &str) -> Vec<String> {
        let (arguments, name) = match kind {
            "container" => (&["ps", "--all"][..], "{{.Names}}"),
            "network" => (&["network", "ls"][..], "{{.Name}}"),
            _ => (&["volume", "ls"][..], "{{.Name}}"),
        };
        let filter = format!("label=devenv.root={root}");
        let output = self.docker().args(arguments).args(["--format", name, "--filter", &filter]).output();
        let output = output.expect("docker is here");
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
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

/// On an engine of its own: `prune` also removes what other tests leave in the usual one for a moment.
#[test]
#[ignore = "needs a container engine, root and dockerd"]
fn prune_removes_the_containers_and_volumes_of_a_gone_folder_and_touches_no_other() {
    let engine = Engine::start(None);
    engine.load();
    let [mut gone, mut stopped, mut running] = [Project::new(), Project::new(), Project::new()];
    for project in [&mut gone, &mut stopped, &mut running] {
        project.move_to(&engine.namespace, engine.host());
        project.up();
    }
    let stranger =
        ["run", "--detach", "--name", "stranger", "--network", "none", IMAGE, "--memory", "--listen", "127.0.0.1:1"];
    assert!(engine.docker().args(stranger).status().expect("docker is here").success());
    let anywhere = |arguments: &[&str]| {
        let mut command = running.command(&[arguments, &["--output", "json"]].concat());
        let ran = Ran::from(command.current_dir("/").output().expect("the program starts"));
        serde_json::from_str::<Value>(ran.out.lines().last().unwrap_or_default()).unwrap_or_else(|_| panic!("{ran:?}"))
    };
    let of = |root: &str| {
        let rows = anywhere(&["ls"])["environments"].as_array().expect("a list").clone();
        rows.into_iter().find(|row| row["root"] == root).unwrap_or_else(|| panic!("{root} is not listed"))
    };
    let (gone_root, stopped_root) = (gone.root(), stopped.root());
    assert!(
        engine
            .docker()
            .args(["stop"])
            .args(engine.named("container", &stopped_root))
            .output()
            .expect("docker")
            .status
            .success()
    );
    std::fs::remove_dir_all(gone.path()).expect("ours");
    let row = of(&running.root());
    assert_eq!(
        (&row["state"], &row["runtime"], &row["units"]),
        (&"running".into(), &"docker".into(), &3.into()),
        "{row}"
    );
    assert!(row["memory"].as_u64().is_some_and(|bytes| bytes > 0) && row["since"].is_u64(), "{row}");
    let row = of(&gone_root);
    assert_eq!((&row["state"], &row["folder"]), (&"running".into(), &"gone".into()), "{row}");
    assert_eq!(of(&stopped_root)["state"], "stopped");

    let pruned = anywhere(&["prune", "--yes"]);
    assert_eq!(pruned["kept"], serde_json::json!([]), "{pruned}");
    for kind in ["container", "network", "volume"] {
        assert_eq!(engine.named(kind, &gone_root), [""; 0], "{kind}");
    }
    assert_eq!(
        (engine.named("container", &stopped_root), engine.named("volume", &stopped_root).len()),
        (Vec::new(), 1)
    );
    for unit in ["emulator", "web", "back"] {
        assert_eq!(running.unit(unit)["state"], "ready", "{unit}");
    }
    let names = engine.docker().args(["ps", "--format", "{{.Names}}"]).output().expect("docker is here");
    assert!(String::from_utf8_lossy(&names.stdout).contains("stranger"), "it has no label of devenv");
    let _ = engine.docker().args(["rm", "--force", "stranger"]).output();
}
