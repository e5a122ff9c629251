//! The Invoke API, as the AWS CLI and the SDKs call it, and the lists of functions and mappings.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use devenv_http_server::body::{self, Unread};
use devenv_http_server::callers::Reach;
use devenv_model::unit::PROCESS_STARTED;
use devenv_resources::function_host::settings::READY_PATH;
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::address::{LATEST, function, is_latest};
use crate::events::{Events, Refused};
use crate::function::{Completed, Function};
use crate::http::{self, Answer, Handler, bytes, empty, with};
use crate::invocation::{Invocation, Outcome, PAYLOAD_LIMIT};
use crate::log_tail::tail;
use crate::mapping::state::MappingState;

const FUNCTIONS: &str = "/2015-03-31/functions";
const MAPPINGS: &str = "/2015-03-31/event-source-mappings";
/// Bytes of an event that nobody waits for: Lambda's limit.
const EVENT_LIMIT: usize = 1024 * 1024;
/// Bytes of a client context in Base64: Lambda's limit.
const CONTEXT_LIMIT: usize = 3583;
/// Bytes of a caller's trace header; a longer one is left out.
const TRACE_LIMIT: usize = 1024;

pub(crate) struct InvokeApi {
    pub(crate) functions: BTreeMap<String, Arc<Function>>,
    pub(crate) events: Arc<Events>,
    pub(crate) mappings: Vec<Arc<MappingState>>,
    pub(crate) reach: Reach,
}

/// How a caller wants a function to run.
enum Kind {
    /// The caller waits for the response.
    RequestResponse,
    /// Nobody waits.
    Event,
    DryRun,
}

impl Handler for InvokeApi {
    const HEAD_WITHIN: Duration = Duration::from_secs(30);

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        if let Some(why) = http::refusal(self.reach, &request) {
            return error(StatusCode::FORBIDDEN, "AccessDeniedException", why);
        }
        let path = request.uri().path().trim_end_matches('/').to_owned();
        if let Some(unit) = path.strip_prefix(READY_PATH) {
            let started = http::header(&request, PROCESS_STARTED).and_then(|time| time.parse().ok());
            return empty(if self.is_ready(unit, started) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE });
        }
        if path == MAPPINGS && request.method() == Method::GET {
            let all: Vec<Value> = self.mappings.iter().map(|mapping| mapping.described()).collect();
            return http::json(StatusCode::OK, &json!({ "EventSourceMappings": all }));
        }
        let Some(path) = path.strip_prefix(FUNCTIONS) else {
            // The host's own probe asks for the root.
            return if path.is_empty() { empty(StatusCode::OK) } else { unknown_path() };
        };
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match (request.method().clone(), &parts[..]) {
            (Method::GET, []) => {
                let all: Vec<Value> = self.functions.values().map(|function| configuration(function)).collect();
                http::json(StatusCode::OK, &json!({ "Functions": all }))
            }
            (Method::GET, [name] | [name, "configuration"]) => {
                self.described(name, request.uri().query(), parts.len() == 1)
            }
            (Method::POST, [name, "invocations"]) => self.invoke(name, request).await,
            _ => unknown_path(),
        }
    }
}

impl InvokeApi {
    fn is_ready(&self, unit: &str, started: Option<u64>) -> bool {
        self.functions.values().any(|function| {
            let number = function.settings.units.iter().position(|name| name == unit);
            number.is_some_and(|number| function.is_ready(number, started))
        })
    }

    fn function(&self, named: &str, query: Option<&str>) -> Result<&Arc<Function>, Box<Answer>> {
        let name = function(named).filter(|_| is_latest(query));
        let found = name.as_ref().and_then(|name| self.functions.get(name));
        found.ok_or_else(|| {
            let message = format!("Function not found: {}", name.unwrap_or_else(|| named.to_owned()));
            Box::new(error(StatusCode::NOT_FOUND, "ResourceNotFoundException", &message))
        })
    }

    fn described(&self, name: &str, query: Option<&str>, is_whole: bool) -> Answer {
        match self.function(name, query) {
            Ok(function) if is_whole => {
                let code = json!({ "RepositoryType": "ECR" });
                http::json(StatusCode::OK, &json!({ "Configuration": configuration(function), "Code": code }))
            }
            Ok(function) => http::json(StatusCode::OK, &configuration(function)),
            Err(answer) => *answer,
        }
    }

