//! One unit's life: a task that owns the unit's process and state.

use std::time::{Duration, Instant};

use crate::unit_spec::UnitSpec;
use devenv_model::intent::{Binding, Lifetime};
use devenv_model::observed::{Exit, ObservedUnit, UnitState};
use devenv_model::unit::Probe;
use rustix::process::Signal;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::Child;
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock;
use crate::health_check::{self, Health};
use crate::leftovers::{end, signal_group};
use crate::listeners::Seen;
use crate::log::Log;
use crate::log_file::Lines;
use crate::probe::pause_after;
use crate::readiness::Readiness;
use crate::spawn::spawn;
use crate::stop_signal::stop_signal;
use crate::surroundings::Surroundings;

const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);
/// After a unit was ready for this long, its next death starts the back-off anew.
const WELL_AFTER: Duration = Duration::from_secs(10);
/// The limit for reading the last output of an ended process; a descendant may hold the pipe for ever.
const LAST_WORDS: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(crate) enum Command {
    Start(oneshot::Sender<()>),
    Stop(oneshot::Sender<()>),
    Kill,
}

/// The supervisor's handle of a unit. Dropping it stops the unit.
#[derive(Debug)]
pub(crate) struct UnitTask {
    spec: UnitSpec,
    surroundings: Surroundings,
    commands: mpsc::UnboundedSender<Command>,
    state: watch::Receiver<ObservedUnit>,
    health: watch::Receiver<bool>,
    seen: Seen,
}

impl UnitTask {
    pub(crate) fn start(spec: UnitSpec, surroundings: Surroundings) -> Self {
        let (commands, orders) = mpsc::unbounded_channel();
        let observed = ObservedUnit {
            name: spec.name.clone(),
            config_hash: spec.config_hash(),
            state: UnitState::Stopped { exit: None },
            bindings: spec.ports.iter().map(|(container, port)| Binding::on_loopback(*container, *port)).collect(),
            restarts: 0,
        };
        let (publish, state) = watch::channel(observed);
        let (healthy, health) = watch::channel(false);
        let life = Life {
            log: Log::open(surroundings.directory.log(&spec.name)),
            spec: spec.clone(),
            surroundings: surroundings.clone(),
            orders,
            publish,
            healthy,
            was_ready: false,
            last_exit: None,
            deaths: 0,
        };
        tokio::task::spawn_local(life.run());
        Self { spec, surroundings, commands, state, health, seen: Seen::default() }
    }

    pub(crate) fn observed(&self) -> ObservedUnit {
        self.state.borrow().clone()
    }

    /// Resolves when the unit has left its rest: later observations are of the new process.
    pub(crate) async fn start_again(&self) {
        let (done, begun) = oneshot::channel();
        if self.commands.send(Command::Start(done)).is_ok() {
            let _ = begun.await;
        }
    }

    pub(crate) fn kill(&self) {
        let _ = self.commands.send(Command::Kill);
    }

    /// Resolves when the process and all its descendants have ended.
    pub(crate) async fn stop(&self) {
        let (done, ended) = oneshot::channel();
        if self.commands.send(Command::Stop(done)).is_ok() {
            let _ = ended.await;
        }
    }

    /// Waits until the unit is ready and its own process answers, or until it has completed or failed, and returns it.
    pub(crate) async fn until_settled(&self) -> ObservedUnit {
        let mut state = self.state.clone();
        let begin = Instant::now();
        let is_over = |unit: &ObservedUnit| matches!(unit.state, UnitState::Completed | UnitState::Failed { .. });
        loop {
            let settled = |unit: &ObservedUnit| is_over(unit) || matches!(unit.state, UnitState::Ready { .. });
            let Ok(unit) = state.wait_for(settled).await.map(|unit| unit.clone()) else {
                return self.observed();
            };
            // The process may have died since it was ready: the same one must run before and after the probe.
            let answers = self.answers().await;
            if is_over(&unit) || (answers && self.observed().state == unit.state) {
                return unit;
            }
            tokio::time::sleep(pause_after(begin.elapsed())).await;
        }
    }

