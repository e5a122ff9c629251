//! The init of a container, as a process of this machine: it then ends its program's group in place of everything.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use camino::Utf8Path;
use devenv_resources::function_host::settings::{HostSettings, HostedFunction, RUNTIME_API, UnitRunner};
use serde_json::Value;

use crate::host::{Host, LIMIT, eventually, folder, free, function};

const INIT: &str = env!("CARGO_BIN_EXE_devenv-functions");

/// An init whose program is a shell's script.
struct Init(Child);

impl Init {
    fn start(runtime: SocketAddr, script: &str) -> Self {
        Self::run(Command::new(INIT), runtime, script)
    }

    /// As the first process of a namespace of its own, as in a container.
    fn first(runtime: SocketAddr, script: &str) -> Self {
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--mount-proc", "--kill-child", INIT]);
        Self::run(command, runtime, script)
    }

    fn run(mut command: Command, runtime: SocketAddr, script: &str) -> Self {
        command.args(["init", "--", "sh", "-c", script]).env(RUNTIME_API, runtime.to_string());
        Self(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the program is built"))
    }

    /// The next line of its output.
    fn line(&mut self) -> String {
        let mut line = String::new();
        let output = self.0.stdout.as_mut().expect("piped");
        // One byte at a time: a reader's buffer would take later lines along.
        BufReader::with_capacity(1, output).read_line(&mut line).expect("readable");
        line.trim_end().to_owned()
    }

    fn signal(&self, name: &str) {
        signal(self.0.id(), name);
    }

    fn end(mut self) -> ExitStatus {
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(status) = self.0.try_wait().expect("ours") {
                return status;
            }
            assert!(Instant::now() < end, "it has not ended");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

impl Drop for Init {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn signal(pid: u32, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().expect("kill is there");
    assert!(status.success());
}

fn runs(pid: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // A zombie has ended.
    state.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
}

fn in_containers(functions: Vec<HostedFunction>, data: &Utf8Path) -> HostSettings {
    let runner = UnitRunner::Containers;
    HostSettings { runner, ..Host::settings(functions, data.to_owned()) }
}

#[test]
fn the_programs_end_is_the_inits_and_a_function_never_ends_well() {
    for (script, code) in [("exit 7", 7), ("exit 0", 1), ("kill -9 $$", 137)] {
        assert_eq!(Init::start(free(), script).end().code(), Some(code), "{script}");
    }
    let absent = Command::new(INIT)
        .args(["init", "--", "/nonexistent/program"])
        .env(RUNTIME_API, "127.0.0.1:9")
        .output()
        .expect("the program is built");
    let told = String::from_utf8_lossy(&absent.stderr).into_owned();
    assert!(absent.status.code() == Some(1) && told.contains("cannot start /nonexistent/program"), "{told}");
}

#[test]
fn signals_reach_the_program_which_may_end_well_or_go_on() {
    for (trap, code) in [("trap 'exit 0' TERM", 0), ("trap 'exit 5' TERM", 5), ("true", 143)] {
        let mut init = Init::start(free(), &format!("{trap}; echo up; while true; do sleep 0.05; done"));
        assert_eq!(init.line(), "up");
        init.signal("TERM");
        assert_eq!(init.end().code(), Some(code), "{trap}");
    }
    let mut init =
        Init::start(free(), "trap 'echo ignored' TERM; trap 'exit 6' USR1; echo up; while true; do sleep 0.05; done");
    assert_eq!(init.line(), "up");
    init.signal("TERM");
    assert_eq!(init.line(), "ignored");
    init.signal("USR1");
    assert_eq!(init.end().code(), Some(6));
}

/// Prints the number of processes; within `$(...)` one more, which counts.
const COUNT: &str = "count() { set -- /proc/[0-9]*; echo $#; }; count";

#[test]
#[ignore = "needs root"]
fn as_the_first_process_it_collects_orphans() {
    // A zombie would keep its place for ever.
    let wait = "for round in $(seq 500); do [ \"$(count)\" -eq 3 ] && break; sleep 0.01; done; count";
    let mut init = Init::first(free(), &format!("{COUNT}; (sleep 0.05 &); {wait}; sleep 600"));
    assert_eq!([init.line(), init.line()], ["2", "2"]);
}

#[tokio::test]
#[ignore = "needs root"]
async fn as_the_first_process_it_ends_what_left_the_programs_group() {
    let (_folder, data) = folder();
    let host = Host::start(in_containers(vec![function("api", 1, 1)], &data)).await;
    let script = format!("{COUNT}; setsid sleep 600 & while [ \"$(count)\" -lt 4 ]; do :; done; echo more; sleep 600");
    let mut init = Init::first(host.runtime(0, 0), &script);
    assert_eq!((init.line().as_str(), init.line().as_str()), ("2", "more"));
    let client = reqwest::Client::builder().no_proxy().build().expect("no TLS");
    let next = format!("http://{}/2018-06-01/runtime/invocation/next", host.runtime(0, 0));
    let asked = tokio::spawn(client.get(&next).send());
    host.post("/2015-03-31/functions/api/invocations", &[], "{}").await;
    asked.await.expect("no panic").expect("it got the event");
    assert_eq!(init.line(), "2", "the init and a new program");
}

#[tokio::test]
async fn a_program_past_its_deadline_is_replaced_although_it_ignores_sigterm() {
    let (_folder, data) = folder();
    let host = Host::start(in_containers(vec![function("api", 1, 1)], &data)).await;
    let mut init = Init::start(host.runtime(0, 0), "trap '' TERM; echo $$; while true; do sleep 600; done");
    let first: u32 = init.line().parse().expect("a number");
    let client = reqwest::Client::builder().no_proxy().build().expect("no TLS");
    let next = format!("http://{}/2018-06-01/runtime/invocation/next", host.runtime(0, 0));
    // This test asks in the program's place, and never answers.
    let asked = tokio::spawn(client.get(&next).send());
    let late = host.post("/2015-03-31/functions/api/invocations", &[], "{}").await;
    assert_eq!(late.headers()["x-amz-function-error"], "Unhandled");
    assert!(late.text().await.expect("a body").contains("Task timed out after 1.00 seconds"));
    asked.await.expect("no panic").expect("it got the event");
    assert!(!runs(first), "the caller is answered when the program is gone");
    let second: u32 = init.line().parse().expect("a number");
    assert!(second != first && runs(second), "in the same container");
}

#[tokio::test]
async fn a_host_that_starts_later_is_found() {
    let (_folder, data) = folder();
    let settings = in_containers(vec![function("api", 1, 1)], &data);
    let mut init = Init::start(settings.functions[0].units[0].runtime, "echo $$; sleep 600");
    let first = init.line();
    let host = Host::start(settings).await;
    let client = reqwest::Client::builder().no_proxy().build().expect("no TLS");
    let next = format!("http://{}/2018-06-01/runtime/invocation/next", host.runtime(0, 0));
    let asked = tokio::spawn(client.get(&next).send());
    host.post("/2015-03-31/functions/api/invocations", &[], "{}").await;
    asked.await.expect("no panic").expect("it got the event");
    assert_ne!(init.line(), first, "another program");
}

#[tokio::test]
async fn what_the_program_writes_is_in_the_log_of_its_invocation() {
    let (_folder, data) = folder();
    let host = Host::start(in_containers(vec![function("api", 30, 1)], &data)).await;
    let _init = Init::start(host.runtime(0, 0), "while true; do echo tick; echo tock >&2; sleep 0.01; done");
    let client = reqwest::Client::builder().no_proxy().build().expect("no TLS");
    let base = format!("http://{}/2018-06-01/runtime/invocation", host.runtime(0, 0));
    let answering = tokio::spawn(async move {
        loop {
            let Ok(next) = client.get(format!("{base}/next")).send().await else { return };
            let id = next.headers()["lambda-runtime-aws-request-id"].to_str().expect("ASCII").to_owned();
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            let _ = client.post(format!("{base}/{id}/response")).body("1").send().await;
        }
    });
    eventually("both streams are there", async || {
        let answer = host.post("/2015-03-31/functions/api/invocations", &[("x-amz-log-type", "Tail")], "{}").await;
        let log = STANDARD.decode(&answer.headers()["x-amz-log-result"]).expect("Base64");
        let log = String::from_utf8(log).expect("UTF-8");
        let lines: Vec<&str> = log.lines().collect();
        lines[0].starts_with("START") && lines.contains(&"tick") && lines.contains(&"tock")
    })
    .await;
    eventually("its memory is reported", async || {
        let answer = host.post("/2015-03-31/functions/api/invocations", &[("x-amz-log-type", "Tail")], "{}").await;
        let log = STANDARD.decode(&answer.headers()["x-amz-log-result"]).expect("Base64");
        String::from_utf8_lossy(&log).contains("Max Memory Used: ")
    })
    .await;
    answering.abort();
}

#[tokio::test]
async fn the_host_listens_beyond_loopback_in_a_container_only() {
    let (_folder, data) = folder();
    let everywhere = SocketAddr::from(([0, 0, 0, 0], free().port()));
    let host =
        Host::start(HostSettings { invoke: everywhere, ..in_containers(vec![function("api", 1, 1)], &data) }).await;
    let listed = |name: &'static str| {
        let client = reqwest::Client::builder().no_proxy().build().expect("no TLS");
        let url = format!("http://127.0.0.1:{}/2015-03-31/functions", everywhere.port());
        async move { client.get(url).header("host", name).send().await.expect("it answers") }
    };
    let answer: Value = listed("functions:9001").await.json().await.expect("JSON");
    assert_eq!(answer["Functions"][0]["FunctionName"], "api");
    assert_eq!(listed("evil.example").await.status(), 403);
    drop(host);
    let outside = HostSettings { invoke: everywhere, ..Host::settings(vec![function("api", 1, 1)], data) };
    let refused = devenv_functions::run(&outside, |_| (), std::future::pending()).await;
    assert!(refused.expect_err("other machines could call it").to_string().contains("is not a loopback address"));
}
