use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use devenv_http_server::callers::Reach;
use devenv_http_server::process;
use devenv_messaging::{Place, examine};
use dynoxide::Database;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::calls::Calls;
use crate::front::Front;
use crate::messages::Messages;
use crate::streams::Upkeep;
use crate::{Error, front, streams};

/// The limit for open requests at shutdown: half a request would otherwise block the end forever.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub listen: SocketAddr,
    /// The port of queues and topics, which passes all other requests on to the tables; `None` if `listen` does both.
    pub listen_messages: Option<SocketAddr>,
    pub data: Data,
    /// Where queues, topics and their messages are kept; `None` if only tables are served.
    pub messages: Option<Place>,
    /// The file for the record of calls; a caller's name is the `app/` of its user agent.
    pub calls: Option<PathBuf>,
}

/// Where the tables are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// The data end with the process.
    Memory,
    /// A SQLite file, created if absent.
    File(PathBuf),
    /// In another emulator, at `HOST:PORT`.
    Elsewhere(String),
}

/// The addresses in use; port 0 is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening {
    pub main: SocketAddr,
    pub messages: Option<SocketAddr>,
}

/// Serves until `shutdown` resolves and the open requests have ended. Calls `listening` once requests can be answered.
pub async fn run(
    options: &Options,
    listening: impl FnOnce(Listening),
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let Ready { addresses, fronts, database, messages } = Ready::open(options).await?;
    // Ends after the database's last request.
    let _upkeep = upkeep(&options.data, database.as_ref().map(|(_, database)| database))?;
    if let Some(messages) = &messages {
        messages.resume();
    }
    listening(addresses);
    if let Some(messages) = messages.clone().filter(|_| options.listen_messages.is_some()) {
        // Queues will be asked for: make the file while the caller still waits for the tables. If that fails, the first request reports why.
        tokio::spawn(async move { drop(messages.get().await) });
    }

    let (stop, mut stopping) = watch::channel(false);
    let (last_request, drained) = oneshot::channel::<()>();
    let database = async {
        match database {
            Some((listener, database)) => {
                let drained = async { drop(drained.await) };
                dynoxide::server::serve_with_shutdown(listener, database, drained).await
            }
            None => Ok(()),
        }
    };
    let fronts = async {
        let mut open = JoinSet::new();
        for (listener, front) in fronts {
            open.spawn(front::serve(listener, front, stopping.clone()));
        }
        drop(stopping.wait_for(|stop| *stop).await);
        open.join_all().await;
        // The database ends after the last request that may need it.
        drop(last_request);
    };
    let serving = async { tokio::join!(database, fronts).0 };
    let limit = async {
        shutdown.await;
        stop.send_replace(true);
        if let Some(messages) = &messages {
            messages.drain();
        }
        tokio::time::sleep(DRAIN_LIMIT).await;
    };
    tokio::select! {
        served = serving => served.map_err(|cause| Error::Serve { cause }),
        () = limit => Ok(()),
    }
}

/// Everything that is open before the first request.
struct Ready {
    addresses: Listening,
    fronts: Vec<(TcpListener, Arc<Front>)>,
    database: Option<(TcpListener, Database)>,
    messages: Option<Arc<Messages>>,
}

impl Ready {
    async fn open(options: &Options) -> Result<Self, Error> {
        // Bind the ports first: if one is taken, no data file is created.
        let (main, main_address) = bind(options.listen).await?;
        let second = match options.listen_messages {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let addresses = Listening { main: main_address, messages: second.as_ref().map(|(_, address)| *address) };
        let database = open(&options.data)?;
        let messages = options.messages.clone().map(Messages::at).transpose()?.map(Arc::new);
        let calls = options.calls.as_deref().map(Calls::append_to).transpose()?.map(Arc::new);

        let of_main = messages.clone().filter(|_| second.is_none());
        // The database serves a listener of its own and nothing else: the main port, unless a front has to look at each request.
        let (fronted, direct, tables) = match &options.data {
            Data::Elsewhere(address) => (Some(main), None, address.clone()),
            Data::Memory | Data::File(_) if of_main.is_none() && calls.is_none() => {
                (None, Some(main), reached(main_address).to_string())
            }
            Data::Memory | Data::File(_) => {
                let (inner, address) = bind((Ipv4Addr::LOCALHOST, 0).into()).await?;
                (Some(main), Some(inner), address.to_string())
            }
        };
        let reach = Reach::of([Some(options.listen), options.listen_messages].into_iter().flatten());
        let front = |listener, messages| {
            (listener, Arc::new(Front { messages, calls: calls.clone(), tables: tables.clone(), reach }))
        };
        let fronts = fronted.map(|listener| front(listener, of_main)).into_iter();
        let fronts = fronts.chain(second.map(|(listener, _)| front(listener, messages.clone()))).collect();
        Ok(Self { addresses, fronts, database: direct.zip(database), messages })
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let unusable = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(unusable)?;
    let bound = listener.local_addr().map_err(unusable)?;
    Ok((listener, bound))
}

/// The address at which this process reaches its own listener.
fn reached(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Runs an emulator process: SIGTERM and SIGINT drain it, a second signal ends it at once. Prints its address on standard
/// error.
pub fn run_until_signalled(options: &Options) -> Result<(), Error> {
    process::run(|shutdown| run(options, announce, shutdown)).map_err(Error::Runtime)?.unwrap_or(Ok(()))
}

#[expect(clippy::print_stderr, reason = "prints the ports chosen for port 0")]
fn announce(listening: Listening) {
    eprintln!("listening on http://{}", listening.main);
    if let Some(address) = listening.messages {
        eprintln!("queues and topics on http://{address}");
    }
}

/// `None` if another emulator has the tables.
fn open(data: &Data) -> Result<Option<Database>, Error> {
    let path = match data {
        Data::Memory => {
            return Database::memory().map(Some).map_err(|error| Error::Serve { cause: error.to_string() });
        }
        Data::File(path) => path,
        Data::Elsewhere(_) => return Ok(None),
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
    Ok(Some(database))
}

/// Streams of a database in memory are as dynoxide has them: nothing can be beside it.
fn upkeep(data: &Data, database: Option<&Database>) -> Result<Option<Upkeep>, Error> {
    let (Data::File(path), Some(database)) = (data, database) else { return Ok(None) };
    Upkeep::start(path, database.clone())
        .map_err(|error| Error::Data { path: path.clone(), cause: explained(&error.to_string()) })
}

/// Adds a hint to SQLite's errors for a full disk, which do not mention the disk.
fn explained(cause: &str) -> String {
    if cause.contains("disk I/O error") || cause.contains("is full") {
        return format!("{cause} (is the disk full?)");
    }
    cause.to_owned()
}
