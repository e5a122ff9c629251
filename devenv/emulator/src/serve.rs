use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use devenv_messaging::{Place, examine};
use dynoxide::Database;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};

use crate::calls::Calls;
use crate::front::Front;
use crate::messages::Messages;
use crate::streams::Upkeep;
use crate::{Error, front, streams};

/// The limit for open requests at shutdown: half a request would otherwise block the end forever.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);
/// Operations run one at a time, behind the database's lock; the second thread reads and writes sockets meanwhile.
const THREADS: usize = 2;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub listen: SocketAddr,
    pub data: Data,
    /// Where queues, topics and their messages are kept; `None` if only tables are served, which then takes no detour.
    pub messages: Option<Place>,
    /// The file for the record of calls; a caller's name is the `app/` of its user agent.
    pub calls: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// The data end with the process.
    Memory,
    /// A SQLite file, created if absent.
    File(PathBuf),
}

/// Serves until `shutdown` resolves and the open requests have ended. Calls `listening` with the actual address (port 0
/// is resolved) once requests can be answered.
pub async fn run(
    options: &Options,
    listening: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let address = options.listen;
    let unusable = |source| Error::Listen { address, source };
    // Bind the port first: if it is taken, no data file is created.
    let listener = TcpListener::bind(address).await.map_err(unusable)?;
    let database = open(&options.data)?;
    // Ends after the database's last request.
    let _upkeep = upkeep(&options.data)?;
    let messages = options.messages.clone().map(Messages::at).transpose()?;
    let calls = options.calls.as_deref().map(Calls::append_to).transpose()?;
    let has_front = messages.is_some() || calls.is_some();
    let (outer, inner) = if has_front {
        let inner = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(unusable)?;
        (Some(listener), inner)
    } else {
        (None, listener)
    };
    let database_address = inner.local_addr().map_err(unusable)?;
    let front = Arc::new(Front { messages, calls, database: database_address });
    let address = outer.as_ref().map_or(Ok(database_address), TcpListener::local_addr).map_err(unusable)?;
    front.messages.iter().for_each(Messages::resume);
    listening(address);

    let (stop, mut stopping) = watch::channel(false);
    let (last_request, drained) = oneshot::channel::<()>();
    let database = dynoxide::server::serve_with_shutdown(inner, database, async {
        let _ = drained.await;
    });
    let serving = async {
        // The database ends after the last request that may need it.
        let front = async {
            match outer {
                Some(listener) => front::serve(listener, front.clone(), stopping).await,
                None => drop(stopping.wait_for(|stop| *stop).await),
            }
            drop(last_request);
        };
        tokio::join!(database, front).0
    };
    let limit = async {
        shutdown.await;
        stop.send_replace(true);
        front.messages.iter().for_each(Messages::drain);
        tokio::time::sleep(DRAIN_LIMIT).await;
    };
    tokio::select! {
        served = serving => served.map_err(|cause| Error::Serve { cause }),
        () = limit => Ok(()),
    }
}

/// Runs an emulator process: SIGTERM and SIGINT drain it, a second signal ends it at once. Prints its address on standard
/// error.
pub fn run_until_signalled(options: &Options) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    let outcome = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(Error::Runtime)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Runtime)?;
        let (first, asked) = oneshot::channel::<()>();
        let mut first = Some(first);
        let serving = run(options, announce, async {
            let _ = asked.await;
        });
        tokio::pin!(serving);
        loop {
            tokio::select! {
                outcome = &mut serving => return outcome,
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            match first.take() {
                Some(first) => drop(first),
                None => return Ok(()),
            }
        }
    });
    // Do not wait for connection tasks beyond the drain limit: they still hold the database.
    runtime.shutdown_background();
    outcome
}

#[expect(clippy::print_stderr, reason = "prints the port chosen for port 0")]
fn announce(address: SocketAddr) {
    eprintln!("listening on http://{address}");
}

fn open(data: &Data) -> Result<Database, Error> {
    let path = match data {
        Data::Memory => {
            return Database::memory().map_err(|error| Error::Serve { cause: error.to_string() });
        }
        Data::File(path) => path,
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(Error::NoFolder { path: path.clone() });
    }
    let failed = |cause: String| Error::Data { path: path.clone(), cause };
    let name = path.to_str().ok_or_else(|| failed("its path is not UTF-8".to_owned()))?;
    examine(path).map_err(failed)?;
    streams::prepare(path).map_err(|error| failed(explained(&error.to_string())))?;
    let database = Database::new(name).map_err(|error| failed(explained(&error.to_string())))?;
    // dynoxide's setting after a bulk load: write-ahead log, flushed at checkpoints instead of at every commit. A crash of
    // the process loses no answered write; a power loss may lose the last commits, which `reset` can rebuild. In return,
    // writes are ten times as fast.
    database.disable_bulk_loading().map_err(|error| failed(explained(&error.to_string())))?;
    Ok(database)
}

/// Streams of a database in memory are as dynoxide has them: nothing can be beside it.
fn upkeep(data: &Data) -> Result<Option<Upkeep>, Error> {
    let Data::File(path) = data else { return Ok(None) };
    Upkeep::start(path).map_err(|error| Error::Data { path: path.clone(), cause: explained(&error.to_string()) })
}

/// Adds a hint to SQLite's errors for a full disk, which do not mention the disk.
fn explained(cause: &str) -> String {
    if cause.contains("disk I/O error") || cause.contains("is full") {
        return format!("{cause} (is the disk full?)");
    }
    cause.to_owned()
}
