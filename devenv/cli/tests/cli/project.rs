use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const DEVENV: &str = env!("CARGO_BIN_EXE_devenv");

/// A small project in a folder of its own: one table, and two services that are emulators of devenv's own, because
/// those are there, answer over HTTP and end on SIGTERM.
pub(crate) struct Project {
    folder: TempDir,
}

const COMPOSE: &str = r#"services:
  web:
    image: web:1
    ports: ["80"]
    stop_grace_period: 2s
    depends_on: { back: { condition: service_healthy } }
  back:
    image: back:1
    ports: ["80"]
    stop_grace_period: 2s
"#;

const TABLE: &str = r#"{
  "TableName": "items",
  "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
  "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
  "BillingMode": "PAY_PER_REQUEST"
}
"#;

impl Project {
    pub(crate) fn new() -> Self {
        let project =
            Self { folder: tempfile::Builder::new().prefix("shop").tempdir().expect("a temporary directory") };
        let mut settings =
            "version = 1\nname = \"shop\"\ncompose = \"compose.yaml\"\ntables = \"tables\"\nseeds = \"seeds\"\n"
                .to_owned();
        let command = format!("command = [\"{DEVENV}\", \"emulator\", \"--memory\", \"--listen\", ");
        for service in ["web", "back"] {
            let head = ["[services.", service, "]\nhealth = \"/\"\n[services.", service, ".process]\n"];
            settings += &(head.concat() + &command + "\"127.0.0.1:${port:80}\"]\n");
        }
        settings +=
            "[test]\ncommand = [\"sh\", \"-c\", \"test -n \\\"$WEB_URL\\\" && test -z \\\"$AWS_PROFILE\\\"\"]\n";
        project.write("devenv.toml", &settings);
        project.write("compose.yaml", COMPOSE);
        project.write("tables/items.json", TABLE);
        project.write("seeds/items.json", r#"[{ "id": { "S": "a" } }, { "id": { "S": "b" } }]"#);
        project
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("writable");
        std::fs::write(path, text).expect("writable");
    }

    /// Replaces the first `from` in a file.
    pub(crate) fn change(&self, path: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path().join(path)).expect("readable");
        assert!(text.contains(from), "{path} has no {from}");
        self.write(path, &text.replacen(from, to, 1));
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(DEVENV);
        command.args(arguments).current_dir(self.path()).env_remove("DEVENV_STATE_DIR").env("NO_COLOR", "1");
        // No engine answers there, so that these tests are about processes on every machine.
        command.env("DOCKER_HOST", "unix:///nonexistent/docker.sock");
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().expect("the program starts"))
    }

    /// Runs a command that must succeed.
    pub(crate) fn done(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "devenv {}: {}{}", arguments.join(" "), ran.out, ran.err);
        ran
    }

    /// The result object of a command run with JSON output.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[arguments, &["--output", "json"]].concat());
        let last = ran.out.lines().last().unwrap_or_else(|| panic!("no output: {}", ran.err));
        serde_json::from_str(last).expect("JSON")
    }

    /// Starts a command and returns while it runs.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts")
    }

    pub(crate) fn unit(&self, name: &str) -> Value {
        let status = self.json(&["status"]);
        let units = status["units"].as_array().expect("a list").clone();
        units.into_iter().find(|unit| unit["name"] == name).unwrap_or_else(|| panic!("no unit {name} in {status}"))
    }

    pub(crate) fn pid(&self, name: &str) -> u64 {
        self.unit(name)["pid"].as_u64().unwrap_or_else(|| panic!("{name} does not run"))
    }

    pub(crate) fn pids(&self) -> [u64; 3] {
        ["emulator", "web", "back"].map(|unit| self.pid(unit))
    }

    pub(crate) fn supervisor(&self) -> Option<u64> {
        self.json(&["status"])["supervisor_pid"].as_u64()
    }

    /// Processes of this project: with its state directory on their command line, or holding the lock of a unit.
    pub(crate) fn processes(&self) -> Vec<String> {
        let state = self.path().canonicalize().expect("it exists").join(".devenv");
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").expect("this test needs /proc").flatten() {
            if entry.file_name().to_string_lossy().parse::<u32>().is_err() {
                continue;
            }
            let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let words = String::from_utf8_lossy(&words).replace('\0', " ");
            let descriptors = std::fs::read_dir(entry.path().join("fd")).into_iter().flatten().flatten();
            let mut links = descriptors.filter_map(|descriptor| std::fs::read_link(descriptor.path()).ok());
            if words.contains(&*state.to_string_lossy()) || links.any(|link| link.starts_with(state.join("units"))) {
                found.push(words);
            }
        }
        found
    }

    pub(crate) fn nothing_is_left(&self) {
        eventually("no process of this project is left", || self.processes().is_empty());
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = self.command(&["down"]).output();
    }
}

/// What a command printed and how it ended; 128 is a signal.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(128),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

pub(crate) fn eventually(what: &str, mut check: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !check() {
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn signal(pid: u64, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().expect("kill is there");
    assert!(status.success(), "process {pid} takes the signal {name}");
}
