//! The supervisor alone, over its socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::folder::{DEVENV, eventually, signal};

struct Supervisor {
    folder: TempDir,
    child: Child,
}

impl Supervisor {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new(DEVENV);
        command.args(["supervise", "--instance", "test", "--state-dir"]).arg(folder.path().join("state"));
        command.env("DEVENV_RUNTIME_DIR", folder.path().join("run"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.expect("the program starts");
        let mut first = [0; 6];
        child.stdout.as_mut().expect("piped").read_exact(&mut first).expect("it announces itself");
        Self { folder, child }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("it exists").join("state")
    }

    fn connect(&self) -> Connection {
        let stream = UnixStream::connect(self.state().join("control.sock")).expect("it listens");
        Connection(BufReader::new(stream))
    }

    /// The request to start a unit whose command is a shell script.
    fn unit(&self, name: &str, script: &str, probe: &Value) -> Value {
        json!({"start": {"spec": {
            "name": name, "command": ["/bin/sh", "-c", script], "directory": self.folder.path(),
            "environment": {}, "ports": {}, "probe": probe, "healthcheck": null,
            "lifetime": {"long-lived": {"restart": "always"}}, "stop_grace_period": {"secs": 5, "nanos": 0}, "artifact": "",
        }}})
    }

    /// The locks of units that any process has open.
    fn left(&self) -> Vec<PathBuf> {
        let run = self.folder.path().canonicalize().expect("it exists").join("run");
        let processes = std::fs::read_dir("/proc").expect("this test needs /proc").flatten();
        let descriptors = processes.filter_map(|process| std::fs::read_dir(process.path().join("fd")).ok());
        let links = descriptors.flatten().flatten().filter_map(|link| std::fs::read_link(link.path()).ok());
        let units = |link: &PathBuf| link.parent().is_some_and(|folder| folder.ends_with("units"));
        links.filter(|link| link.starts_with(&run) && units(link)).collect()
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            signal(u64::from(self.child.id()), "TERM");
        }
        let _ = self.child.wait();
    }
}

struct Connection(BufReader<UnixStream>);

impl Connection {
    fn send(&mut self, request: &Value) {
        writeln!(self.0.get_mut(), "{request}").expect("it reads");
    }

    /// Reads an answer. Returns `None` if the supervisor closed the connection.
    fn answer(&mut self) -> Option<Value> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).unwrap_or(0);
        (read > 0).then(|| serde_json::from_str(&line).expect("JSON"))
    }

    fn ask(&mut self, request: &Value) -> Value {
        self.send(request);
        self.answer().expect("an answer")
    }
}

/// Starts a server that answers every request with success, like a foreign program that already has the port.
fn stranger() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = BufReader::new(&stream);
            let mut line = String::new();
            while request.read_line(&mut line).is_ok_and(|read| read > "\r\n".len()) {
                line.clear();
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    url
}

#[test]
fn a_start_that_is_asked_for_while_the_supervisor_ends_leaves_no_process() {
    let mut supervisor = Supervisor::start();
    let mut connection = supervisor.connect();
    // The unit ends slowly, and makes a file when it begins to end.
    let slow = "trap 'touch ending; sleep 0.5; exit 0' TERM; touch armed; while :; do sleep 0.05; done";
    let started = json!({"kind": "started"});
    connection.ask(&supervisor.unit("slow", slow, &started));
    let is_there = |file: &str| supervisor.folder.path().join(file).exists();
    eventually("the slow unit runs", || is_there("armed"));
    let mut late = supervisor.connect();
    late.ask(&json!("hello"));
    signal(u64::from(supervisor.child.id()), "TERM");
    eventually("the end has begun", || is_there("ending"));
    late.send(&supervisor.unit("late", "sleep 60", &started));
    assert_eq!(late.answer(), None, "nothing is promised any more");
    supervisor.child.wait().expect("it ends");
    assert_eq!(supervisor.left(), Vec::<PathBuf>::new());
}

#[test]
fn another_programs_answer_does_not_make_a_unit_ready() {
    let supervisor = Supervisor::start();
    let probe = json!({"kind": "http", "url": stranger()});
    let mut connection = supervisor.connect();
    connection.ask(&supervisor.unit("dies", "sleep 0.3; echo the port is taken; exit 7", &probe));
    let unit = connection.ask(&json!({"await_ready": {"unit": "dies"}}));
    let state = &unit["unit"]["unit"]["state"];
    assert_eq!(state["error"], "ended with exit code 7 before it was ready", "{unit}");
    let log = || std::fs::read_to_string(supervisor.state().join("logs/dies.log")).expect("readable");
    assert!(log().contains("answers on port") && log().contains("the port is taken"), "{}", log());
    // The answer does not make a living unit without a port ready either.
    connection.ask(&supervisor.unit("lives", "sleep 60", &probe));
    let log = supervisor.state().join("logs/lives.log");
    eventually("the log names the foreign answer", || {
        std::fs::read_to_string(&log).is_ok_and(|log| log.contains("answers on port"))
    });
    let units = connection.ask(&json!("observe"));
    assert_eq!(units["units"]["units"][1]["state"]["state"], "starting", "{units}");
}

#[test]
fn a_server_that_a_units_own_child_runs_makes_it_ready() {
    let supervisor = Supervisor::start();
    let port = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound").port();
    let script = format!("{DEVENV} emulator --memory --listen 127.0.0.1:{port} & wait");
    let mut connection = supervisor.connect();
    let probe = json!({"kind": "http", "url": format!("http://127.0.0.1:{port}/")});
    connection.ask(&supervisor.unit("wraps", &script, &probe));
    let unit = connection.ask(&json!({"await_ready": {"unit": "wraps"}}));
    assert_eq!(unit["unit"]["unit"]["state"]["state"], "ready", "{unit}");
    connection.ask(&json!("shutdown"));
    assert_eq!(supervisor.left(), Vec::<PathBuf>::new());
}

/// Node.js and Python's subprocess start a program like this: they close inherited files, among them the unit's lock.
#[test]
fn a_server_whose_launcher_closes_what_it_inherited_makes_the_unit_ready() {
    let supervisor = Supervisor::start();
    let port = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound").port();
    let server = format!("'{DEVENV}', 'emulator', '--memory', '--listen', '127.0.0.1:{port}'");
    let script = format!("python3 -c \"import subprocess; subprocess.run([{server}])\"; true");
    let mut connection = supervisor.connect();
    let probe = json!({"kind": "http", "url": format!("http://127.0.0.1:{port}/")});
    connection.ask(&supervisor.unit("launches", &script, &probe));
    let unit = connection.ask(&json!({"await_ready": {"unit": "launches"}}));
    assert_eq!(unit["unit"]["unit"]["state"]["state"], "ready", "{unit}");
    connection.ask(&json!("shutdown"));
    eventually("the server has ended with its group", || std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_log_that_blocks_holds_up_neither_the_unit_nor_the_supervisor() {
    let supervisor = Supervisor::start();
    let pipe = supervisor.state().join("logs/talks.log");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo is there").success());
    let mut connection = supervisor.connect();
    // More than any pipe or queue holds.
    let script = "i=0; while [ $i -lt 4000 ]; do echo $i; i=$((i + 1)); done; touch done; exec sleep 60";
    connection.ask(&supervisor.unit("talks", script, &json!({"kind": "started"})));
    eventually("the unit has written it all", || supervisor.folder.path().join("done").exists());
    connection.ask(&json!("observe"));
    connection.ask(&json!("shutdown"));
    assert_eq!(supervisor.left(), Vec::<PathBuf>::new());
}
