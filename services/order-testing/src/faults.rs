use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_body_util::{Full, Limited};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// The fault of one request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The database refuses with this error code and writes nothing.
    Refuse(&'static str),
    /// The database cancels a transaction with these reasons, one per item, and writes nothing.
    Cancel(Vec<&'static str>),
    /// The database executes the request, but the answer is lost: the caller reads an internal error.
    LoseAnswer,
    /// The database executes the request, but a gateway answers in its place: 502, with the gateway's own page.
    Gateway,
    /// The database executes the request, but the connection breaks before the answer is complete.
    BreakOff,
    /// The database executes the request once the test adds a permit.
    Hold(Arc<Semaphore>),
    /// The topic gets a batch whose entry of this number, from 1 on, has an empty message, which it does not take.
    SpoilEntry(usize),
}

type Queue = Arc<Mutex<Vec<(&'static str, Fault)>>>;
type Seen = Arc<Mutex<HashMap<String, Bytes>>>;

/// Pending faults by operation (`PutItem`, ...), each used once.
#[derive(Clone)]
pub(crate) struct Faults {
    queue: Queue,
    /// The last request of each operation.
    seen: Seen,
    upstream: String,
    client: reqwest::Client,
}

impl Faults {
    pub(crate) fn before(upstream: String) -> Self {
        Self { queue: Queue::default(), seen: Seen::default(), upstream, client: reqwest::Client::new() }
    }

    pub(crate) fn add(&self, operation: &'static str, fault: Fault) {
        self.queue.lock().expect("no panic while held").push((operation, fault));
    }

    pub(crate) fn last(&self, operation: &str) -> Option<Value> {
        let seen = self.seen.lock().expect("no panic while held");
        seen.get(operation).and_then(|body| serde_json::from_slice(body).ok())
    }

    pub(crate) fn clear(&self) {
        self.queue.lock().expect("no panic while held").clear();
    }

    pub(crate) fn left(&self) -> usize {
        self.queue.lock().expect("no panic while held").len()
    }

    pub(crate) fn router(&self) -> Router {
        Router::new().fallback(front).with_state(self.clone())
    }

    fn take(&self, operation: &str) -> Option<Fault> {
        let mut queue = self.queue.lock().expect("no panic while held");
        let index = queue.iter().position(|(name, _)| *name == operation)?;
        Some(queue.remove(index).1)
    }

    async fn forward(&self, headers: &HeaderMap, body: Bytes) -> Response {
        let mut request = self.client.post(&self.upstream).body(body);
        for (name, value) in headers {
            if name != header::HOST && name != header::CONTENT_LENGTH {
                request = request.header(name, value);
            }
        }
        let answer = request.send().await.expect("the emulator answers");
        let (status, content_type) = (answer.status(), answer.headers().get(header::CONTENT_TYPE).cloned());
        let mut response = (status, Body::from(answer.bytes().await.expect("a whole answer"))).into_response();
        if let Some(content_type) = content_type {
            response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        }
        response
    }
}

async fn front(State(faults): State<Faults>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = match target {
        Some(target) => target.rsplit('.').next().unwrap_or_default().to_owned(),
        None => parameter(&body, "Action").unwrap_or_default(),
    };
    faults.seen.lock().expect("no panic while held").insert(operation.clone(), body.clone());
    match faults.take(&operation) {
        None => faults.forward(&headers, body).await,
        Some(Fault::Refuse(code)) if target.is_none() => xml_error(code),
        Some(Fault::SpoilEntry(entry)) => faults.forward(&headers, spoiled(&body, entry)).await,
        Some(Fault::Refuse(code)) => error(StatusCode::BAD_REQUEST, code, &json!({})),
        Some(Fault::Cancel(reasons)) => {
            let reasons: Vec<Value> =
                reasons.iter().map(|code| json!({ "Code": code, "Message": "injected" })).collect();
            error(StatusCode::BAD_REQUEST, "TransactionCanceledException", &json!({ "CancellationReasons": reasons }))
        }
        Some(Fault::LoseAnswer) => {
            faults.forward(&headers, body).await;
            error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", &json!({}))
        }
        Some(Fault::Gateway) => {
            faults.forward(&headers, body).await;
            (StatusCode::BAD_GATEWAY, "<html>Bad Gateway</html>").into_response()
        }
        Some(Fault::BreakOff) => {
            faults.forward(&headers, body).await;
            Body::new(Limited::new(Full::from("an answer"), 3)).into_response()
        }
        Some(Fault::Hold(gate)) => {
            gate.acquire().await.expect("no test closes it").forget();
            faults.forward(&headers, body).await
        }
    }
}

/// Returns a parameter of a request of the Query protocol.
fn parameter(body: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn spoiled(body: &[u8], entry: usize) -> Bytes {
    let message = format!("PublishBatchRequestEntries.member.{entry}.Message");
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(body) {
        let value = if name == message { "" } else { &value };
        form.append_pair(&name, value);
    }
    form.finish().into()
}

fn xml_error(code: &str) -> Response {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>injected</Message></Error></ErrorResponse>"
    );
    (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "text/xml")], body).into_response()
}

fn error(status: StatusCode, code: &str, more: &Value) -> Response {
    let mut body = json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "injected" });
    if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
        body.extend(more.clone());
    }
    (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], body.to_string()).into_response()
}
