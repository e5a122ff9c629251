//! The consumer as a function, before a small host that speaks Lambda's Runtime API.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use order_reporting::{
    ConsumerMetrics, Settlement,
    consume::ReadModel,
    database::{Applied, StoreError},
    lambda::run_function,
};
use order_service::{Lifecycle, Metrics};
use order_testing::{Serving, serve};
use serde_json::{Value, json};
use tokio::sync::{Mutex as Turn, mpsc};

use crate::orders::{messages, order};

type Answers = mpsc::UnboundedReceiver<(String, Value)>;

/// A host of one function.
#[derive(Clone)]
struct Host {
    events: Arc<Turn<mpsc::UnboundedReceiver<String>>>,
    answers: mpsc::UnboundedSender<(String, Value)>,
    time: Duration,
}

/// The test's side of a host.
pub(crate) struct Hosting {
    serving: Serving,
    events: mpsc::UnboundedSender<String>,
    answers: Answers,
}

impl Hosting {
    /// Starts a host whose function has `time` for each event.
    pub(crate) async fn start(time: Duration) -> Self {
        let (events, next) = mpsc::unbounded_channel();
        let (answered, answers) = mpsc::unbounded_channel();
        let host = Host { events: Arc::new(Turn::new(next)), answers: answered, time };
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next_event))
            .route("/2018-06-01/runtime/invocation/{id}/{kind}", post(answer))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .with_state(host);
        Self { serving: serve(routes).await, events, answers }
    }

    pub(crate) fn address(&self) -> &str {
        self.serving.url.trim_start_matches("http://")
    }

    /// Invokes the function, and returns the kind of its answer with the body.
    async fn invoke(&mut self, event: String) -> (String, Value) {
        self.events.send(event).expect("a host that runs");
        self.answer().await
    }

    pub(crate) async fn answer(&mut self) -> (String, Value) {
        tokio::time::timeout(Duration::from_secs(30), self.answers.recv()).await.expect("an answer").expect("a host")
    }

    /// Invokes the function with messages, and returns the places of those that failed.
    pub(crate) async fn batch(&mut self, bodies: &[String]) -> Vec<usize> {
        let record = |(index, body): (usize, &String)| {
            json!({
                "messageId": format!("m-{index}"),
                "receiptHandle": "h",
                "body": body,
                "attributes": { "ApproximateReceiveCount": "1" },
                "messageAttributes": { "traceparent": { "stringValue": "00-0-0-00", "dataType": "String" } },
                "eventSource": "aws:sqs",
            })
        };
        let records: Vec<Value> = bodies.iter().enumerate().map(record).collect();
        let (kind, answer) = self.invoke(json!({ "Records": records }).to_string()).await;
        assert_eq!(kind, "response", "{answer}");
        let failures = answer["batchItemFailures"].as_array().expect("a list");
        let place = |failure: &Value| failure["itemIdentifier"].as_str()?.strip_prefix("m-")?.parse().ok();
        failures.iter().map(|failure| place(failure).expect("the id of a message")).collect()
    }
}

