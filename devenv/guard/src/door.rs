//! The door to the emulator: forwards admitted requests.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body as HttpBody, Bytes, Incoming};
use hyper::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Method, Request, Response, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::door_policy::{Admitted, Caller, Closed, Passage, Side, decide};
use crate::forward::{Body, send, strip, strip_length};
use crate::log::tell;
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::task_policy::{FormService, decide_form};

/// The limit of a request's body in bytes, image layers excepted: the emulator keeps it in memory.
const LONGEST_BODY: usize = 64 * 1024 * 1024;
/// Longer than any message in a form, in bytes: a megabyte, each byte written with three.
const LONGEST_FORM: usize = 4 * 1024 * 1024;
/// Longer than the emulator's answer to a login, in bytes.
const LONGEST_LOGIN: usize = 64 * 1024;

pub(crate) struct Door {
    settings: Arc<Settings>,
    admitted: Mutex<Admitted>,
}

impl Door {
    pub(crate) fn new(settings: Arc<Settings>) -> Self {
        Self { settings, admitted: Mutex::default() }
    }

    pub(crate) async fn answer(&self, side: Side, request: Request<Incoming>) -> Response<Body> {
        let passage = {
            let caller = Caller { side, method: request.method(), uri: request.uri(), headers: request.headers() };
            decide(&self.settings, &self.admitted.lock().unwrap_or_else(PoisonError::into_inner), &caller)
        };
        match passage {
            Ok(Passage::Emulator) => self.pass(request).await,
            Ok(Passage::Form(service)) => self.pass_form(service, request).await,
            Ok(Passage::Registry) => self.pass(without_password(request)).await,
            Ok(Passage::Password) => with_password(&self.settings.key, self.pass(plain(request)).await).await,
            Ok(Passage::AdmitKey(key)) => self.admit(|admitted| admitted.keys.insert(key)),
            Ok(Passage::AdmitBalancer(name)) => self.admit(|admitted| admitted.balancers.insert(name)),
            Err(Closed::AskPassword) => ask_password(),
            Err(Closed::Refused(why)) => refuse(request.method(), request.uri(), &why),
        }
    }

    fn admit(&self, what: impl FnOnce(&mut Admitted) -> bool) -> Response<Body> {
        what(&mut self.admitted.lock().unwrap_or_else(PoisonError::into_inner));
        crate::forward::json(StatusCode::OK, &json!({}))
    }

    /// Reads a form whole: its body names its operation.
    async fn pass_form(&self, service: FormService, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let decided = match Limited::new(body, LONGEST_FORM).collect().await {
            Ok(body) => {
                let body = body.to_bytes();
                decide_form(service, &body).map(|()| body)
            }
            Err(_) => Err(Refusal::new("the form broke off, or is longer than any message")),
        };
        match decided {
            Ok(body) => self.pass(Request::from_parts(head, Full::from(body))).await,
            Err(why) => refuse(&head.method, &head.uri, &why),
        }
    }

    async fn pass<B>(&self, mut request: Request<B>) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        strip(request.headers_mut());
        strip_length(request.headers_mut());
        let longest = if request.uri().path().starts_with("/v2/") { usize::MAX } else { LONGEST_BODY };
        let request = request.map(|body| Limited::new(body, longest));
        let silent = |error: String| {
            let message = format!("the emulated AWS does not answer: {error}");
            crate::forward::json(StatusCode::BAD_GATEWAY, &json!({ "message": message }))
        };
        match TcpStream::connect((Ipv4Addr::LOCALHOST, self.settings.ports.emulator)).await {
            Ok(stream) => {
                let _ = stream.set_nodelay(true);
                send(stream, request).await.unwrap_or_else(|error| silent(error.to_string()))
            }
            Err(error) => silent(error.to_string()),
        }
    }
}

fn refuse(method: &Method, uri: &Uri, why: &Refusal) -> Response<Body> {
    tell(&format!("{method} {}: refused: {}", uri.path(), why.0));
    refused(&why.0)
}

/// A refusal in the form that AWS's SDKs read.
fn refused(why: &str) -> Response<Body> {
    let body = json!({ "__type": "AccessDeniedException", "message": format!("refused: {why}") });
    let mut response = crate::forward::json(StatusCode::FORBIDDEN, &body);
    response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static("AccessDeniedException"));
    response
}

fn ask_password() -> Response<Body> {
    let body = json!({ "errors": [{ "code": "UNAUTHORIZED", "message": "log in to this rehearsal's registry" }] });
    let mut response = crate::forward::json(StatusCode::UNAUTHORIZED, &body);
    let headers = response.headers_mut();
    headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"rehearsal\""));
    headers.insert("docker-distribution-api-version", HeaderValue::from_static("registry/2.0"));
    response
}

fn without_password(mut request: Request<Incoming>) -> Request<Incoming> {
    request.headers_mut().remove(AUTHORIZATION);
    request
}

fn plain(mut request: Request<Incoming>) -> Request<Incoming> {
    request.headers_mut().remove(ACCEPT_ENCODING);
    request
}

/// Puts the registry's password, encoded with its user, into the answer to a login.
async fn with_password(password: &str, answer: Response<Body>) -> Response<Body> {
    let (mut head, body) = answer.into_parts();
    let Ok(body) = Limited::new(body, LONGEST_LOGIN).collect().await else {
        return crate::forward::json(StatusCode::BAD_GATEWAY, &json!({ "message": "the answer to a login broke off" }));
    };
    let body = body.to_bytes();
    let mut login: Value = serde_json::from_slice(&body).unwrap_or_default();
    for data in login["authorizationData"].as_array_mut().into_iter().flatten() {
        data["authorizationToken"] = json!(STANDARD.encode(format!("AWS:{password}")));
    }
    head.headers.remove(CONTENT_LENGTH);
    let body = if login.is_object() { login.to_string().into() } else { body };
    Response::from_parts(head, Full::from(body).map_err(|never| match never {}).boxed_unsync())
}
