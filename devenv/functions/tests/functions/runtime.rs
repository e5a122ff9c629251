//! A function's program: asks for events and answers them, until it is dropped like a killed process.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use devenv_supervisor::clock;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::host::{Host, eventually, folder, function};

/// What a program does with an event.
pub(crate) enum Act {
    Return(String),
    Fail(&'static str),
    /// The program ends at once.
    Die,
    /// The program does not answer.
    Hang,
}

pub(crate) struct Program {
    task: JoinHandle<()>,
    /// The events so far.
    pub(crate) seen: Arc<Mutex<Vec<Value>>>,
}

impl Drop for Program {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Program {
    pub(crate) fn start(runtime: SocketAddr, act: impl Fn(&Value) -> Act + Send + Sync + 'static) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let own = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            // Connections of a client end with it, as those of a killed program.
            let client = reqwest::Client::builder().no_proxy().build().expect("no TLS");
            let base = format!("http://{runtime}/2018-06-01/runtime");
            loop {
                let Ok(next) = client.get(format!("{base}/invocation/next")).send().await else {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                };
                let id = next.headers()["lambda-runtime-aws-request-id"].to_str().expect("ASCII").to_owned();
                let event: Value = next.json().await.expect("JSON");
                own.lock().expect("not poisoned").push(event.clone());
                let (path, body) = match act(&event) {
                    Act::Return(body) => ("response", body),
                    Act::Fail(message) => {
                        ("error", json!({ "errorType": "Test", "errorMessage": message }).to_string())
                    }
                    Act::Die => return,
                    Act::Hang => return std::future::pending().await,
                };
                let _ = client.post(format!("{base}/invocation/{id}/{path}")).body(body).send().await;
            }
        });
        Self { task, seen }
    }

    /// A program that returns what it gets.
    pub(crate) fn echo(runtime: SocketAddr) -> Self {
        Self::start(runtime, |event| Act::Return(event.to_string()))
    }

    pub(crate) fn seen(&self) -> Vec<Value> {
        self.seen.lock().expect("not poisoned").clone()
    }
}

