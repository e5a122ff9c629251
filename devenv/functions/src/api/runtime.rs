//! The Runtime API of one unit: a function's program asks here for events, and answers them.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use devenv_http_server::body::{self, Unread};
use devenv_http_server::callers::Reach;
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::init::{self, INIT_PATH};
use crate::function::Function;
use crate::http::{self, Answer, Handler, bytes, with};
use crate::invocation::{Failure, Invocation, Outcome, PAYLOAD_LIMIT};
use crate::pool::NotItsInvocation;
use crate::seat::Seat;

const VERSION: &str = "/2018-06-01/runtime/";
/// Bytes of an error that a function reports, whose stack trace may be long.
const ERROR_LIMIT: usize = 256 * 1024;

pub(crate) struct RuntimeApi {
    pub(crate) function: Arc<Function>,
    /// The unit's number among those of the function.
    pub(crate) unit: usize,
    pub(crate) reach: Reach,
    /// Where the init of the unit's container calls; `None` without containers.
    pub(crate) seat: Option<Arc<Seat>>,
}

impl Handler for RuntimeApi {
    // A program answers on the connection on which it asked, after up to 15 minutes without a request.
    const HEAD_WITHIN: Duration = Duration::from_mins(20);

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        // An image on a page would otherwise take an event.
        if let Some(why) = http::refusal(self.reach, &request) {
            return error(StatusCode::FORBIDDEN, "Forbidden", why);
        }
        let path = request.uri().path().to_owned();
        if let (Some(seat), Some(path)) = (&self.seat, path.strip_prefix(INIT_PATH)) {
            return init::answer(seat, path, request).await;
        }
        let Some(path) = path.strip_prefix(VERSION) else { return unknown() };
        let parts: Vec<&str> = path.split('/').collect();
        match (request.method(), &parts[..]) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => self.response(id, request).await,
            (&Method::POST, ["invocation", id, "error"]) => self.error(id, request).await,
            (&Method::POST, ["init", "error"]) => self.init_error(request).await,
            _ => unknown(),
        }
    }
}

impl RuntimeApi {
    async fn next(&self) -> Answer {
        let event = self.function.ask(self.unit).await;
        match event.await {
            Ok(invocation) => self.event(invocation),
            // The unit has asked again, on another connection.
            Err(_) => error(StatusCode::CONFLICT, "Superseded", "the unit has asked for an event again"),
        }
    }

    fn event(&self, invocation: Invocation) -> Answer {
        let settings = &self.function.settings;
        let deadline = SystemTime::now() + settings.timeout;
        let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let answer = bytes(StatusCode::OK, invocation.event);
        let answer = with(answer, "lambda-runtime-aws-request-id", &invocation.id);
        let answer = with(answer, "lambda-runtime-deadline-ms", &deadline.to_string());
        let answer = with(answer, "lambda-runtime-invoked-function-arn", &settings.arn);
        let answer = with(answer, "lambda-runtime-trace-id", &invocation.trace);
        match &invocation.client_context {
            Some(context) => with(answer, "lambda-runtime-client-context", context),
            None => answer,
        }
    }

    async fn response(&self, id: &str, request: Request<Incoming>) -> Answer {
        match body::read(request.into_body(), PAYLOAD_LIMIT).await {
            Ok(body) => self.finish(id, Outcome::Done(body)),
            Err(Unread::TooLarge) => {
                let failed = Outcome::Failed(Failure::too_large(PAYLOAD_LIMIT + 1));
                let _ = self.function.finish(self.unit, id, failed);
                let message = "Exceeded maximum allowed payload size (6291556 bytes).";
                error(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message)
            }
            // The program may send it again until the function's timeout.
            Err(Unread::TooSlow) => {
                error(StatusCode::REQUEST_TIMEOUT, "RequestTimeout", "the response did not arrive in time")
            }
            Err(Unread::BrokenOff) => error(StatusCode::BAD_REQUEST, "BrokenOff", "the response broke off"),
        }
    }

    async fn error(&self, id: &str, request: Request<Incoming>) -> Answer {
        let kind = http::header(&request, "lambda-runtime-function-error-type").map(str::to_owned);
        let failure = reported(kind.as_deref(), body::read(request.into_body(), ERROR_LIMIT).await);
        self.finish(id, Outcome::Failed(failure))
    }

    async fn init_error(&self, request: Request<Incoming>) -> Answer {
        let kind = http::header(&request, "lambda-runtime-function-error-type").map(str::to_owned);
        let failure = reported(kind.as_deref(), body::read(request.into_body(), ERROR_LIMIT).await);
        self.function.failed_to_start(self.unit, failure.body);
        accepted()
    }

    fn finish(&self, id: &str, outcome: Outcome) -> Answer {
        match self.function.finish(self.unit, id, outcome) {
            Ok(()) => accepted(),
            Err(NotItsInvocation) => error(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"),
        }
    }
}

/// The error as the function's caller gets it: the function's own JSON, or one made of what it sent.
fn reported(kind: Option<&str>, body: Result<Bytes, Unread>) -> Failure {
    let kind = kind.unwrap_or("Unhandled");
    match body {
        Ok(body) if serde_json::from_slice::<Value>(&body).is_ok_and(|value| value.is_object()) => {
            Failure::reported(body)
        }
        Ok(body) => Failure::new("error", kind, &String::from_utf8_lossy(&body)),
        Err(Unread::TooLarge) => Failure::new("error", kind, "the error was too long to be read"),
        Err(Unread::TooSlow) => Failure::new("error", kind, "the error did not arrive in time"),
        Err(Unread::BrokenOff) => Failure::new("error", kind, "the error broke off"),
    }
}

fn accepted() -> Answer {
    http::json(StatusCode::ACCEPTED, &json!({ "status": "OK" }))
}

fn error(status: StatusCode, kind: &str, message: &str) -> Answer {
    http::json(status, &json!({ "errorType": kind, "errorMessage": message }))
}

fn unknown() -> Answer {
    error(
        StatusCode::NOT_FOUND,
        "NotFound",
        "the Runtime API has next, response, error and init/error, below /2018-06-01/runtime/",
    )
}
