use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::rc::Rc;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::observed::{ObservedUnit, UnitState};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use super::keeper::Keeper;
use crate::Error;
use crate::control::{PROTOCOL, Reply, Request};
use crate::lock::{LockAttempt, try_hold};
use crate::probe::Prober;
use crate::state_directory::StateDirectory;

/// A request is one specification of a unit at most.
const REQUEST_LIMIT: u64 = 1024 * 1024;

/// What the hidden `supervise` command is told.
#[derive(Debug, Clone)]
pub struct SuperviseOptions {
    pub state_dir: Utf8PathBuf,
    /// Shown in process listings, for people; nothing is decided by it.
    pub instance: String,
}

struct Supervisor {
    state: StateDirectory,
    prober: Prober,
    units: RefCell<BTreeMap<String, Rc<Keeper>>>,
    /// Names in the order of their first start; they are stopped the other way round.
    order: RefCell<Vec<String>>,
    detached: Cell<bool>,
    /// Set once, before `ending` is told: from then on nothing is promised to anybody.
    is_ending: Cell<bool>,
    ending: Notify,
}

/// Runs until it is told to end, is signalled, or loses its owner. Every unit has ended by then.
///
/// Call it on a runtime of one thread: spawning relies on nothing else being spawned at the same time.
pub async fn supervise(options: SuperviseOptions) -> Result<(), Error> {
    let state = StateDirectory::new(&options.state_dir);
    state.prepare()?;
    let failed = |path: &Utf8Path| {
        let path = path.to_owned();
        move |source| Error::State { path, source }
    };
    let lock = state.supervisor_lock();
    let _held = match try_hold(&lock).map_err(failed(&lock))? {
        LockAttempt::Held(held) => held,
        LockAttempt::Taken { pid } => return Err(Error::Locked { pid }),
    };
    let socket = state.socket();
    let listener = listen(&socket).map_err(failed(&socket))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed(&socket))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed(&socket))?;
    let supervisor = Rc::new(Supervisor {
        state,
        prober: Prober::new(),
        units: RefCell::default(),
        order: RefCell::default(),
        detached: Cell::new(false),
        is_ending: Cell::new(false),
        ending: Notify::new(),
    });
    tracing::info!(instance = %options.instance, "supervisor started");
    // Whoever started this process waits for this line.
    announce().map_err(failed(&socket))?;

    let local = tokio::task::LocalSet::new();
    let serving = Rc::clone(&supervisor);
    local
        .run_until(async move {
            loop {
                tokio::select! {
                    accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                        tokio::task::spawn_local(Rc::clone(&serving).converse(stream));
                    },
                    () = serving.ending.notified() => break,
                    _ = terminate.recv() => break,
                    _ = interrupt.recv() => break,
                }
            }
            serving.end();
            serving.stop_all().await;
        })
        .await;
    let _ = std::fs::remove_file(&socket);
    tracing::info!("supervisor ended");
    Ok(())
}

/// Only the owner may connect: the socket's mode says so, and so does its folder's.
fn listen(socket: &Utf8Path) -> std::io::Result<UnixListener> {
    if let Some(folder) = socket.parent()
        && !folder.exists()
    {
        std::fs::DirBuilder::new().mode(0o700).recursive(true).create(folder)?;
    }
    // The supervisor's lock is held, so a socket that is still there belongs to nobody.
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(socket.as_std_path())?;
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

fn announce() -> std::io::Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout();
    out.write_all(b"ready\n")?;
    out.flush()
}

impl Supervisor {
    async fn converse(self: Rc<Self>, stream: UnixStream) {
        let (reader, mut writer) = stream.into_split();
        let mut reader = BufReader::new(reader);
        let mut owner = false;
        loop {
            let mut line = String::new();
            match (&mut reader).take(REQUEST_LIMIT).read_line(&mut line).await {
                Ok(read) if read > 0 => {}
                _ => break,
            }
            let request = serde_json::from_str(&line);
            let shutdown = matches!(request, Ok(Request::Shutdown));
            let reply = match request {
                Ok(Request::Own) => {
                    owner = !self.detached.get();
                    Reply::Done
                }
                Ok(Request::AwaitReady { unit }) => {
                    // A client that goes away must not leave this task waiting for ever.
                    let answer = self.await_ready(&unit);
                    tokio::select! {
                        reply = answer => reply,
                        _ = reader.fill_buf() => break,
                    }
                }
                Ok(request) => self.answer(request).await,
                Err(error) => Reply::Refused { reason: format!("not a request: {error}") },
            };
            if self.is_ending.get() {
                break;
            }
            let mut bytes = serde_json::to_vec(&reply).expect("a reply is plain data");
            bytes.push(b'\n');
            if writer.write_all(&bytes).await.is_err() {
                break;
            }
            if shutdown {
                self.end();
            }
        }
        if owner && !self.detached.get() {
            tracing::info!("the owner is gone");
            self.end();
        }
    }