#[tokio::test]
async fn a_program_gets_the_headers_of_lambda() {
    let (_folder, data) = folder();
    let host = Host::start(Host::settings(vec![function("api", 60, 1)], data)).await;
    let base = format!("http://{}/2018-06-01/runtime", host.runtime(0, 0));
    let client = reqwest::Client::builder().no_proxy().build().expect("no TLS");
    let asking = async {
        let next = client.get(format!("{base}/invocation/next")).send().await.expect("an event");
        let header = |name: &str| next.headers()[name].to_str().expect("ASCII").to_owned();
        let id = header("lambda-runtime-aws-request-id");
        assert_eq!(header("lambda-runtime-invoked-function-arn"), "arn:aws:lambda:eu-west-1:000000000000:function:api");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
        let deadline: u128 = header("lambda-runtime-deadline-ms").parse().expect("a number");
        assert!(deadline > now && deadline < now + 60_500, "{deadline} at {now}");
        assert!(header("lambda-runtime-trace-id").starts_with("Root=1-"));
        assert_eq!(next.text().await.expect("a body"), r#"{"a": 1}"#, "as it was sent");
        let post = async |path: &str| client.post(format!("{base}/{path}")).body("2").send().await.expect("an answer");
        assert_eq!(post("invocation/another/response").await.status(), 400);
        assert_eq!(post(&format!("invocation/{id}/response")).await.status(), 202);
        assert_eq!(post(&format!("invocation/{id}/response")).await.status(), 400, "once only");
        assert_eq!(post("elsewhere").await.status(), 404);
        let image = client.get(format!("{base}/invocation/next")).header("sec-fetch-site", "cross-site");
        assert_eq!(image.send().await.expect("an answer").status(), 403);
        let rebound = client.get(format!("{base}/invocation/next")).header("host", "evil.example:9001");
        assert_eq!(rebound.send().await.expect("an answer").status(), 403);
    };
    let (response, ()) = tokio::join!(host.invoked("api", r#"{"a": 1}"#), asking);
    assert_eq!(response, 2);
}

#[tokio::test]
async fn a_program_gets_the_context_of_its_caller_but_no_long_trace() {
    let (_folder, data) = folder();
    let host = Host::start(Host::settings(vec![function("api", 60, 1)], data)).await;
    let base = format!("http://{}/2018-06-01/runtime/invocation", host.runtime(0, 0));
    let client = reqwest::Client::builder().no_proxy().build().expect("no TLS");
    for (trace, is_passed_on) in [("Root=1-a".to_owned(), true), ("x".repeat(1025), false)] {
        let headers = [("x-amz-client-context", "e30="), ("x-amzn-trace-id", trace.as_str())];
        let asking = async {
            let next = client.get(format!("{base}/next")).send().await.expect("an event");
            let header = |name: &str| next.headers()[name].to_str().expect("ASCII").to_owned();
            assert_eq!(header("lambda-runtime-client-context"), "e30=");
            assert_eq!(header("lambda-runtime-trace-id") == trace, is_passed_on);
            let id = header("lambda-runtime-aws-request-id");
            client.post(format!("{base}/{id}/response")).body("2").send().await.expect("an answer");
        };
        let (response, ()) = tokio::join!(host.post("/2015-03-31/functions/api/invocations", &headers, "{}"), asking);
        assert_eq!(response.status(), 200);
    }
}

#[tokio::test]
async fn a_response_that_is_too_large_is_refused_and_read_to_its_end() {
    let (_folder, data) = folder();
    let host = Host::start(Host::settings(vec![function("api", 60, 1)], data)).await;
    let base = format!("http://{}/2018-06-01/runtime/invocation", host.runtime(0, 0));
    let client = reqwest::Client::builder().no_proxy().build().expect("no TLS");
    let asking = async {
        let next = client.get(format!("{base}/next")).send().await.expect("an event");
        let id = next.headers()["lambda-runtime-aws-request-id"].to_str().expect("ASCII").to_owned();
        let large = "x".repeat(40 * 1024 * 1024);
        let answer = client.post(format!("{base}/{id}/response")).body(large).send().await.expect("an answer");
        assert_eq!(answer.status(), 413);
    };
    let (failed, ()) = tokio::join!(host.post("/2015-03-31/functions/api/invocations", &[], "{}"), asking);
    assert_eq!(failed.json::<Value>().await.expect("JSON")["errorType"], "Function.ResponseSizeTooLarge");
}

#[tokio::test]
async fn a_unit_is_ready_once_it_has_asked_for_an_event() {
    let (_folder, data) = folder();
    let host = Host::start(Host::settings(vec![function("api", 60, 2)], data)).await;
    let host = &host;
    let ready = async |unit: &str| host.get(&format!("/devenv/units/{unit}")).await.status() == 200;
    assert!(!ready("api-1").await && !ready("nobody").await);
    let program = Program::echo(host.runtime(0, 0));
    eventually("the unit is ready", async || ready("api-1").await).await;
    assert!(!ready("api-2").await);
    drop(program);
    eventually("its program is gone", async || !ready("api-1").await).await;
}

#[tokio::test]
async fn a_process_is_not_ready_by_the_event_of_the_one_before_it() {
    let (_folder, data) = folder();
    let host = Host::start(Host::settings(vec![function("api", 60, 1)], data)).await;
    let host = &host;
    let ready = async |started: u64| host.ready("api-1", started).await;
    let first = clock::monotonic();
    let dying = Program::start(host.runtime(0, 0), |_| Act::Die);
    let restarted = async {
        eventually("it is busy", async || !dying.seen().is_empty()).await;
        assert!(ready(first).await, "its own event");
        let second = clock::monotonic();
        assert!(!ready(second).await, "the event of a process that has ended");
        let program = Program::echo(host.runtime(0, 0));
        eventually("the second process has asked", async || ready(second).await).await;
        program
    };
    let (lost, _program) = tokio::join!(host.post("/2015-03-31/functions/api/invocations", &[], "1"), restarted);
    assert_eq!(lost.headers()["x-amz-function-error"], "Unhandled");
}

#[tokio::test]
async fn an_error_at_the_start_is_kept_for_callers() {
    let (_folder, data) = folder();
    let host = Host::start(Host::settings(vec![function("api", 60, 1)], data)).await;
    let client = reqwest::Client::builder().no_proxy().build().expect("no TLS");
    let url = format!("http://{}/2018-06-01/runtime/init/error", host.runtime(0, 0));
    let answer = client.post(url).body(r#"{"errorType":"Config","errorMessage":"no table"}"#).send().await;
    assert_eq!(answer.expect("an answer").status(), 202);
}
