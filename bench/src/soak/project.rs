//! A small project, quick enough for hundreds of rounds: one table, and two services, which are emulators.

use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::{Failure, interrupt, say};

/// Time limit of every command of this project.
const HANGS_AFTER: Duration = Duration::from_mins(2);
const IMAGE: &str = "devenv-emulator:local";
const TABLE: &str = r#"{
  "TableName": "items",
  "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
  "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
  "BillingMode": "PAY_PER_REQUEST"
}
"#;

pub(super) struct Project {
    program: Utf8PathBuf,
    runtime: String,
    _folder: tempfile::TempDir,
    pub(super) root: Utf8PathBuf,
}

impl Project {
    pub(super) fn new(program: &Utf8Path, runtime: &str) -> Result<Self, Failure> {
        let program = program.canonicalize_utf8().map_err(|error| format!("{program}: {error}; build it first"))?;
        let folder = tempfile::Builder::new().prefix("soak-").tempdir()?;
        let root = Utf8PathBuf::from_path_buf(folder.path().canonicalize()?).map_err(|_| "the path is not UTF-8")?;
        let project = Self { program, runtime: runtime.to_owned(), _folder: folder, root };
        let (settings, compose) = if runtime == "docker" { containers() } else { processes(&project.program) };
        for folder in ["tables", "seeds"] {
            std::fs::create_dir(project.root.join(folder))?;
        }
        std::fs::write(project.root.join("devenv.toml"), settings)?;
        std::fs::write(project.root.join("compose.yaml"), compose)?;
        std::fs::write(project.root.join("tables/items.json"), TABLE)?;
        std::fs::write(project.root.join("seeds/items.json"), r#"[{ "id": { "S": "a" } }]"#)?;
        Ok(project)
    }

    pub(super) fn state(&self) -> Utf8PathBuf {
        self.root.join(".devenv")
    }

    /// The folder of its runtime directories.
    pub(super) fn runtime_root(&self) -> Utf8PathBuf {
        self.root.join("run")
    }

    /// The arguments of a command by its first word.
    fn arguments(&self, command: &str) -> Vec<String> {
        let words: &[&str] = match command {
            "up" => &["up", "-d", "--runtime", &self.runtime],
            "test" => &["test", "--runtime", &self.runtime],
            "down" => &["down", "--volumes"],
            other => &[other],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn command(&self, command: &str) -> Command {
        let mut made = Command::new(&self.program);
        made.args(self.arguments(command)).args(["--output", "json"]).current_dir(&self.root).stdin(Stdio::null());
        made.env_remove("DEVENV_STATE_DIR").env("DEVENV_RUNTIME_DIR", self.runtime_root());
        interrupt::shield(&mut made, &[command]);
        if self.runtime != "docker" {
            // No engine answers there.
            made.env("DOCKER_HOST", "unix:///nonexistent/docker.sock");
        }
        made
    }

    /// Starts a command and does not wait for its end.
    pub(super) fn start(&self, command: &str) -> Result<Child, Failure> {
        interrupt::check()?;
        Ok(self.command(command).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
    }

    /// Runs a command that must succeed.
    pub(super) fn done(&self, command: &str) -> Result<Output, Failure> {
        interrupt::check()?;
        self.finished(command)
    }

    fn finished(&self, command: &str) -> Result<Output, Failure> {
        let output = self.root.join("output");
        let mut child = self.command(command).stdout(std::fs::File::create(&output)?).stderr(Stdio::null()).spawn()?;
        let status = ended(&mut child)?;
        let stdout = std::fs::read(&output)?;
        if status.success() {
            return Ok(Output { status, stdout, stderr: Vec::new() });
        }
        Err(format!("devenv {command} ended with {status}: {}", String::from_utf8_lossy(&stdout)).into())
    }

    /// Every unit with its state.
    pub(super) fn units(&self) -> Result<Vec<(String, String)>, Failure> {
        let output = self.done("status")?;
        let text = String::from_utf8(output.stdout)?;
        let status: Value = serde_json::from_str(text.lines().last().unwrap_or_default())?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let units = status["units"].as_array().into_iter().flatten();
        Ok(units.map(|unit| (text(&unit["name"]), text(&unit["state"]))).collect())
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if let Err(error) = self.finished("down") {
            say(&format!("error: the environment may still be running: {error}"));
        }
    }
}

/// Waits for the end of a command. Returns an error if the command hangs.
pub(super) fn ended(child: &mut Child) -> Result<std::process::ExitStatus, Failure> {
    let end = Instant::now() + HANGS_AFTER;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() > end {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("a command hangs: not ended after {} s", HANGS_AFTER.as_secs()).into());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

const HEAD: &str = "version = 1\nname = \"soak\"\ncompose = \"compose.yaml\"\ntables = \"tables\"\nseeds = \"seeds\"\n\
                    [test]\ncommand = [\"sh\", \"-c\", \"sleep 0.3; test -n \\\"$WEB_URL\\\"\"]\n";

fn processes(program: &Utf8Path) -> (String, String) {
    let service = |name: &str| {
        format!(
            "[services.{name}]\nhealth = \"/\"\n[services.{name}.process]\ncommand = [\"{program}\", \"emulator\", \
             \"--memory\", \"--listen\", \"127.0.0.1:${{port:80}}\"]\n"
        )
    };
    let compose = "services:\n  web:\n    image: web:1\n    ports: [\"80\"]\n    stop_grace_period: 2s\n    \
                   depends_on: { back: { condition: service_healthy } }\n  back:\n    image: back:1\n    \
                   ports: [\"80\"]\n    stop_grace_period: 2s\n";
    (format!("{HEAD}{}{}", service("web"), service("back")), compose.to_owned())
}

fn containers() -> (String, String) {
    let service = |name: &str, more: &str| {
        format!(
            "  {name}:\n    image: {IMAGE}\n    command: [\"--memory\", \"--allow-any-address\", \"--listen\", \
             \"0.0.0.0:8080\"]\n    ports: [\"8080\"]\n    stop_grace_period: 2s\n{more}"
        )
    };
    let depends = "    depends_on: { back: { condition: service_healthy } }\n";
    let compose = format!("services:\n{}{}", service("web", depends), service("back", ""));
    let services = "[services.web]\nhealth = \"/\"\n[services.back]\nhealth = \"/\"\n";
    (format!("{HEAD}[emulator.embedded]\nimage = \"{IMAGE}\"\n{services}"), compose)
}
