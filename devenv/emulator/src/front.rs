//! The port of queues and topics: their requests are answered here, all others are passed on to the tables.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use devenv_http_server::body::{self, Unread};
use devenv_http_server::callers::{Reach, Refused};
use devenv_messaging::{Head, Reply, belongs_here};
use http_body_util::{Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc, watch};

use crate::calls::{self, Calls};
use crate::database::Upstream;
use crate::messages::Messages;

/// Bytes of a request for queues or topics: ten messages of a batch are 1 MiB, and escapes in JSON six times that.
const BODY_LIMIT: usize = 16 * 1024 * 1024;
/// The pause after a connection that could not be accepted, because this process has too many open files, for example.
const ACCEPT_AGAIN: Duration = Duration::from_millis(20);

const FROM_PAGE: &str =
    "a web page may not call queues and topics: call them from a program, or open the address by hand";
const OTHER_HOST: &str = "queues and topics answer to no such host: call them at an address of this machine, or in a network of containers by a \
                          name without a dot";
const TABLES_ONLY: &str =
    "this port serves tables alone: queues and topics have another one, if the project has files of any";

/// What a request may need.
pub(crate) struct Front {
    /// `None` if only tables are served.
    pub(crate) messages: Option<Arc<Messages>>,
    pub(crate) calls: Option<Arc<Calls>>,
    /// The tables' address, `HOST:PORT`.
    pub(crate) tables: String,
    pub(crate) reach: Reach,
}

type Answer = Response<Either<Full<Bytes>, Incoming>>;

/// Serves until `stop` turns true and the open requests have been answered.
pub(crate) async fn serve(listener: TcpListener, front: Arc<Front>, mut stop: watch::Receiver<bool>) {
    // Each connection holds a sender; the receiver ends with the last of them.
    let (open, mut ended) = mpsc::channel::<Infallible>(1);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let (front, stop, open) = (front.clone(), stop.clone(), open.clone());
                tokio::spawn(async move {
                    connection(stream, &front, stop).await;
                    drop(open);
                });
            }
            Err(_) => tokio::time::sleep(ACCEPT_AGAIN).await,
        }
    }
    drop(listener);
    drop(open);
    ended.recv().await;
}

async fn connection(stream: TcpStream, front: &Front, mut stop: watch::Receiver<bool>) {
    // A connection that cannot be set up is closed, and the caller tries again.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let upstream = &Mutex::new(Upstream::new(front.tables.clone()));
    let service = service_fn(move |request| async move { Ok::<_, Infallible>(front.answer(request, upstream).await) });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stop.wait_for(|stop| *stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

impl Front {
    async fn answer(&self, request: Request<Incoming>, upstream: &Mutex<Upstream>) -> Answer {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let target = header("x-amz-target");
        if belongs_here(target, header("content-type"), request.uri().query()) {
            if let Err(refused) = self.reach.admit(request.headers()) {
                let why = match refused {
                    Refused::Page => FROM_PAGE,
                    Refused::OtherHost => OTHER_HOST,
                };
                return text(StatusCode::FORBIDDEN, why).map(Either::Left);
            }
            let (parts, body) = request.into_parts();
            return self.answer_message(&parts, body).await.map(Either::Left);
        }
        if let (Some(calls), Some(target)) = (&self.calls, target) {
            calls.note(calls::caller(header), calls::operation(target));
        }
        match upstream.lock().await.send(request).await {
            Ok(response) => response.map(Either::Right),
            Err(error) => {
                let message = format!("the tables at {} did not answer: {error}", self.tables);
                text(StatusCode::BAD_GATEWAY, &message).map(Either::Left)
            }
        }
    }

    async fn answer_message(&self, parts: &Parts, body: Incoming) -> Response<Full<Bytes>> {
        let body = match body::read(body, BODY_LIMIT).await {
            Ok(body) => body,
            Err(unread) => return not_read(unread),
        };
        let Some(messages) = &self.messages else { return text(StatusCode::BAD_REQUEST, TABLES_ONLY) };
        let messages = match messages.get().await {
            Ok(messages) => messages,
            Err(error) => return text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
        };
        let reply = messages.answer(&head(parts), &body).await;
        if let (Some(calls), Some(operation)) = (&self.calls, &reply.operation) {
            calls.note(calls::caller(|name| header(parts, name)), operation);
        }
        response(reply)
    }
}

fn header<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts.headers.get(name).and_then(|value| value.to_str().ok())
}

fn head(parts: &Parts) -> Head {
    let own = |name: &str| header(parts, name).map(str::to_owned);
    Head {
        target: own("x-amz-target"),
        host: own("host"),
        authorization: own("authorization"),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
    }
}

fn response(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(reply.body)));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    let texts = [("x-amzn-requestid", Some(reply.request_id)), ("x-amzn-query-error", reply.query_error)];
    for (name, value) in texts {
        if let Some(Ok(value)) = value.map(|value| HeaderValue::from_str(&value)) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn text(status: StatusCode, message: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(format!("{message}\n"))));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

fn not_read(unread: Unread) -> Response<Full<Bytes>> {
    match unread {
        Unread::TooLarge => {
            text(StatusCode::PAYLOAD_TOO_LARGE, &format!("the request's body has more than {BODY_LIMIT} bytes"))
        }
        Unread::TooSlow => text(StatusCode::REQUEST_TIMEOUT, "the request's body did not arrive in time"),
        Unread::BrokenOff => text(StatusCode::BAD_REQUEST, "the request's body broke off"),
    }
}
