//! Carries out what the emulator may ask of the engine.

use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HOST, UPGRADE};
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::UnixStream;
use tokio::sync::RwLock;

use crate::create_policy;
use crate::engine_policy::{Ask, Asked, EngineRequest, Order, decide, itself, owned};
use crate::forward::{Body, send};
use crate::log::tell;
use crate::refusal::Refusal;
use crate::settings::{Network, Settings};

/// What an engine tells of one container is shorter.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;

pub(crate) struct EngineProxy {
    pub(crate) settings: Arc<Settings>,
    pub(crate) network: Network,
    pub(crate) socket: PathBuf,
    /// Read while the engine makes or changes something, written once the guard ends: an engine goes on with what it was
    /// asked, and whoever removes a rehearsal must then find it.
    pub(crate) changing: RwLock<()>,
}

/// Why there is no answer of the engine.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("refused: {0}")]
    Refused(String),
    #[error("no such container")]
    Absent,
    #[error("the container engine does not answer: {0}")]
    Silent(String),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.0)
    }
}

impl EngineProxy {
    /// Never fails: what is refused, and an engine that is silent, are answers too.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let what = format!("{} {}", request.method(), request.uri().path());
        match self.carry_out(request).await {
            Ok(answer) => answer,
            Err(failure) => {
                let status = match failure {
                    Failure::Refused(_) => StatusCode::FORBIDDEN,
                    Failure::Absent => StatusCode::NOT_FOUND,
                    Failure::Silent(_) => StatusCode::BAD_GATEWAY,
                };
                tell(&format!("{what}: {failure}"));
                crate::forward::json(status, &json!({ "message": failure.to_string() }))
            }
        }
    }

    async fn carry_out(&self, request: Request<Incoming>) -> Result<Response<Body>, Failure> {
        let (head, body) = request.into_parts();
        if head.headers.contains_key(UPGRADE) || head.uri.authority().is_some() {
            return Err(Failure::Refused("a rehearsal has no need of another protocol".to_owned()));
        }
        let body = Limited::new(body, create_policy::LONGEST).collect().await;
        let body = body.map_err(|error| Failure::Refused(error.to_string()))?.to_bytes();
        let (method, uri) = (head.method.as_str(), &head.uri);
        let asked = Asked { method, path: uri.path(), query: uri.query().unwrap_or_default(), body: &body };
        let (api, order) = decide(&self.settings, &self.network, &asked)?;
        match order {
            Order::Itself => Ok(crate::forward::json(StatusCode::OK, &itself(&self.settings, &self.network))),
            Order::Engine(request) => {
                let _changing = if request.body.is_some() { Some(self.changing.read().await) } else { None };
                self.ask(&request).await
            }
            Order::Container { name, ask } => {
                let _changing = if ask.changes() { Some(self.changing.read().await) } else { None };
                // By its id from here on: a name can be given to another container.
                let id = self.task(&api, &name).await?;
                self.ask(&ask.request(&api, &id)).await
            }
        }
    }

    /// The id of a task's container. Another one is as absent as one that does not exist.
    async fn task(&self, api: &str, name: &str) -> Result<String, Failure> {
        let answer = self.ask(&Ask::Inspect.request(api, name)).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Err(Failure::Absent);
        }
        owned(&self.settings, &read(answer).await?).ok_or(Failure::Absent)
    }

    pub(crate) async fn ask(&self, asked: &EngineRequest) -> Result<Response<Body>, Failure> {
        let stream = UnixStream::connect(&self.socket).await.map_err(silent)?;
        let mut request = Request::builder().method(asked.method).uri(&asked.path).header(HOST, "engine");
        if asked.login {
            let login = json!({
                "username": "AWS", "password": self.settings.key, "serveraddress": self.settings.registry,
            });
            request = request.header("x-registry-auth", URL_SAFE.encode(login.to_string()));
        }
        let body = match &asked.body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Full::from(Bytes::from(body.to_string()))
            }
            None => Full::default(),
        };
        let request = request.body(body).map_err(silent)?;
        send(stream, request).await.map_err(silent)
    }
}

/// A JSON answer, read to its end.
pub(crate) async fn read(answer: Response<Body>) -> Result<Value, Failure> {
    let body = Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await;
    let body = body.map_err(|error| Failure::Silent(error.to_string()))?.to_bytes();
    serde_json::from_slice(&body).map_err(silent)
}

fn silent(error: impl std::fmt::Display) -> Failure {
    Failure::Silent(error.to_string())
}

#[cfg(test)]
#[path = "engine_proxy_tests.rs"]
mod tests;