async fn next_event(State(host): State<Host>) -> Response {
    let Some(event) = host.events.lock().await.recv().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let headers = [
        ("lambda-runtime-aws-request-id", "r-1".to_owned()),
        ("lambda-runtime-deadline-ms", (now + host.time).as_millis().to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:000000000000:function:f".to_owned()),
    ];
    (headers, event).into_response()
}

async fn answer(
    State(host): State<Host>,
    Path((id, kind)): Path<(String, String)>,
    Json(body): Json<Value>,
) -> StatusCode {
    assert_eq!(id, "r-1");
    host.answers.send((kind, body)).expect("the test waits");
    StatusCode::ACCEPTED
}

async fn init_error(State(host): State<Host>, headers: HeaderMap, Json(body): Json<Value>) -> StatusCode {
    assert_eq!(headers["lambda-runtime-function-error-type"], "Function.Configuration");
    host.answers.send(("init".to_owned(), body)).expect("the test waits");
    StatusCode::ACCEPTED
}

/// Figures that only know which events they have.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<SeenState>>);

#[derive(Default)]
struct SeenState {
    ids: BTreeSet<uuid::Uuid>,
    outage: usize,
    slow: Duration,
}

impl ReadModel for Seen {
    async fn apply(&self, batch: &[Settlement]) -> Result<Applied, StoreError> {
        let slow = self.0.lock().expect("no panic").slow;
        tokio::time::sleep(slow).await;
        let mut state = self.0.lock().expect("no panic");
        if state.outage > 0 {
            state.outage -= 1;
            return Err(StoreError::Unavailable("injected".into()));
        }
        if batch.iter().any(|event| event.customer_id == "refused") {
            return Err(StoreError::Refused("injected".into()));
        }
        state.ids.extend(batch.iter().map(|event| event.event_id));
        Ok(Applied { counted: batch.len(), duplicates: 0 })
    }

    async fn ready(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

struct Function {
    hosting: Hosting,
    seen: Seen,
    lifecycle: Lifecycle,
    task: tokio::task::JoinHandle<Result<(), String>>,
}

impl Function {
    async fn start(time: Duration) -> Self {
        let (hosting, seen, lifecycle) = (Hosting::start(time).await, Seen::default(), Lifecycle::default());
        let address = hosting.address().to_owned();
        let (model, drained) = (seen.clone(), lifecycle.clone());
        let task = tokio::spawn(async move {
            let metrics = ConsumerMetrics::register(&Metrics::new());
            let done = run_function(&address, || Ok(model), metrics, drained).await;
            done.map_err(|error| error.to_string())
        });
        Self { hosting, seen, lifecycle, task }
    }

    fn events(&self) -> usize {
        self.seen.0.lock().expect("no panic").ids.len()
    }
}

fn batch(customers: &[&str]) -> Vec<String> {
    let orders: Vec<_> = customers.iter().map(|customer| order("P1", customer, 1, Some(29))).collect();
    messages(&orders)
}

const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn only_what_failed_is_in_the_answer() {
    let mut function = Function::start(LONG).await;
    assert_eq!(function.hosting.batch(&batch(&["C1", "C2"])).await, Vec::<usize>::new());
    assert_eq!(function.hosting.batch(&[]).await, Vec::<usize>::new());
    let mut mixed = batch(&["C1", "refused", "C2"]);
    mixed.insert(0, "no event".into());
    assert_eq!(function.hosting.batch(&mixed).await, [0, 2]);
    assert_eq!(function.events(), 4);
    function.lifecycle.drain();
    assert_eq!(function.task.await.expect("no panic"), Ok(()));
}

#[tokio::test]
async fn an_outage_returns_the_batch_after_a_few_attempts() {
    let mut function = Function::start(LONG).await;
    function.seen.0.lock().expect("no panic").outage = 2;
    assert_eq!(function.hosting.batch(&batch(&["C1"])).await, Vec::<usize>::new());
    function.seen.0.lock().expect("no panic").outage = 3;
    assert_eq!(function.hosting.batch(&batch(&["C1", "C2"])).await, [0, 1]);
    assert_eq!(function.hosting.batch(&batch(&["C1", "C2"])).await, Vec::<usize>::new());
}

#[tokio::test]
async fn the_answer_comes_before_the_deadline() {
    let mut function = Function::start(Duration::from_millis(700)).await;
    function.seen.0.lock().expect("no panic").slow = LONG;
    let start = std::time::Instant::now();
    assert_eq!(function.hosting.batch(&batch(&["C1", "C2"])).await, [0, 1]);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[tokio::test]
async fn an_event_of_another_kind_is_an_error() {
    let mut function = Function::start(LONG).await;
    let (kind, body) = function.hosting.invoke(r#"{"detail-type": "Scheduled Event"}"#.into()).await;
    assert_eq!((kind.as_str(), &body["errorType"]), ("error", &json!("Function.Event")));
    assert!(body["errorMessage"].as_str().expect("text").contains("Records"), "{body}");
    assert_eq!(function.hosting.batch(&batch(&["C1"])).await, Vec::<usize>::new(), "the function goes on");
}

#[tokio::test]
async fn a_function_that_cannot_start_reports_it() {
    let mut hosting = Hosting::start(LONG).await;
    let metrics = ConsumerMetrics::register(&Metrics::new());
    let start = || Err::<Seen, _>("DATABASE_URL is not set".to_owned());
    let failed = run_function(hosting.address(), start, metrics, Lifecycle::default()).await;
    assert_eq!(failed.expect_err("no settings").to_string(), "DATABASE_URL is not set");
    let (kind, body) = hosting.answer().await;
    assert_eq!((kind.as_str(), &body["errorMessage"]), ("init", &json!("DATABASE_URL is not set")));
}

#[tokio::test]
async fn a_host_that_starts_later_is_awaited() {
    let lifecycle = Lifecycle::default();
    let drained = lifecycle.clone();
    let task = tokio::spawn(async move {
        let metrics = ConsumerMetrics::register(&Metrics::new());
        run_function("127.0.0.1:9", || Ok(Seen::default()), metrics, drained).await.is_ok()
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!task.is_finished());
    lifecycle.drain();
    assert!(task.await.expect("no panic"));
}