    async fn invoke(&self, name: &str, request: Request<Incoming>) -> Answer {
        let function = match self.function(name, request.uri().query()) {
            Ok(function) => Arc::clone(function),
            Err(answer) => return *answer,
        };
        let kind = match http::header(&request, "x-amz-invocation-type") {
            None | Some("RequestResponse") => Kind::RequestResponse,
            Some("Event") => Kind::Event,
            Some("DryRun") => Kind::DryRun,
            Some(other) => return invalid(&format!("{other} is not an invocation type")),
        };
        let wants_log = http::header(&request, "x-amz-log-type") == Some("Tail");
        let Ok(client_context) = client_context(&request) else {
            return invalid(&format!("the client context must be Base64 of at most {CONTEXT_LIMIT} bytes"));
        };
        let trace = http::header(&request, "x-amzn-trace-id").filter(|trace| trace.len() <= TRACE_LIMIT);
        let trace = trace.map(str::to_owned);
        let limit = if matches!(kind, Kind::Event) { EVENT_LIMIT } else { PAYLOAD_LIMIT };
        let event = match body::read(request.into_body(), limit).await {
            Ok(body) if body.is_empty() => "{}".into(),
            Ok(body) => body,
            Err(unread) => return not_read(unread, limit),
        };
        if let Err(problem) = json_text(&event) {
            let message = format!("Could not parse request body into json: {problem}");
            return error(StatusCode::BAD_REQUEST, "InvalidRequestContentException", &message);
        }
        let mut invocation = Invocation { client_context, ..Invocation::new(event) };
        invocation.trace = trace.unwrap_or(invocation.trace);
        let id = invocation.id.clone();
        let answer = match kind {
            Kind::DryRun => empty(StatusCode::NO_CONTENT),
            Kind::Event => match self.events.take(&function, invocation) {
                Ok(()) => empty(StatusCode::ACCEPTED),
                Err(Refused::Full) => throttled("too many events wait for this function"),
                Err(Refused::Unwritten(cause)) => error(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "ServiceException",
                    &format!("cannot keep the event: {cause}"),
                ),
            },
            Kind::RequestResponse => responded(function.invoke(invocation).await, wants_log),
        };
        with(answer, "x-amzn-requestid", &id)
    }
}

/// The caller's context; an error if it is not Base64, or longer than Lambda takes.
fn client_context(request: &Request<Incoming>) -> Result<Option<String>, ()> {
    let Some(value) = request.headers().get("x-amz-client-context") else { return Ok(None) };
    let is_taken = value.len() <= CONTEXT_LIMIT && STANDARD.decode(value.as_bytes()).is_ok();
    let text = value.to_str().ok().filter(|_| is_taken);
    text.map(|text| Some(text.to_owned())).ok_or(())
}

/// A reader of JSON that keeps nothing does not look at the bytes within strings.
fn json_text(event: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(event).map_err(|problem| problem.to_string())?;
    serde_json::from_str::<serde::de::IgnoredAny>(text).map(drop).map_err(|problem| problem.to_string())
}

fn responded(completed: Completed, wants_log: bool) -> Answer {
    let answer = match completed.outcome {
        Outcome::Done(body) => bytes(StatusCode::OK, body),
        Outcome::Failed(failure) => with(bytes(StatusCode::OK, failure.body), "x-amz-function-error", "Unhandled"),
        Outcome::NotTaken(why) => return throttled(&why),
    };
    let answer = with(answer, "x-amz-executed-version", LATEST);
    if wants_log { with(answer, "x-amz-log-result", &STANDARD.encode(tail(&completed.log))) } else { answer }
}

/// A function as `GetFunctionConfiguration` shows it, with what this host knows of it.
fn configuration(function: &Function) -> Value {
    let settings = &function.settings;
    let state = if function.has_ready_unit() { "Active" } else { "Pending" };
    json!({
        "FunctionName": settings.name, "FunctionArn": settings.arn, "PackageType": "Image", "Version": LATEST,
        "Timeout": settings.timeout.as_secs(), "MemorySize": settings.memory_megabytes, "State": state,
        "LastUpdateStatus": "Successful",
    })
}

fn error(status: StatusCode, kind: &'static str, message: &str) -> Answer {
    let whose = if status.is_server_error() { "Service" } else { "User" };
    with(
        http::json(status, &json!({ "Type": whose, "Message": message, "message": message })),
        "x-amzn-errortype",
        kind,
    )
}

fn throttled(message: &str) -> Answer {
    let reason = json!({
        "Type": "User", "message": message, "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded",
    });
    with(http::json(StatusCode::TOO_MANY_REQUESTS, &reason), "x-amzn-errortype", "TooManyRequestsException")
}

fn invalid(message: &str) -> Answer {
    error(StatusCode::BAD_REQUEST, "InvalidParameterValueException", message)
}

fn not_read(unread: Unread, limit: usize) -> Answer {
    match unread {
        Unread::TooLarge => {
            let message = format!("the request must be smaller than {limit} bytes for this invocation type");
            error(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", &message)
        }
        Unread::TooSlow => {
            error(StatusCode::REQUEST_TIMEOUT, "RequestTimeoutException", "the payload did not arrive in time")
        }
        Unread::BrokenOff => invalid("the payload broke off"),
    }
}

fn unknown_path() -> Answer {
    let message = "the function host has Invoke, GetFunction, GetFunctionConfiguration, ListFunctions and ListEventSourceMappings";
    error(StatusCode::NOT_FOUND, "UnknownOperationException", message)
}
