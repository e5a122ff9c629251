//! An invocation of a function and its outcome.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::body::Bytes;
use serde_json::json;
use uuid::Uuid;

/// Bytes of an event or a response: Lambda's limit, 6 MiB and a little for the envelope.
pub(crate) const PAYLOAD_LIMIT: usize = 6 * 1024 * 1024 + 100;

/// One event for a function.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    pub(crate) id: String,
    pub(crate) event: Bytes,
    pub(crate) trace: String,
    /// The caller's `X-Amz-Client-Context`, in Base64.
    pub(crate) client_context: Option<String>,
}

impl Invocation {
    pub(crate) fn new(event: Bytes) -> Self {
        Self::with_id(Uuid::new_v4().to_string(), event)
    }

    pub(crate) fn with_id(id: String, event: Bytes) -> Self {
        Self { id, event, trace: trace(), client_context: None }
    }
}

/// An X-Ray header whose trace nobody records.
fn trace() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (root, parent) = (Uuid::new_v4().simple().to_string(), Uuid::new_v4().simple().to_string());
    format!("Root=1-{seconds:08x}-{};Parent={};Sampled=0", &root[..24], &parent[..16])
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done(Bytes),
    Failed(Failure),
    /// No unit took the event in time. The function has not seen it.
    NotTaken(String),
}

/// An error of the function, as its caller gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// `errorType` and `errorMessage`, in JSON.
    pub(crate) body: Bytes,
    /// The word of the REPORT line.
    pub(crate) status: &'static str,
}

impl Failure {
    pub(crate) fn new(status: &'static str, kind: &str, message: &str) -> Self {
        let body = json!({ "errorType": kind, "errorMessage": message }).to_string();
        Self { body: body.into(), status }
    }

    /// The function reported it itself.
    pub(crate) fn reported(body: Bytes) -> Self {
        Self { body, status: "error" }
    }

    pub(crate) fn timed_out(id: &str, timeout: Duration) -> Self {
        let seconds = timeout.as_secs_f64();
        let message = format!("RequestId: {id} Error: Task timed out after {seconds:.2} seconds");
        Self::new("timeout", "Sandbox.Timedout", &message)
    }

    /// The program ended before it answered.
    pub(crate) fn ended(id: &str) -> Self {
        let message = format!("RequestId: {id} Error: Runtime exited without providing a reason");
        Self::new("error", "Runtime.ExitError", &message)
    }

    pub(crate) fn too_large(size: usize) -> Self {
        let message =
            format!("Response payload size ({size} bytes) exceeded maximum allowed payload size (6291556 bytes).");
        Self::new("error", "Function.ResponseSizeTooLarge", &message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_reads_as_in_aws() {
        let failure = Failure::timed_out("7", Duration::from_secs(3));
        let body = String::from_utf8(failure.body.to_vec()).expect("UTF-8");
        assert!(body.contains("RequestId: 7 Error: Task timed out after 3.00 seconds"), "{body}");
    }

    #[test]
    fn a_trace_has_the_form_of_x_ray() {
        let trace = trace();
        let root = trace.strip_prefix("Root=1-").and_then(|rest| rest.split(';').next()).expect("a root");
        assert_eq!(root.len(), 8 + 1 + 24, "{trace}");
    }
}
