use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::engine::{IMAGE, docker, labelled};

const DEVENV: &str = env!("CARGO_BIN_EXE_devenv");

/// A small project in a folder of its own: one table, and two services that are emulators, because that image is there.
pub(crate) struct Project {
    folder: TempDir,
    /// The network namespace and the address of another engine than the usual one.
    pub(crate) elsewhere: Option<(String, String)>,
}

const TABLE: &str = r#"{
  "TableName": "items",
  "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
  "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
  "BillingMode": "PAY_PER_REQUEST"
}
"#;

fn service(name: &str, more: &str) -> String {
    format!(
        "  {name}:\n    image: {IMAGE}\n    command: [\"--memory\", \"--allow-any-address\", \"--listen\", \"0.0.0.0:8080\"]\n    \
         ports: [\"8080\"]\n    read_only: true\n    cap_drop: [ALL]\n    security_opt: [\"no-new-privileges:true\"]\n    \
         mem_limit: 64m\n    pids_limit: 32\n    stop_grace_period: 2s\n{more}"
    )
}

impl Project {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("shop").tempdir().expect("a temporary directory");
        let project = Self { folder, elsewhere: None };
        let settings = format!(
            "version = 1\nname = \"shop\"\ncompose = \"compose.yaml\"\ntables = \"tables\"\nseeds = \"seeds\"\n\
             [emulator.embedded]\nimage = \"{IMAGE}\"\n[services.web]\nhealth = \"/\"\n[services.back]\nhealth = \"/\"\n\
             [test]\ncommand = [\"sh\", \"-c\", \"test -n \\\"$WEB_URL\\\"\"]\n"
        );
        project.write("devenv.toml", &settings);
        let depends = "    depends_on: { back: { condition: service_healthy } }\n";
        project.write("compose.yaml", &format!("services:\n{}{}", service("web", depends), service("back", "")));
        project.write("tables/items.json", TABLE);
        project.write("seeds/items.json", r#"[{ "id": { "S": "a" } }]"#);
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
        let mut command = match &self.elsewhere {
            None => Command::new(DEVENV),
            Some((namespace, host)) => {
                let mut command = Command::new("nsenter");
                command.args([&format!("--net=/run/netns/{namespace}"), DEVENV]).env("DOCKER_HOST", host);
                command
            }
        };
        command.args(arguments).current_dir(self.path()).env_remove("DEVENV_STATE_DIR").env("NO_COLOR", "1");
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

    pub(crate) fn up(&self) -> Ran {
        self.done(&["up", "-d", "--runtime", "docker", "--output", "plain"])
    }

    pub(crate) fn unit(&self, name: &str) -> Value {
        let ran = self.done(&["status", "--output", "json"]);
        let status: Value = serde_json::from_str(ran.out.lines().last().expect("a result")).expect("JSON");
        let units = status["units"].as_array().expect("a list").clone();
        units.into_iter().find(|unit| unit["name"] == name).unwrap_or_else(|| panic!("no unit {name} in {status}"))
    }

    /// The name of a unit's container.
    pub(crate) fn container(&self, unit: &str) -> String {
        self.unit(unit)["container"].as_str().unwrap_or_else(|| panic!("{unit} has no container")).to_owned()
    }

    /// The ids of the three containers: another id is another container.
    pub(crate) fn ids(&self) -> [String; 3] {
        ["emulator", "web", "back"].map(|unit| docker(&["inspect", "--format", "{{.Id}}", &self.container(unit)]))
    }

    pub(crate) fn root(&self) -> String {
        self.path().canonicalize().expect("it exists").display().to_string()
    }

    /// What of this project is in the engine.
    pub(crate) fn things(&self) -> Vec<String> {
        labelled(&self.root())
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = self.command(&["down", "--volumes"]).output();
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