    /// Whether the ready process still answers, and no other process in its place.
    pub(crate) async fn answers(&self) -> bool {
        let UnitState::Ready { pid, .. } = self.observed().state else {
            return false;
        };
        if self.spec.probe == Probe::Healthcheck {
            return *self.health.borrow();
        }
        let readiness = Readiness::of(&self.spec, &self.surroundings, pid);
        readiness.passes().await && !readiness.is_another_programs(&self.seen)
    }
}

/// Counts one running process; the supervisor ends only at zero.
struct Running(watch::Sender<usize>);

impl Running {
    fn begin(running: &watch::Sender<usize>) -> Self {
        running.send_modify(|count| *count += 1);
        Self(running.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

struct Life {
    spec: UnitSpec,
    surroundings: Surroundings,
    log: Log,
    orders: mpsc::UnboundedReceiver<Command>,
    publish: watch::Sender<ObservedUnit>,
    healthy: Health,
    was_ready: bool,
    /// The exit of the last process that was ready before it ended.
    last_exit: Option<Exit>,
    /// Deaths in a row, without a ready time of [`WELL_AFTER`] between them.
    deaths: u32,
}

/// The reason why a process is no longer watched.
enum Parting {
    /// It has ended by itself.
    Died(Exit),
    Stop(oneshot::Sender<()>),
    End,
}

enum Next {
    Live,
    /// The process has ended by itself.
    Died {
        exit: Exit,
        ready_at: Option<Instant>,
    },
    /// Wait, then start again.
    BackOff {
        exit: Exit,
    },
    /// Do nothing until the next command.
    Rest,
    End,
}

impl Life {
    async fn run(mut self) {
        let mut next = Next::Live;
        loop {
            next = match next {
                Next::Live => self.live().await,
                Next::Died { exit, ready_at } => self.died(exit, ready_at).await,
                Next::BackOff { exit } => self.back_off(exit).await,
                Next::Rest => self.rest().await,
                Next::End => return,
            };
        }
    }

    async fn live(&mut self) -> Next {
        let _running = Running::begin(&self.surroundings.running);
        let directory = &self.surroundings.directory;
        self.make_folders();
        // A descendant that outlived its parent would hold the unit's port.
        if let Err(error) = end(directory, &self.spec.name).await {
            return self.fail(format!("cannot end its leftover processes: {error}"));
        }
        // Before the process can do anything.
        let started = clock::monotonic();
        let mut spawned = match spawn(&self.spec, &self.spec.command, &directory.unit_lock(&self.spec.name)) {
            Ok(spawned) => spawned,
            Err(error) => return self.not_started(&error),
        };
        let pid = spawned.child.id().unwrap_or_default();
        self.log.note(&format!("{} started (process {pid})", self.spec.name));
        let writer = match pipe::Receiver::from_owned_fd(spawned.output) {
            Ok(output) => tokio::spawn(copy(output, self.log.clone())),
            Err(error) => {
                let _ = spawned.child.start_kill();
                return self.fail(format!("cannot read its output: {error}"));
            }
        };
        self.healthy.send_replace(false);
        self.set(UnitState::Starting { pid, since: clock::now() });
        let next = self.attend(&mut spawned.child, pid, started).await;
        if tokio::time::timeout(LAST_WORDS, writer).await.is_err() {
            tracing::debug!(unit = %self.spec.name, "a descendant keeps the output open");
        }
        // A command that sees the death reads the log next.
        self.log.written(LAST_WORDS).await;
        next
    }

    /// Makes the state directory's folders again if somebody removed them.
    fn make_folders(&self) {
        let directory = &self.surroundings.directory;
        if !directory.units().exists() && directory.prepare().is_ok() {
            *directory.lost_files() = Some(true);
        }
    }

    /// A failed start. A program that ran before is tried again: it may lack memory, file descriptors, or, during a
    /// compilation, its own file.
    fn not_started(&mut self, error: &std::io::Error) -> Next {
        let program = self.spec.command.first().map_or("", String::as_str);
        let error = format!("cannot start {program}: {error}");
        match self.last_exit {
            Some(exit) if self.was_ready && self.spec.lifetime.is_restarted() => {
                self.log.note(&format!("{} {error}", self.spec.name));
                self.deaths += 1;
                Next::BackOff { exit }
            }
            _ => self.fail(error),
        }
    }

    /// Watches the process and obeys commands until the process ends.
    async fn attend(&mut self, child: &mut Child, pid: u32, started: u64) -> Next {
        let (parting, ready_at) = self.watch(child, pid, started).await;
        if self.spec.healthcheck.is_some()
            && let Err(error) = health_check::end_all(&self.spec, &self.surroundings.directory).await
        {
            tracing::warn!(unit = %self.spec.name, %error, "cannot end its health check");
        }
        match parting {
            Parting::Died(exit) => Next::Died { exit, ready_at },
            Parting::Stop(done) => {
                let exit = self.terminate(child, pid).await;
                self.set(UnitState::Stopped { exit: Some(exit) });
                let _ = done.send(());
                Next::Rest
            }
            Parting::End => {
                self.terminate(child, pid).await;
                Next::End
            }
        }
    }

    /// Watches the process until it ends or must end. Returns also the time at which it became ready.
    async fn watch(&mut self, child: &mut Child, pid: u32, started: u64) -> (Parting, Option<Instant>) {
        let mut ready_at = None;
        let mut has_answered = false;
        let readiness = Readiness::of(&self.spec, &self.surroundings, pid);
        let (log, healthy) = (self.log.clone(), self.healthy.clone());
        let (spec, directory) = (self.spec.clone(), self.surroundings.directory.clone());
        let becoming = async {
            match spec.probe {
                Probe::Healthcheck => drop(healthy.subscribe().wait_for(|healthy| *healthy).await),
                _ => readiness.reached(started, &log).await,
            }
        };
        let checking = health_check::check(&spec, &directory, &log, &healthy);
        tokio::pin!(becoming, checking);
        loop {
            tokio::select! {
                // A process that has ended must never become ready.
                biased;
                status = child.wait() => {
                    signal_group(pid, Signal::KILL);
                    let exit = exit_of(&status);
                    if self.was_ready && self.spec.lifetime.is_restarted() {
                        self.set(UnitState::Backoff { exit, until: clock::now() });
                    }
                    return (Parting::Died(exit), ready_at);
                }
                order = self.orders.recv() => match order {
                    Some(Command::Kill) => signal_group(pid, Signal::KILL),
                    Some(Command::Start(done)) => {
                        let _ = done.send(());
                    }
                    Some(Command::Stop(done)) => return (Parting::Stop(done), ready_at),
                    None => return (Parting::End, ready_at),
                },
                () = &mut becoming, if !has_answered => {
                    has_answered = true;
                    // The process may have ended without `wait` having noticed it yet.
                    if matches!(child.try_wait(), Ok(None)) {
                        ready_at = Some(Instant::now());
                        self.was_ready = true;
                        self.set(UnitState::Ready { pid, since: clock::now() });
                    }
                }
                () = &mut checking => {}
            }
        }
    }

    async fn died(&mut self, exit: Exit, ready_at: Option<Instant>) -> Next {
        if !self.spec.lifetime.is_restarted() {
            return self.ended(exit).await;
        }
        // A unit that exits before its first success is misconfigured: report it, don't retry.
        if !self.was_ready {
            return self.fail(format!("ended with {exit} before it was ready"));
        }
        if ready_at.is_some_and(|ready| ready.elapsed() >= WELL_AFTER) {
            self.deaths = 0;
        }
        self.deaths += 1;
        self.last_exit = Some(exit);
        Next::BackOff { exit }
    }

    /// The end of a unit that is not restarted. Its descendants end too, as in a container.
    async fn ended(&mut self, exit: Exit) -> Next {
        if let Err(error) = end(&self.surroundings.directory, &self.spec.name).await {
            tracing::warn!(unit = %self.spec.name, %error, "cannot end the descendants");
        }
        if exit == Exit::Code(0) {
            self.log.note(&format!("{} completed", self.spec.name));
            self.set(UnitState::Completed);
            return Next::Rest;
        }
        let waits = self.spec.lifetime != Lifetime::OneShot && !self.was_ready;
        self.fail(format!("ended with {exit}{}", if waits { " before it was ready" } else { "" }))
    }

    async fn back_off(&mut self, exit: Exit) -> Next {
        let pause = backoff(self.deaths);
        let until = clock::now() + u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        self.set(UnitState::Backoff { exit, until });
        let text = format!("{} ended with {exit}, starting again in {} ms", self.spec.name, pause.as_millis());
        self.log.note(&text);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            order = self.orders.recv() => match order {
                Some(Command::Stop(done)) => {
                    self.set(UnitState::Stopped { exit: Some(exit) });
                    let _ = done.send(());
                    return Next::Rest;
                }
                Some(Command::Start(done)) => {
                    let _ = done.send(());
                }
                Some(Command::Kill) => {}
                None => return Next::End,
            }
        }
        self.publish.send_modify(|unit| unit.restarts += 1);
        Next::Live
    }

    async fn rest(&mut self) -> Next {
        loop {
            match self.orders.recv().await {
                Some(Command::Start(done)) => {
                    self.was_ready = false;
                    self.deaths = 0;
                    self.set(UnitState::Stopped { exit: None });
                    let _ = done.send(());
                    return Next::Live;
                }
                Some(Command::Stop(done)) => {
                    let _ = done.send(());
                }
                Some(Command::Kill) => {}
                None => return Next::End,
            }
        }
    }

    /// Sends the stop signal to the group, SIGKILL after the grace period, and then ends every process that still holds the unit's lock.
    async fn terminate(&self, child: &mut Child, pid: u32) -> Exit {
        signal_group(pid, self.spec.stop_signal.as_deref().map_or(Signal::TERM, stop_signal));
        let status = match tokio::time::timeout(self.spec.stop_grace_period, child.wait()).await {
            Ok(status) => status,
            Err(_) => {
                signal_group(pid, Signal::KILL);
                child.wait().await
            }
        };
        if let Err(error) = end(&self.surroundings.directory, &self.spec.name).await {
            tracing::warn!(unit = %self.spec.name, %error, "cannot end the descendants");
        }
        exit_of(&status)
    }

    fn fail(&self, error: String) -> Next {
        self.log.note(&format!("{} {error}", self.spec.name));
        self.set(UnitState::Failed { error });
        Next::Rest
    }

    fn set(&self, state: UnitState) {
        tracing::info!(unit = %self.spec.name, ?state, "unit");
        self.publish.send_modify(|unit| unit.state = state);
    }
}

fn backoff(deaths: u32) -> Duration {
    let doubled = FIRST_BACKOFF.saturating_mul(1 << deaths.saturating_sub(1).min(16));
    doubled.min(LONGEST_BACKOFF)
}

fn exit_of(status: &std::io::Result<std::process::ExitStatus>) -> Exit {
    use std::os::unix::process::ExitStatusExt;
    match status {
        Ok(status) => status.code().map_or_else(|| Exit::Signal(status.signal().unwrap_or_default()), Exit::Code),
        Err(_) => Exit::Code(-1),
    }
}

async fn copy(mut output: pipe::Receiver, log: Log) {
    let mut lines = Lines::default();
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read) = output.read(&mut buffer).await {
        if read == 0 {
            break;
        }
        log.take(lines.take(&buffer[..read]));
    }
    log.take(lines.finish());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_doubles_and_ends_at_ten_seconds() {
        let pauses: Vec<u128> = (1..10).map(|deaths| backoff(deaths).as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        assert_eq!(backoff(u32::MAX), LONGEST_BACKOFF);
    }
}
