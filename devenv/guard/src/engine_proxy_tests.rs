//! On a socket, with an engine that writes down what reaches it.

use std::sync::Mutex;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};

use super::*;
use crate::settings::tests::{network, settings};

const TASK: &str = "abababababababababababababababababababababababababababababababab";
const FOREIGN: &str = "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd";

struct Rig {
    _folder: tempfile::TempDir,
    seen: Arc<Mutex<Vec<String>>>,
    address: std::net::SocketAddr,
    proxy: Arc<EngineProxy>,
}

impl Rig {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("engine.sock");
        let engine = UnixListener::bind(&socket).expect("free");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notes = seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = engine.accept().await {
                let notes = notes.clone();
                let service = service_fn(move |request| {
                    std::future::ready(Ok::<_, std::convert::Infallible>(noted(&notes, &request)))
                });
                tokio::spawn(http1::Builder::new().serve_connection(hyper_util::rt::TokioIo::new(stream), service));
            }
        });
        let (settings, network) = (Arc::new(settings()), network());
        let proxy = Arc::new(EngineProxy { settings, network, socket, changing: RwLock::new(()) });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("free");
        let address = listener.local_addr().expect("bound");
        let serving = proxy.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let proxy = serving.clone();
                let service = service_fn(move |request| {
                    let proxy = proxy.clone();
                    async move { Ok::<_, std::convert::Infallible>(proxy.answer(request).await) }
                });
                // A client that has said all that it will is still answered.
                let mut server = http1::Builder::new();
                server.half_close(true);
                tokio::spawn(server.serve_connection(hyper_util::rt::TokioIo::new(stream), service));
            }
        });
        Self { _folder: folder, seen, address, proxy }
    }

    /// Bytes as a client may send them, and everything that comes back.
    async fn raw(&self, bytes: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(self.address).await.expect("it listens");
        stream.write_all(bytes.as_bytes()).await.expect("it reads");
        stream.shutdown().await.expect("it reads");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn asked(&self, line: &str) -> String {
        let answer =
            self.raw(&format!("{line} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")).await;
        answer.lines().next().unwrap_or_default().to_owned()
    }

    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().expect("whole"))
    }
}

fn noted(notes: &Mutex<Vec<String>>, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let login = if request.headers().contains_key("x-registry-auth") { " with a login" } else { "" };
    notes.lock().expect("whole").push(format!("{} {}{login}", request.method(), request.uri()));
    let path = request.uri().path();
    let labels = if path.contains(FOREIGN) || path.contains("foreign") {
        json!({ "devenv.state": "/shop" })
    } else {
        json!({ "devenv.state": "/shop", "devenv.task": "/shop" })
    };
    let id = if path.contains("foreign") { FOREIGN } else { TASK };
    let body = json!({ "Id": id, "Config": { "Labels": labels } }).to_string();
    Response::new(Full::from(body))
}

#[tokio::test]
async fn a_container_of_anybody_else_is_absent() {
    let rig = Rig::new().await;
    for (method, path) in [
        ("GET", "/containers/foreign/json"),
        ("POST", "/containers/foreign/start"),
        ("POST", "/containers/foreign/stop"),
        ("POST", "/containers/foreign/wait"),
        ("GET", "/containers/foreign/logs?stdout=1"),
        ("DELETE", "/containers/foreign?force=1"),
    ] {
        assert_eq!(rig.asked(&format!("{method} {path}")).await, "HTTP/1.1 404 Not Found", "{method} {path}");
        assert_eq!(rig.seen(), ["GET /containers/foreign/json"], "{method} {path}");
    }
}

#[tokio::test]
async fn a_task_is_asked_about_by_the_id_that_was_looked_at() {
    let rig = Rig::new().await;
    assert_eq!(rig.asked("POST /v1.41/containers/web/stop?t=5").await, "HTTP/1.1 200 OK");
    let stopped = format!("POST /v1.41/containers/{TASK}/stop?t=5");
    assert_eq!(rig.seen(), ["GET /v1.41/containers/web/json", &stopped]);
    assert_eq!(rig.asked("POST /images/create?fromImage=127.0.0.1%3A4000%2Fweb&tag=1").await, "HTTP/1.1 200 OK");
    assert_eq!(rig.seen(), ["POST /images/create?fromImage=127.0.0.1%3A4000%2Fweb&tag=1 with a login"]);
}

#[tokio::test]
async fn no_second_request_is_hidden_in_a_first_one() {
    let rig = Rig::new().await;
    let hidden = "POST /containers/create HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n";
    let body = format!("0\r\n\r\n{hidden}");
    for head in [
        format!(
            "GET /version HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\ntransfer-encoding: chunked\r\n\r\n",
            body.len()
        ),
        "GET /version HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
        "GET /version HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, identity\r\n\r\n".to_owned(),
        "GET /version HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\ncontent-length: 5\r\n\r\n".to_owned(),
        "GET /version\r\nX: y HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
    ] {
        rig.raw(&format!("{head}{body}")).await;
        let seen = rig.seen();
        assert!(seen.iter().all(|line| line == "GET /version"), "{head}: {seen:?}");
    }
}

#[tokio::test]
async fn another_protocol_is_refused() {
    let rig = Rig::new().await;
    for head in [
        "GET /version HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: tcp\r\n\r\n",
        "POST /containers/web/attach?stream=1 HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: tcp\r\n\r\n",
        "GET http://engine/version HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "CONNECT engine:80 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let answer = rig.raw(head).await;
        assert!(
            answer.starts_with("HTTP/1.1 403") || answer.starts_with("HTTP/1.1 400") || answer.is_empty(),
            "{answer}"
        );
        assert_eq!(rig.seen(), Vec::<String>::new(), "{head}");
    }
}

#[tokio::test]
async fn a_guard_that_ends_begins_nothing() {
    let rig = Rig::new().await;
    let _ended = rig.proxy.changing.write().await;
    assert_eq!(rig.asked("GET /version").await, "HTTP/1.1 200 OK");
    assert_eq!(rig.seen(), ["GET /version"]);
    let body = r#"{"Image": "127.0.0.1:4000/shop/web:1"}"#;
    let create = format!("POST /containers/create HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let asking = rig.raw(&create);
    tokio::select! {
        answer = asking => assert_eq!(answer, "", "cut off"),
        () = tokio::task::yield_now() => {}
    }
    assert_eq!(rig.seen(), Vec::<String>::new());
}
