use std::process::{Child, Stdio};

use crate::folder::{DEVENV, Folder, TABLE, eventually};
use crate::taken_down::{Kind, TakenDown};

/// A small project in a new folder: one table, and two services. The services are devenv's own emulators, because these are
/// available, answer over HTTP and end on SIGTERM.
pub(crate) type Project = TakenDown<Processes>;

pub(crate) struct Processes;

impl Kind for Processes {
    const DOWN: &'static [&'static str] = &["down"];
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

impl Project {
    pub(crate) fn new() -> Self {
        Self::within(Folder::new())
    }

    pub(crate) fn within(folder: Folder) -> Self {
        let mut project = Self { folder, kind: Processes };
        // No engine answers there, so that these tests use processes on every machine.
        project.folder.variables.push(("DOCKER_HOST", "unix:///nonexistent/docker.sock".to_owned()));
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

    pub(crate) fn variables_mut(&mut self) -> &mut Vec<(&'static str, String)> {
        &mut self.folder.variables
    }

    /// Starts a command and does not wait for its end.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts")
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
            if words.contains(&*state.to_string_lossy()) || links.any(|link| link.starts_with(self.runtime_root())) {
                found.push(words);
            }
        }
        found
    }

    pub(crate) fn nothing_is_left(&self) {
        eventually("no process of this project is left", || self.processes().is_empty());
    }
}
