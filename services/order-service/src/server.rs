use std::{convert::Infallible, io, net::SocketAddr, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    signal::unix::{SignalKind, signal},
};

use crate::{Lifecycle, Metrics, config::Common, router::metrics_router};

/// The time for in-flight work to finish after SIGTERM. A deployment's own limit must be longer (Compose: 15 s).
const GRACE: Duration = Duration::from_secs(10);

/// The time limit for a silent connection between requests: longer than a load balancer's 60 s, because the load balancer
/// must close first.
const SILENCE: Duration = Duration::from_secs(75);

/// The pause after a failed accept (usually no file descriptors left), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {address} ({variable}): {source}; free the port or choose another")]
    Listen { variable: &'static str, address: SocketAddr, source: io::Error },
    #[error("cannot watch for signals: {0}")]
    Signals(io::Error),
    #[error("cannot start the runtime: {0}")]
    Runtime(io::Error),
    #[error("{0}")]
    Other(String),
}

/// The bound ports.
pub struct Listeners {
    pub api: TcpListener,
    pub metrics: TcpListener,
}

impl Listeners {
    pub async fn bind(common: &Common) -> Result<Self, StartError> {
        let bind = async |variable, address| {
            TcpListener::bind(address).await.map_err(|source| StartError::Listen { variable, address, source })
        };
        Ok(Self {
            api: bind("BIND_ADDR", common.bind_addr).await?,
            metrics: bind("METRICS_ADDR", common.metrics_addr).await?,
        })
    }
}

/// Serves until SIGTERM or SIGINT, then drains: reports not ready, closes idle connections, and lets in-flight work finish
/// within 10 s. A second signal cuts the drain short.
pub async fn serve(
    listeners: Listeners,
    router: Router,
    metrics: Metrics,
    lifecycle: Lifecycle,
) -> Result<(), StartError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Signals)?;
    let mut signalled = async || {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    };
    let Listeners { api, metrics: metrics_listener } = listeners;
    let address = |listener: &TcpListener| listener.local_addr().map(|address| address.to_string()).unwrap_or_default();
    tracing::info!(address = address(&api), metrics_address = address(&metrics_listener), "listening");
    tokio::spawn(accept(metrics_listener, metrics_router(metrics), None));

    let connections = GracefulShutdown::new();
    let signal = tokio::select! {
        never = accept_on(&api, &router, Some(&connections)) => match never {},
        signal = signalled() => signal,
    };
    lifecycle.drain();
    tracing::info!(signal, connections = connections.count(), "draining");

    // The port stays open while work is in flight, so that a probe reads "not ready" instead of a refused connection.
    tokio::select! {
        never = accept_on(&api, &router, None) => match never {},
        () = async { tokio::join!(connections.shutdown(), lifecycle.idle()); } => tracing::info!("drained"),
        () = tokio::time::sleep(GRACE) => tracing::warn!("work is left after {GRACE:?}; it is for the reconciler"),
        signal = signalled() => tracing::warn!(signal, "signalled again; not waiting for what is in flight"),
    }
    Ok(())
}

/// Waits for SIGTERM or SIGINT, in a program that serves nothing.
pub async fn signalled() -> Result<(), StartError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Signals)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

async fn accept(listener: TcpListener, router: Router, connections: Option<GracefulShutdown>) {
    match accept_on(&listener, &router, connections.as_ref()).await {}
}

/// Accepts connections while it is polled. Without `connections`, no drain waits for them: they end with the process.
async fn accept_on(listener: &TcpListener, router: &Router, connections: Option<&GracefulShutdown>) -> Infallible {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => connection(stream, router, connections),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn connection(stream: TcpStream, router: &Router, connections: Option<&GracefulShutdown>) {
    // Each answer is one small write; waiting to fill a packet only delays it.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(SILENCE)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
    // Errors are the client's: it hung up, or did not send HTTP.
    match connections {
        Some(connections) => {
            let watched = connections.watch(connection);
            tokio::spawn(async move { drop(watched.await) });
        }
        None => {
            tokio::spawn(async move { drop(connection.await) });
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}
