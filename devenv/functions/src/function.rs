//! One function: its events, its units, and their deadlines.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use devenv_supervisor::clock;
use hyper::body::Bytes;
use tokio::sync::{Notify, oneshot};

use crate::invocation::{Failure, Invocation, Outcome};
use crate::pool::{NotItsInvocation, Pool, Ticket};
use crate::report::{Report, start};
use crate::units::Units;

/// The limit for a unit to take an event: units that start anew are back within seconds.
pub(crate) const TAKE_LIMIT: Duration = Duration::from_secs(30);
/// A unit's memory is looked at again after this time.
const MEMORY_AFTER: Duration = Duration::from_secs(5);

#[derive(Debug, Clone)]
pub(crate) struct FunctionSettings {
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) timeout: Duration,
    pub(crate) memory_megabytes: u32,
    /// The names of its units.
    pub(crate) units: Vec<String>,
}

/// An invocation that is over, with the lines about it and of the function.
#[derive(Debug)]
pub(crate) struct Completed {
    pub(crate) outcome: Outcome,
    pub(crate) log: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) settings: FunctionSettings,
    pool: Mutex<Pool>,
    units: Arc<dyn Units>,
    /// Notified when a unit asks for an event, or is gone.
    changed: Notify,
    /// The error that a unit reported before it asked for an event.
    init_error: Mutex<Option<Bytes>>,
    memory: Mutex<Vec<Option<(Instant, u64)>>>,
    /// When each unit last asked for an event, by [`clock::monotonic`].
    asked: Mutex<Vec<Option<u64>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Function {
    pub(crate) fn new(settings: FunctionSettings, units: Arc<dyn Units>) -> Self {
        let count = settings.units.len();
        Self {
            settings,
            pool: Mutex::new(Pool::new(count)),
            units,
            changed: Notify::new(),
            init_error: Mutex::default(),
            memory: Mutex::new(vec![None; count]),
            asked: Mutex::new(vec![None; count]),
        }
    }

    fn say(&self, line: &str) {
        crate::say(&format!("{}: {line}", self.settings.name));
    }

    /// Gives the event to a unit and waits for its end. Goes on if the caller no longer waits.
    pub(crate) async fn invoke(self: &Arc<Self>, invocation: Invocation) -> Completed {
        let function = Arc::clone(self);
        let run = tokio::spawn(async move { function.run(invocation).await });
        run.await.unwrap_or_else(|error| Completed { outcome: Outcome::NotTaken(error.to_string()), log: Vec::new() })
    }

    async fn run(&self, invocation: Invocation) -> Completed {
        let id = invocation.id.clone();
        let submitted = locked(&self.pool).submit(invocation);
        let Some(mut ticket) = submitted else {
            let why = format!("too many events wait for {}", self.settings.name);
            return Completed { outcome: Outcome::NotTaken(why), log: Vec::new() };
        };
        let Some(unit) = self.taken(&mut ticket).await else {
            return Completed { outcome: self.not_taken(), log: Vec::new() };
        };
        let (begun, mark) = (Instant::now(), self.units.mark(&self.settings.units[unit]));
        let first = start(&id);
        self.say(&first);
        let outcome = self.ended(unit, &id, ticket).await;
        let status = match &outcome {
            Outcome::Failed(failure) => Some(failure.status),
            Outcome::Done(_) | Outcome::NotTaken(_) => None,
        };
        let (duration, used) = (begun.elapsed(), self.memory_of(unit));
        let last = Report { id, duration, memory_megabytes: self.settings.memory_megabytes, used, status }.lines();
        for line in &last {
            self.say(line);
        }
        let mut log = vec![first];
        log.extend(mark.lines().await);
        log.extend(last);
        Completed { outcome, log }
    }

    /// The unit that takes the event; `None` if none does in time.
    async fn taken(&self, ticket: &mut Ticket) -> Option<usize> {
        if let Ok(taken) = tokio::time::timeout(TAKE_LIMIT, &mut ticket.begun).await {
            return taken.ok();
        }
        // Under the lock, so that no unit takes it at this moment.
        let _pool = locked(&self.pool);
        ticket.begun.close();
        ticket.begun.try_recv().ok()
    }

    fn not_taken(&self) -> Outcome {
        match locked(&self.init_error).clone() {
            Some(body) => Outcome::Failed(Failure::reported(body)),
            None => Outcome::NotTaken(format!(
                "no unit of {} took the event within {} s",
                self.settings.name,
                TAKE_LIMIT.as_secs()
            )),
        }
    }

    /// Waits for the unit's answer, or kills the unit at its deadline.
    async fn ended(&self, unit: usize, id: &str, mut ticket: Ticket) -> Outcome {
        let timeout = self.settings.timeout;
        let in_time = tokio::time::timeout(timeout, &mut ticket.end).await;
        if in_time.is_err() && locked(&self.pool).expire(unit, id, Failure::timed_out(id, timeout)) {
            let name = &self.settings.units[unit];
            if let Err(cause) = self.units.restart(name).await {
                self.say(&format!("cannot restart {name}, which is past its deadline: {cause}"));
            }
            locked(&self.pool).killed(unit);
            self.changed.notify_waiters();
        }
        match in_time {
            Ok(ended) => ended,
            Err(_) => ticket.end.await,
        }
        .unwrap_or_else(|_| Outcome::Failed(Failure::ended(id)))
    }

    /// The next event for a unit. Resolves when there is one.
    pub(crate) async fn ask(self: &Arc<Self>, unit: usize) -> oneshot::Receiver<Invocation> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let asked = locked(&self.pool).ask(unit);
            if let Some(event) = asked {
                locked(&self.asked)[unit] = Some(clock::monotonic());
                *locked(&self.init_error) = None;
                self.changed.notify_waiters();
                self.look_at_memory(unit);
                return event;
            }
            changed.await;
        }
    }

    pub(crate) fn finish(&self, unit: usize, id: &str, outcome: Outcome) -> Result<(), NotItsInvocation> {
        locked(&self.pool).finish(unit, id, outcome)
    }

    /// A unit cannot begin.
    pub(crate) fn failed_to_start(&self, unit: usize, error: Bytes) {
        self.say(&format!("{} cannot start: {}", self.settings.units[unit], String::from_utf8_lossy(&error)));
        *locked(&self.init_error) = Some(error);
    }

    /// `started`: when the unit's process was started, by [`clock::monotonic`], if the caller knows. A unit that has not asked since then
    /// may have an event still, of the process before.
    pub(crate) fn is_ready(&self, unit: usize, started: Option<u64>) -> bool {
        let has_asked = started.is_none_or(|started| locked(&self.asked)[unit] >= Some(started));
        has_asked && locked(&self.pool).is_ready(unit)
    }

    pub(crate) fn has_ready_unit(&self) -> bool {
        let pool = locked(&self.pool);
        (0..self.settings.units.len()).any(|unit| pool.is_ready(unit))
    }

    /// Resolves when a unit waits for an event.
    pub(crate) async fn available(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if locked(&self.pool).has_idle() {
                return;
            }
            changed.await;
        }
    }

    fn memory_of(&self, unit: usize) -> Option<u64> {
        locked(&self.memory)[unit].map(|(_, bytes)| bytes)
    }

    /// Looks in the background: no event waits for it.
    fn look_at_memory(self: &Arc<Self>, unit: usize) {
        let is_new = locked(&self.memory)[unit].is_some_and(|(looked, _)| looked.elapsed() < MEMORY_AFTER);
        if is_new {
            return;
        }
        let function = Arc::clone(self);
        tokio::spawn(async move {
            if let Some(bytes) = function.units.memory(&function.settings.units[unit]).await {
                locked(&function.memory)[unit] = Some((Instant::now(), bytes));
            }
        });
    }
}
