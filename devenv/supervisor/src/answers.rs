//! The supervisor's answers to requests, and its end.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::unit_spec::UnitSpec;
use camino::Utf8PathBuf;
use devenv_model::observed::{ObservedUnit, UnitState};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{Notify, watch};

use crate::clock;
use crate::probe::Prober;
use crate::protocol::{PROTOCOL, Reply, Request};
use crate::state_directory::StateDirectory;
use crate::surroundings::Surroundings;
use crate::unit_task::UnitTask;

/// Bytes; the largest request holds one unit's specification.
const REQUEST_LIMIT: u64 = 1024 * 1024;

pub(crate) struct Supervisor {
    surroundings: Surroundings,
    units: RefCell<BTreeMap<String, Rc<UnitTask>>>,
    /// Names in the order of their first start; the units stop in reverse order.
    order: RefCell<Vec<String>>,
    /// The content of the memory file at the last start of a unit, in case somebody removes the file.
    memory: RefCell<Option<Vec<u8>>>,
    /// The start, in milliseconds since the Unix epoch.
    since: u64,
    detached: Cell<bool>,
    /// Set once. From then on requests that [`is_promise`] names get no answer.
    is_ending: Cell<bool>,
    ending: Notify,
}

impl Supervisor {
    pub(crate) fn new(directory: StateDirectory) -> Self {
        Self {
            surroundings: Surroundings { directory, prober: Prober::default(), running: watch::Sender::new(0) },
            units: RefCell::default(),
            order: RefCell::default(),
            memory: RefCell::default(),
            since: clock::now(),
            detached: Cell::new(false),
            is_ending: Cell::new(false),
            ending: Notify::new(),
        }
    }

    pub(crate) async fn converse(self: Rc<Self>, stream: UnixStream) {
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
            let promise = request.as_ref().is_ok_and(is_promise);
            let reply = match request {
                Ok(Request::Own) => {
                    owner = !self.detached.get();
                    Reply::Done
                }
                Ok(Request::AwaitReady { unit }) => {
                    // A client that disconnects must not leave this task waiting for ever.
                    let answer = self.await_ready(&unit);
                    tokio::select! {
                        reply = answer => reply,
                        _ = reader.fill_buf() => break,
                    }
                }
                Ok(request) => self.answer(request).await,
                Err(error) => Reply::Refused { reason: format!("cannot parse the request: {error}") },
            };
            if promise && self.is_ending.get() {
                break;
            }
            let mut bytes = serde_json::to_vec(&reply).expect("a reply is plain data");
            bytes.push(b'\n');
            let written = writer.write_all(&bytes).await;
            if shutdown {
                self.ending.notify_one();
            }
            if written.is_err() {
                break;
            }
        }
        if owner && !self.detached.get() {
            tracing::info!("the owner is gone");
            self.is_ending.set(true);
            self.ending.notify_one();
        }
    }

    /// Resolves once, when the supervisor must end.
    pub(crate) async fn ending(&self) {
        self.ending.notified().await;
    }

    /// Returns when no process of any unit runs.
    pub(crate) async fn end(&self) {
        self.is_ending.set(true);
        self.stop_all().await;
        // Removed units may still be ending: `running` counts them, `units` does not.
        let _ = self.surroundings.running.subscribe().wait_for(|running| *running == 0).await;
    }

    pub(crate) fn memory(&self) -> Option<Vec<u8>> {
        self.memory.borrow().clone()
    }

    async fn answer(&self, request: Request) -> Reply {
        match request {
            Request::Hello => {
                let program = std::env::current_exe().ok().and_then(|path| Utf8PathBuf::from_path_buf(path).ok());
                Reply::Hello { protocol: PROTOCOL, pid: std::process::id(), program, since: Some(self.since) }
            }
            Request::Observe => Reply::Units { units: self.observe().await },
            Request::Start { spec } => self.start(*spec).await,
            // `stop_all` may already have passed this unit.
            Request::StartAgain { .. } if self.is_ending.get() => ending(),
            Request::StartAgain { unit } => match self.task(&unit) {
                Some(task) => {
                    task.start_again().await;
                    Reply::Done
                }
                None => unknown(&unit),
            },
            Request::Kill { unit } => match self.task(&unit) {
                Some(task) => {
                    task.kill();
                    Reply::Done
                }
                None => unknown(&unit),
            },
            Request::Stop { unit } => match self.task(&unit) {
                Some(task) => {
                    task.stop().await;
                    Reply::Done
                }
                None => unknown(&unit),
            },
            Request::Remove { unit } => {
                if let Some(task) = self.task(&unit) {
                    task.stop().await;
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
                self.end().await;
                Reply::Done
            }
            Request::Own | Request::AwaitReady { .. } => {
                Reply::Refused { reason: "this request needs the state of its connection".to_owned() }
            }
        }
    }

    async fn start(&self, spec: UnitSpec) -> Reply {
        let name = spec.name.clone();
        if let Some(task) = self.task(&name) {
            task.stop().await;
        }
        // The end may have begun during the stop above. Nothing below awaits, so the end sees either this unit or none.
        if self.is_ending.get() {
            return ending();
        }
        if let Ok(memory) = std::fs::read(self.surroundings.directory.memory_file()) {
            self.memory.replace(Some(memory));
        }
        let task = UnitTask::start(spec, self.surroundings.clone());
        self.units.borrow_mut().insert(name.clone(), Rc::new(task));
        let mut order = self.order.borrow_mut();
        if !order.contains(&name) {
            order.push(name);
        }
        Reply::Done
    }

    /// The units as they are now. A ready unit whose probe fails now is reported as starting.
    async fn observe(&self) -> Vec<ObservedUnit> {
        let tasks: Vec<Rc<UnitTask>> = self.units.borrow().values().cloned().collect();
        let probes = tasks.into_iter().map(|task| {
            tokio::task::spawn_local(async move {
                let seen = task.observed();
                let UnitState::Ready { pid, since } = seen.state else {
                    return seen;
                };
                let answers = task.answers().await;
                match task.observed() {
                    unit if unit.state != seen.state || answers => unit,
                    unit => ObservedUnit { state: UnitState::Starting { pid, since }, ..unit },
                }
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
        let Some(task) = self.task(unit) else {
            return unknown(unit);
        };
        Reply::Unit { unit: Box::new(task.until_settled().await) }
    }

    async fn stop_all(&self) {
        let names: Vec<String> = self.order.borrow().iter().rev().cloned().collect();
        for name in names {
            if let Some(task) = self.task(&name) {
                task.stop().await;
            }
        }
    }

    fn task(&self, unit: &str) -> Option<Rc<UnitTask>> {
        self.units.borrow().get(unit).cloned()
    }
}

/// Whether a command relies on the answer for longer than an ending supervisor lives. Once the end has begun, the connection
/// closes without an answer, and the command looks again.
fn is_promise(request: &Request) -> bool {
    matches!(
        request,
        Request::Own
            | Request::Detach
            | Request::Start { .. }
            | Request::StartAgain { .. }
            | Request::AwaitReady { .. }
    )
}

fn ending() -> Reply {
    Reply::Refused { reason: "the supervisor is ending".to_owned() }
}

fn unknown(unit: &str) -> Reply {
    Reply::Refused { reason: format!("there is no unit {unit}") }
}
