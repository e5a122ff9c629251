//! Lambda's side of the Runtime API, for one invocation at a time.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use order_testing::{Serving, serve};
use serde_json::Value;
use tokio::sync::{Mutex, mpsc};

const ROOT: &str = "/2018-06-01/runtime";
const REQUEST: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";

pub(crate) struct RuntimeApi {
    events: mpsc::Sender<Value>,
    answers: Mutex<mpsc::Receiver<Value>>,
    serving: Serving,
}

struct Sides {
    events: Mutex<mpsc::Receiver<Value>>,
    answers: mpsc::Sender<Value>,
}

impl RuntimeApi {
    pub(crate) async fn start() -> Self {
        let (events, waiting) = mpsc::channel(1);
        let (answered, answers) = mpsc::channel(1);
        let sides = Arc::new(Sides { events: Mutex::new(waiting), answers: answered });
        let router = Router::new()
            .route(&format!("{ROOT}/invocation/next"), get(next))
            .route(&format!("{ROOT}/invocation/{{id}}/{{outcome}}"), post(ended))
            .with_state(sides);
        Self { events, answers: Mutex::new(answers), serving: serve(router).await }
    }

    /// `host:port`, as the variable has it.
    pub(crate) fn authority(&self) -> &str {
        self.serving.url.trim_start_matches("http://")
    }

    pub(crate) async fn invoke(&self, event: Value) -> Value {
        self.events.send(event).await.expect("the server runs");
        self.answers.lock().await.recv().await.expect("the server runs")
    }
}

async fn next(State(sides): State<Arc<Sides>>) -> Response {
    let Some(event) = sides.events.lock().await.recv().await else { return StatusCode::GONE.into_response() };
    let headers = [
        ("lambda-runtime-aws-request-id", REQUEST),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:000000000000:function:low-stock"),
        ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1"),
        ("content-type", "application/json"),
    ];
    (headers, event.to_string()).into_response()
}

async fn ended(
    State(sides): State<Arc<Sides>>,
    Path((id, outcome)): Path<(String, String)>,
    body: Bytes,
) -> StatusCode {
    assert_eq!(id, REQUEST);
    assert!(["response", "error"].contains(&outcome.as_str()), "{outcome}");
    let answer = serde_json::from_slice(&body).expect("JSON");
    sides.answers.send(answer).await.expect("the test waits");
    StatusCode::ACCEPTED
}
