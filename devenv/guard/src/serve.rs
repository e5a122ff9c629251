//! The life of a guard: it learns its own network from the engine, and serves until it is asked to end.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{RwLock, Semaphore};

use crate::door::Door;
use crate::door_policy::Side;
use crate::engine_policy::Ask;
use crate::engine_proxy::{EngineProxy, read};
use crate::forward::Body;
use crate::log::tell;
use crate::settings::{Network, Settings, VARIABLE};

/// Connections to one port at a time.
const MOST: usize = 1024;
/// What a caller may take from one request to the head of the next.
const HEAD_WITHIN: Duration = Duration::from_secs(75);
/// Bytes of a request's head.
const LONGEST_HEAD: usize = 64 * 1024;

/// Where the engine's socket is in the guard's container.
const SOCKET: &str = "/var/run/docker.sock";

/// Why a guard does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{VARIABLE} does not hold the settings of a guard: {0}")]
    Settings(String),
    #[error("cannot ask the engine about the container {container}: {cause}")]
    Engine { container: String, cause: String },
    #[error("the container {container} is not on exactly one network")]
    Network { container: String },
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("cannot start the runtime: {0}")]
    Runtime(std::io::Error),
}

/// The whole life of a guard's process. SIGTERM and SIGINT end it once the engine has done what it is about to do.
pub fn run_until_signalled() -> Result<(), Error> {
    let text = std::env::var(VARIABLE).map_err(|error| Error::Settings(error.to_string()))?;
    let settings: Settings = serde_json::from_str(&text).map_err(|error| Error::Settings(error.to_string()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(Error::Runtime)?;
    let outcome = runtime.block_on(run(Arc::new(settings), PathBuf::from(SOCKET)));
    runtime.shutdown_background();
    outcome
}

async fn run(settings: Arc<Settings>, socket: PathBuf) -> Result<(), Error> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Runtime)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Runtime)?;
    let network = learn(&settings, &socket).await?;
    let engine =
        EngineProxy { settings: settings.clone(), network: network.clone(), socket, changing: RwLock::new(()) };
    let (engine, door) = (Arc::new(engine), Arc::new(Door::new(settings.clone())));
    let ports = settings.ports;
    // Not on every address: the emulator's own port is the tasks', on loopback.
    let tasks = listen(network.address, ports.tasks).await?;
    let outside = listen(network.address, ports.outside).await?;
    let asked = listen(Ipv4Addr::LOCALHOST, ports.engine).await?;
    let for_engine = engine.clone();
    let to_engine = move |request| {
        let engine = for_engine.clone();
        // To its end also when the emulator is gone: the engine goes on with what it was asked.
        let answered = tokio::spawn(async move { engine.answer(request).await });
        async move {
            answered.await.unwrap_or_else(|error| {
                let message = serde_json::json!({ "message": error.to_string() });
                crate::forward::json(hyper::StatusCode::INTERNAL_SERVER_ERROR, &message)
            })
        }
    };
    let through = |side| {
        let door = door.clone();
        move |request| {
            let door = door.clone();
            async move { door.answer(side, request).await }
        }
    };
    tokio::select! {
        () = serve(asked, |_| true, to_engine) => {}
        () = serve(tasks, |caller| network.has_container(caller), through(Side::Task)) => {}
        () = serve(outside, |_| true, through(Side::Outside)) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    // What was begun is waited for; never given back, so that nothing is begun any more.
    std::mem::forget(engine.changing.write().await);
    Ok(())
}

async fn learn(settings: &Settings, socket: &std::path::Path) -> Result<Network, Error> {
    let container = settings.container.clone();
    let failed = |cause: String| Error::Engine { container: container.clone(), cause };
    let stream = tokio::net::UnixStream::connect(socket).await.map_err(|error| failed(error.to_string()))?;
    let asked = Ask::Inspect.request("", &container);
    let request = Request::builder().method(asked.method).uri(asked.path).header("host", "engine");
    let request = request.body(http_body_util::Empty::new()).map_err(|error| failed(error.to_string()))?;
    let answer = crate::forward::send(stream, request).await.map_err(|error| failed(error.to_string()))?;
    let inspected = read(answer).await.map_err(|error| failed(error.to_string()))?;
    Network::of(&inspected).ok_or(Error::Network { container })
}

async fn listen(address: Ipv4Addr, port: u16) -> Result<TcpListener, Error> {
    let address = SocketAddr::from((address, port));
    TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })
}

/// Serves for as long as it is polled; `admits` says whom by its address.
async fn serve<A, F>(listener: TcpListener, admits: impl Fn(IpAddr) -> bool, answer: F)
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<Body>> + Send + 'static,
{
    let free = Arc::new(Semaphore::new(MOST));
    loop {
        let Ok(place) = free.clone().acquire_owned().await else { return };
        let Ok((stream, caller)) = listener.accept().await else {
            // As when all file descriptors are in use.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        if admits(caller.ip()) {
            let conversation = converse(stream, answer.clone());
            tokio::spawn(async move {
                conversation.await;
                drop(place);
            });
        } else {
            tell(&format!("refused: {} is no container of this rehearsal", caller.ip()));
        }
    }
}

async fn converse<A, F>(stream: TcpStream, answer: F)
where
    F: Fn(Request<Incoming>) -> A + Send + Sync,
    A: Future<Output = Response<Body>> + Send,
{
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let answered = answer(request);
        async move { Ok::<_, std::convert::Infallible>(answered.await) }
    });
    // The end of a caller is no error of ours.
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(LONGEST_HEAD);
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}
