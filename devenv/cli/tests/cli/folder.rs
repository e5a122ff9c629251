use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const DEVENV: &str = env!("CARGO_BIN_EXE_devenv");

pub(crate) const TABLE: &str = r#"{
  "TableName": "items",
  "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
  "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
  "BillingMode": "PAY_PER_REQUEST"
}
"#;

/// A project's folder, and the command to run in it.
pub(crate) struct Folder {
    place: TempDir,
    _runtime: TempDir,
    runtime_root: std::path::PathBuf,
    /// `devenv`, or the command that runs it elsewhere.
    pub(crate) program: Vec<String>,
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self::named("shop")
    }

    /// In a folder whose name begins like this.
    pub(crate) fn named(prefix: &str) -> Self {
        let temporary = |prefix| tempfile::Builder::new().prefix(prefix).tempdir().expect("a temporary directory");
        let (place, runtime) = (temporary(prefix), temporary("run"));
        // Not there yet: devenv makes it for this user alone.
        let runtime_root = runtime.path().join("devenv");
        let variables = vec![("DEVENV_RUNTIME_DIR", runtime_root.display().to_string())];
        Self { place, _runtime: runtime, runtime_root, program: vec![DEVENV.to_owned()], variables }
    }

    /// The folder of the runtime directories of this project's environments.
    pub(crate) fn runtime_root(&self) -> &std::path::Path {
        &self.runtime_root
    }

    /// The runtime directory of the running environment.
    pub(crate) fn runtime(&self) -> std::path::PathBuf {
        let socket = std::fs::read_link(self.path().join(".devenv/control.sock")).expect("its supervisor runs");
        socket.parent().expect("it is in a folder").to_owned()
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        self.place.path()
    }

    /// Replaces a variable of every later command.
    pub(crate) fn set(&mut self, name: &'static str, value: &str) {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.to_owned()));
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
        let (program, first) = self.program.split_first().expect("a program");
        let mut command = Command::new(program);
        command.args(first).args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command.env_remove("DEVENV_STATE_DIR").env("NO_COLOR", "1");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
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

    pub(crate) fn unit(&self, name: &str) -> Value {
        let status = self.json(&["status"]);
        let units = status["units"].as_array().expect("a list").clone();
        units.into_iter().find(|unit| unit["name"] == name).unwrap_or_else(|| panic!("no unit {name} in {status}"))
    }
}

/// The output and exit code of a command; 128 stands for a signal.
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

/// The body of the answer at an address such as `http://127.0.0.1:8000`.
pub(crate) fn get(url: &str) -> String {
    let address = url.trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(address).expect("it listens");
    write!(stream, "GET / HTTP/1.0\r\nHost: {address}\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
}

/// Sends a POST request to an address such as `http://127.0.0.1:8000`. `headers` ends with a line break.
pub(crate) fn post(url: &str, headers: &str, body: &str) -> String {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = std::net::TcpStream::connect(address).expect("it listens");
    let length = body.len();
    let head = format!("POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n");
    stream.write_all(format!("{head}{headers}\r\n{body}").as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer
}
