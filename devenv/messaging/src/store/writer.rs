//! The one thread that reads and writes the file. It puts the calls that wait into one transaction and answers them after its commit.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::open::{self, OpenError, Place};
use super::transaction::{Cache, Transaction};
use super::upkeep;
use super::wakes::Wakes;
use crate::front::error::ApiError;
use crate::topics::courier;

/// The most calls of one transaction: above it the first caller would wait for the last.
const TOGETHER: usize = 256;

/// A handle of the store. The thread ends, and closes the file, after the last handle.
#[derive(Clone)]
pub(crate) struct Store {
    jobs: Sender<Box<dyn Job>>,
    pub(crate) wakes: Arc<Wakes>,
    /// Whether the file had deliveries to HTTP endpoints when it was opened.
    pub(crate) had_deliveries: bool,
}

/// A call as the thread sees it.
trait Job: Send {
    /// Runs it. Returns whether its changes are to be kept.
    fn run(&mut self, transaction: &mut Transaction<'_>) -> bool;
    /// Answers the caller, with the error of the commit if that failed.
    fn answer(self: Box<Self>, commit: Option<&ApiError>);
    /// Whether the caller has gone.
    fn is_abandoned(&self) -> bool;
}

struct Work<F, T> {
    call: Option<F>,
    outcome: Option<Result<T, ApiError>>,
    caller: oneshot::Sender<Result<T, ApiError>>,
}

impl<F, T> Job for Work<F, T>
where
    F: FnOnce(&mut Transaction<'_>) -> Result<T, ApiError> + Send,
    T: Send,
{
    fn run(&mut self, transaction: &mut Transaction<'_>) -> bool {
        self.outcome = self.call.take().map(|call| call(transaction));
        matches!(self.outcome, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, commit: Option<&ApiError>) {
        let Self { outcome, caller, .. } = *self;
        let outcome = match (outcome, commit) {
            (Some(Ok(_)), Some(error)) => Err(error.clone()),
            (Some(outcome), _) => outcome,
            (None, error) => Err(error.cloned().unwrap_or_else(|| ApiError::internal("the call did not run"))),
        };
        // A caller that has gone needs no answer.
        let _ = caller.send(outcome);
    }

    fn is_abandoned(&self) -> bool {
        self.caller.is_closed()
    }
}

impl Store {
    pub(crate) fn open(place: &Place) -> Result<Self, OpenError> {
        let connection = open::open(place)?;
        // If the look fails, the first delivery finds out why.
        let had_deliveries = courier::is_left(&connection).unwrap_or(true);
        let (jobs, waiting) = channel();
        let wakes = Arc::new(Wakes::default());
        let bells = wakes.clone();
        std::thread::Builder::new()
            .name("messages".to_owned())
            .spawn(move || write(&connection, &waiting, &bells))
            .map_err(OpenError::Thread)?;
        Ok(Self { jobs, wakes, had_deliveries })
    }

    /// Runs `work` in a transaction, and returns its result once that is committed.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Transaction<'_>) -> Result<T, ApiError> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let job = Box::new(Work { call: Some(work), outcome: None, caller });
        let ended = || ApiError::internal("the thread that writes messages has ended");
        self.jobs.send(job).map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

fn write(connection: &Connection, waiting: &Receiver<Box<dyn Job>>, wakes: &Wakes) {
    let mut cache = Cache { is_moving: true, ..Cache::default() };
    let mut due = Instant::now();
    loop {
        // A call may have begun a task meanwhile, whose steps follow each other faster.
        due = due.min(Instant::now() + upkeep::interval(&cache));
        let mut woken = BTreeSet::new();
        match waiting.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(job) => together(connection, &mut cache, &mut woken, job, waiting),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if Instant::now() >= due {
            alone(connection, &mut cache, &mut woken);
            due = Instant::now() + upkeep::interval(&cache);
        }
        for queue in &woken {
            wakes.ring(queue);
        }
    }
}

/// Runs the calls that wait in one transaction.
fn together(
    connection: &Connection,
    cache: &mut Cache,
    woken: &mut BTreeSet<Arc<str>>,
    first: Box<dyn Job>,
    waiting: &Receiver<Box<dyn Job>>,
) {
    let mut jobs: Vec<Box<dyn Job>> = Vec::new();
    let mut next = Some(first);
    let begun = execute(connection, "BEGIN IMMEDIATE");
    let outcome = begun.and_then(|()| {
        while let Some(job) = next.take() {
            if !job.is_abandoned() {
                jobs.push(job);
                let job = jobs.last_mut().expect("one was pushed");
                one(connection, cache, woken, job.as_mut())?;
            }
            if jobs.len() < TOGETHER {
                next = waiting.try_recv().ok();
            }
        }
        execute(connection, "COMMIT")
    });
    let error = outcome.err().map(|error| {
        undo(connection, cache);
        woken.clear();
        ApiError::from(error)
    });
    jobs.into_iter().chain(next).for_each(|job| job.answer(error.as_ref()));
}

/// Runs one call in a savepoint, so that its error undoes its own changes and no other's.
fn one(
    connection: &Connection,
    cache: &mut Cache,
    woken: &mut BTreeSet<Arc<str>>,
    job: &mut dyn Job,
) -> rusqlite::Result<()> {
    execute(connection, "SAVEPOINT call")?;
    if !job.run(&mut Transaction::new(connection, cache, now(), woken)) {
        forget(cache);
        execute(connection, "ROLLBACK TO call")?;
    }
    execute(connection, "RELEASE call")
}

/// Does the work that no call asks for: expired messages, tasks that move messages.
fn alone(connection: &Connection, cache: &mut Cache, woken: &mut BTreeSet<Arc<str>>) {
    let outcome = execute(connection, "BEGIN IMMEDIATE")
        .map_err(ApiError::from)
        .and_then(|()| upkeep::step(&mut Transaction::new(connection, cache, now(), woken)))
        .and_then(|()| execute(connection, "COMMIT").map_err(ApiError::from));
    if outcome.is_err() {
        // The next step tries again.
        undo(connection, cache);
        woken.clear();
    }
}

fn undo(connection: &Connection, cache: &mut Cache) {
    forget(cache);
    // SQLite has undone it already after some errors.
    let _ = execute(connection, "ROLLBACK");
}

/// What the cache holds may have been changed by a call that is undone.
fn forget(cache: &mut Cache) {
    cache.queues.clear();
    cache.budgets.clear();
    cache.is_moving = true;
}

fn execute(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([]).map(drop)
}

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
