//! What both APIs share: listening, bodies with a limit, and answers.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

/// The pause after a connection that could not be accepted, because this process has too many open files, for example.
const ACCEPT_AGAIN: Duration = Duration::from_millis(20);

pub(crate) type Answer = Response<Full<Bytes>>;

/// Answers the requests at one address.
pub(crate) trait Handler: Send + Sync + 'static {
    fn answer(&self, request: Request<Incoming>) -> impl Future<Output = Answer> + Send;
}

/// Serves until the program ends. A caller that closes its connection withdraws its request.
pub(crate) async fn serve<H: Handler>(listener: TcpListener, handler: Arc<H>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, Arc::clone(&handler)));
            }
            Err(_) => tokio::time::sleep(ACCEPT_AGAIN).await,
        }
    }
}

async fn connection<H: Handler>(stream: TcpStream, handler: Arc<H>) {
    // A connection that cannot be set up is closed, and the caller tries again.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(move |request| {
        let handler = Arc::clone(&handler);
        async move { Ok::<_, Infallible>(handler.answer(request).await) }
    });
    // A closed connection is no error of this program.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// A body that is longer than the limit, or broke off.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

pub(crate) async fn body(request: Request<Incoming>, limit: usize) -> Result<Bytes, TooLarge> {
    let collected = Limited::new(request.into_body(), limit).collect().await;
    collected.map(http_body_util::Collected::to_bytes).map_err(|_| TooLarge)
}

pub(crate) fn header<'r>(request: &'r Request<Incoming>, name: &str) -> Option<&'r str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

/// Whether a page in a browser sends the request: any page could otherwise invoke functions.
pub(crate) fn is_from_page(request: &Request<Incoming>) -> bool {
    header(request, "origin").is_some() || header(request, "sec-fetch-site").is_some_and(|site| site != "none")
}

pub(crate) fn json(status: StatusCode, body: &Value) -> Answer {
    bytes(status, body.to_string().into())
}

/// An answer whose body is JSON already.
pub(crate) fn bytes(status: StatusCode, body: Bytes) -> Answer {
    let mut answer = empty(status);
    *answer.body_mut() = Full::new(body);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

/// Adds a header; a value that no header can have is left out.
pub(crate) fn with(mut answer: Answer, name: &'static str, value: &str) -> Answer {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(HeaderName::from_static(name), value);
    }
    answer
}