    fn end(&self) {
        self.is_ending.set(true);
        self.ending.notify_one();
    }

    async fn answer(&self, request: Request) -> Reply {
        match request {
            Request::Hello => Reply::Hello { protocol: PROTOCOL, pid: std::process::id() },
            Request::Observe => Reply::Units { units: self.observe().await },
            Request::Start { spec } => {
                let name = spec.name.clone();
                if let Some(keeper) = self.keeper(&name) {
                    keeper.stop().await;
                }
                let keeper = Keeper::start(*spec, self.state.clone(), self.prober.clone());
                self.units.borrow_mut().insert(name.clone(), Rc::new(keeper));
                let mut order = self.order.borrow_mut();
                if !order.contains(&name) {
                    order.push(name);
                }
                Reply::Done
            }
            Request::StartAgain { unit } => match self.keeper(&unit) {
                Some(keeper) => {
                    keeper.start_again().await;
                    Reply::Done
                }
                None => unknown(&unit),
            },
            Request::Kill { unit } => match self.keeper(&unit) {
                Some(keeper) => {
                    keeper.kill();
                    Reply::Done
                }
                None => unknown(&unit),
            },
            Request::Stop { unit } => match self.keeper(&unit) {
                Some(keeper) => {
                    keeper.stop().await;
                    Reply::Done
                }
                None => unknown(&unit),
            },
            Request::Remove { unit } => {
                if let Some(keeper) = self.keeper(&unit) {
                    keeper.stop().await;
                }
                self.units.borrow_mut().remove(&unit);
                self.order.borrow_mut().retain(|name| *name != unit);
                Reply::Done
            }
            Request::Detach => {
                self.detached.set(true);
                Reply::Done
            }
            Request::Shutdown => {
                self.stop_all().await;
                Reply::Done
            }
            Request::Own | Request::AwaitReady { .. } => {
                Reply::Refused { reason: "answered where the connection is known".to_owned() }
            }
        }
    }

    /// The units as they are now: one that was ready and does not answer is called starting.
    async fn observe(&self) -> Vec<ObservedUnit> {
        let keepers: Vec<Rc<Keeper>> = self.units.borrow().values().cloned().collect();
        let probes = keepers.into_iter().map(|keeper| {
            let prober = self.prober.clone();
            tokio::task::spawn_local(async move {
                let mut unit = keeper.observed();
                if let UnitState::Ready { pid, since } = unit.state
                    && !prober.passes(&keeper.spec.probe).await
                {
                    unit.state = UnitState::Starting { pid, since };
                }
                unit
            })
        });
        let mut units = Vec::new();
        for probe in probes.collect::<Vec<_>>() {
            if let Ok(unit) = probe.await {
                units.push(unit);
            }
        }
        units
    }

    async fn await_ready(&self, unit: &str) -> Reply {
        let Some(keeper) = self.keeper(unit) else {
            return unknown(unit);
        };
        let settled = keeper.settled().await;
        if matches!(settled.state, UnitState::Ready { .. }) {
            // It may have been ready once and be so no longer.
            self.prober.until_passes(&keeper.spec.probe).await;
        }
        Reply::Unit { unit: Box::new(keeper.observed()) }
    }

    async fn stop_all(&self) {
        let names: Vec<String> = self.order.borrow().iter().rev().cloned().collect();
        for name in names {
            if let Some(keeper) = self.keeper(&name) {
                keeper.stop().await;
            }
        }
    }

    fn keeper(&self, unit: &str) -> Option<Rc<Keeper>> {
        self.units.borrow().get(unit).cloned()
    }
}

fn unknown(unit: &str) -> Reply {
    Reply::Refused { reason: format!("there is no unit {unit}") }
}
