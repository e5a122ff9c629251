//! What both APIs share: listening, refusals, and answers.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use devenv_http_server::callers::{Reach, Refused};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// The pause after a connection that could not be accepted, because this process has too many open files, for example.
const ACCEPT_AGAIN: Duration = Duration::from_millis(20);

/// Connections of one address; further ones wait to be accepted.
const CONNECTIONS: usize = 1024;

pub(crate) type Answer = Response<Full<Bytes>>;

/// Answers the requests at one address.
pub(crate) trait Handler: Send + Sync + 'static {
    /// The limit for the head of a request to arrive, on a new connection or after an answer.
    const HEAD_WITHIN: Duration;

    fn answer(&self, request: Request<Incoming>) -> impl Future<Output = Answer> + Send;
}

/// Serves until the program ends. A caller that closes its connection withdraws its request.
pub(crate) async fn serve<H: Handler>(listener: TcpListener, handler: Arc<H>) {
    serve_at_most(CONNECTIONS, listener, handler).await;
}

async fn serve_at_most<H: Handler>(connections: usize, listener: TcpListener, handler: Arc<H>) {
    let free = Arc::new(Semaphore::new(connections));
    loop {
        let Ok(place) = Arc::clone(&free).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let served = connection(stream, Arc::clone(&handler));
                tokio::spawn(async move {
                    served.await;
                    drop(place);
                });
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
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(H::HEAD_WITHIN);
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

pub(crate) fn header<'r, B>(request: &'r Request<B>, name: &str) -> Option<&'r str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

/// Why a request is refused: any page in a browser could otherwise invoke functions or take their events.
pub(crate) fn refusal<B>(reach: Reach, request: &Request<B>) -> Option<&'static str> {
    match reach.admit(request.headers()) {
        Ok(()) => None,
        Err(Refused::Page) => Some("a web page may not call functions or take their events"),
        Err(Refused::OtherHost) => {
            Some("the header Host must name 127.0.0.1, localhost or [::1], or this host on its network of containers")
        }
    }
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Longer than a test may take.
    const LIMIT: Duration = Duration::from_secs(20);

    struct Fine;

    impl Handler for Fine {
        const HEAD_WITHIN: Duration = Duration::from_millis(200);

        async fn answer(&self, _: Request<Incoming>) -> Answer {
            empty(StatusCode::NO_CONTENT)
        }
    }

    #[tokio::test]
    async fn a_slow_head_loses_its_place_to_the_next_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let server = tokio::spawn(serve_at_most(1, listener, Arc::new(Fine)));
        let mut slow = TcpStream::connect(address).await.expect("it listens");
        slow.write_all(b"GET / HT").await.expect("open");
        let mut next = TcpStream::connect(address).await.expect("it listens");
        next.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.expect("open");
        let mut answer = String::new();
        let read = tokio::time::timeout(LIMIT, next.read_to_string(&mut answer)).await;
        read.expect("in time").expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
        server.abort();
    }
}
