//! The Runtime API of Lambda: four requests over plain HTTP.

use std::time::Duration;

use order_domain::Moment;
use order_service::causes::with_causes;
use reqwest::{Client, Method, Response, header::HeaderMap};
use serde::Serialize;
use serde_json::{Value, json};

/// The size limit of an event in bytes: Lambda's own is 6 MB.
const LIMIT: usize = 8 * 1024 * 1024;

/// The time limit for every request but the one that waits for an event.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Kept from the time of an invocation for its answer.
const MARGIN: Duration = Duration::from_millis(500);

pub(super) struct RuntimeApi {
    http: Client,
    base: String,
}

/// An event that waits for an answer.
pub(super) struct Invocation {
    pub(super) id: String,
    pub(super) body: Vec<u8>,
    /// The time that is left for the work.
    pub(super) time: Duration,
}

#[derive(Debug, thiserror::Error)]
#[error("{method} {url}: {cause}")]
pub(super) struct RuntimeApiError {
    method: Method,
    url: String,
    cause: String,
    /// Whether the host could not be reached at all, or not any more.
    pub(super) unreachable: bool,
}

/// The error of a function.
pub(super) struct FunctionError {
    pub(super) kind: &'static str,
    pub(super) message: String,
}

impl RuntimeApi {
    /// `address` is a host and a port.
    pub(super) fn new(address: &str) -> Result<Self, reqwest::Error> {
        Ok(Self { http: Client::builder().no_proxy().build()?, base: format!("http://{address}/2018-06-01/runtime") })
    }

    /// Waits for an event.
    pub(super) async fn next(&self) -> Result<Invocation, RuntimeApiError> {
        let (method, url) = (Method::GET, format!("{}/invocation/next", self.base));
        let failed =
            |cause: String, unreachable| RuntimeApiError { method: Method::GET, url: url.clone(), cause, unreachable };
        let answer = self.http.request(method, &url).send().await.map_err(|error| failed(with_causes(&error), true))?;
        if !answer.status().is_success() {
            return Err(failed(answer.status().to_string(), answer.status().is_server_error()));
        }
        let id = header(answer.headers(), "lambda-runtime-aws-request-id").map(str::to_owned);
        let id = id.ok_or_else(|| failed("no Lambda-Runtime-Aws-Request-Id".to_owned(), false))?;
        let time = time_left(header(answer.headers(), "lambda-runtime-deadline-ms"), Moment::now());
        let body = read(answer).await.map_err(|cause| failed(cause, true))?;
        Ok(Invocation { id, body, time })
    }

    pub(super) async fn respond(&self, id: &str, answer: &impl Serialize) -> Result<(), RuntimeApiError> {
        self.post(&format!("invocation/{id}/response"), None, &json!(answer)).await
    }

    pub(super) async fn fail(&self, id: &str, error: &FunctionError) -> Result<(), RuntimeApiError> {
        self.post(&format!("invocation/{id}/error"), Some(error.kind), &error.body()).await
    }

    pub(super) async fn fail_init(&self, error: &FunctionError) -> Result<(), RuntimeApiError> {
        self.post("init/error", Some(error.kind), &error.body()).await
    }

    async fn post(&self, path: &str, kind: Option<&'static str>, body: &Value) -> Result<(), RuntimeApiError> {
        let url = format!("{}/{path}", self.base);
        let mut request = self.http.post(&url).timeout(TIMEOUT).json(body);
        if let Some(kind) = kind {
            request = request.header("lambda-runtime-function-error-type", kind);
        }
        let failed =
            |cause, unreachable| RuntimeApiError { method: Method::POST, url: url.clone(), cause, unreachable };
        let answer = request.send().await.map_err(|error| failed(with_causes(&error), true))?;
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(failed(status.to_string(), status.is_server_error())) }
    }
}

impl FunctionError {
    fn body(&self) -> Value {
        json!({ "errorType": self.kind, "errorMessage": self.message, "stackTrace": [] })
    }
}

fn header<'answer>(headers: &'answer HeaderMap, name: &str) -> Option<&'answer str> {
    headers.get(name)?.to_str().ok()
}

/// Returns the time until shortly before a deadline, in milliseconds since the Unix epoch.
fn time_left(deadline: Option<&str>, now: Moment) -> Duration {
    // Lambda's longest time limit.
    const LONGEST: Duration = Duration::from_mins(15);
    let Some(deadline) = deadline.and_then(|text| text.parse().ok()).map(Duration::from_millis) else { return LONGEST };
    let now = Duration::from_micros(now.as_microseconds().max(0).unsigned_abs());
    deadline.saturating_sub(now).saturating_sub(MARGIN).min(LONGEST)
}

async fn read(mut answer: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| with_causes(&error))? {
        if body.len() + chunk.len() > LIMIT {
            return Err(format!("an event of more than {LIMIT} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_ends_before_the_deadline() {
        let now = Moment::from_microseconds(1_000_000_000_000).expect("in range");
        assert_eq!(time_left(Some("1000030000"), now), Duration::from_millis(29_500));
        assert_eq!(time_left(Some("1000000100"), now), Duration::ZERO);
        assert_eq!(time_left(Some("999"), now), Duration::ZERO);
        assert_eq!(time_left(Some("soon"), now), time_left(None, now));
    }
}
