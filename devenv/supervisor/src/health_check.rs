//! A unit's health check: a command that runs again and again beside the unit's process.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use devenv_model::manifest::{HealthTest, Healthcheck};
use rustix::process::Signal;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::sync::watch;

use crate::leftovers::{end, signal_group};
use crate::log::Log;
use crate::spawn::{Spawned, spawn};
use crate::state_directory::StateDirectory;
use crate::unit_spec::UnitSpec;

/// The pauses between the checks before the first regular one begin with this, and double.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Bytes of a check's last output that its failure shows.
const OUTPUT_LIMIT: usize = 1024;
/// The limit for reading the last output of an ended check; a descendant may hold the pipe for ever.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// The result of the checks so far. It begins anew with each process of the unit.
pub(crate) type Health = watch::Sender<bool>;

/// Checks the unit until it is dropped, and publishes whether it is healthy. Dropping it kills a running check.
///
/// The checks run as a container engine runs them, with one difference: an engine makes its first check after the first interval,
/// and a unit is often ready long before. Earlier checks therefore run in between. Their success counts, their failure does not.
pub(crate) async fn check(spec: &UnitSpec, directory: &StateDirectory, log: &Log, health: &Health) {
    let Some(healthcheck) = &spec.healthcheck else {
        return std::future::pending().await;
    };
    let mut clock = Clock::new(healthcheck);
    let mut failures = 0;
    loop {
        match run(spec, healthcheck, directory).await {
            Ok(()) => {
                if failures >= healthcheck.retries {
                    log.note(&format!("{} is healthy again", spec.name));
                }
                (failures, clock.has_passed) = (0, true);
                health.send_replace(true);
            }
            Err(cause) if clock.counts() => {
                failures += 1;
                if failures == healthcheck.retries {
                    log.note(&format!("{} is unhealthy after {failures} failed checks: {cause}", spec.name));
                    health.send_replace(false);
                }
            }
            Err(_) => {}
        }
        tokio::time::sleep(clock.pause()).await;
    }
}

/// The times of the checks of one process.
struct Clock {
    interval: Duration,
    start_interval: Duration,
    start_period: Duration,
    begin: Instant,
    has_passed: bool,
    next_early: Duration,
}

impl Clock {
    fn new(check: &Healthcheck) -> Self {
        Self {
            interval: check.interval,
            start_interval: check.start_interval,
            start_period: check.start_period,
            begin: Instant::now(),
            has_passed: false,
            next_early: FIRST_PAUSE,
        }
    }

    /// Whether the failure of a check that ends now counts: one of the start does not, until a check has passed.
    fn counts(&self) -> bool {
        self.has_passed || self.begin.elapsed() >= self.start_period.max(self.first_regular())
    }

    /// The time of an engine's first check.
    fn first_regular(&self) -> Duration {
        if self.start_period.is_zero() { self.interval } else { self.start_interval.min(self.interval) }
    }

    fn pause(&mut self) -> Duration {
        let elapsed = self.begin.elapsed();
        if self.has_passed {
            return self.interval;
        }
        let left = self.first_regular().saturating_sub(elapsed);
        if !left.is_zero() {
            let early = self.next_early;
            self.next_early *= 2;
            return early.min(left);
        }
        if elapsed < self.start_period { self.start_interval } else { self.interval }
    }
}

/// Runs the check once. No process of it lives when this returns or is dropped, except for a process that leaves the group:
/// [`end_all`] finds it by its lock.
async fn run(spec: &UnitSpec, check: &Healthcheck, directory: &StateDirectory) -> Result<(), String> {
    let words = words(&check.test).ok_or("it has no command")?;
    let name = StateDirectory::check_of(&spec.name);
    end_all(spec, directory).await?;
    let started = spawn(spec, &words, &directory.unit_lock(&name));
    let Spawned { mut child, output } = started.map_err(|error| format!("cannot start {}: {error}", words[0]))?;
    let group = Group(child.id().unwrap_or_default());
    let output = pipe::Receiver::from_owned_fd(output).map_err(|error| format!("cannot read its output: {error}"))?;
    let mut output = Output { pipe: output, last: Vec::new(), is_open: true };
    let ending = async {
        loop {
            tokio::select! {
                biased;
                status = child.wait() => return status,
                // A full pipe would stop the check.
                () = output.read(), if output.is_open => {}
            }
        }
    };
    let status = tokio::time::timeout(check.timeout, ending).await;
    drop(group);
    let why = match status {
        Ok(Ok(status)) if status.success() => return Ok(()),
        Ok(Ok(status)) => ended_with(status),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("it did not end within {} ms", check.timeout.as_millis()),
    };
    let line = output.last_line().await;
    Err(if line.is_empty() { why } else { format!("{why}: {line}") })
}

/// Ends the processes of a check that has ended, or whose supervisor was killed.
pub(crate) async fn end_all(spec: &UnitSpec, directory: &StateDirectory) -> Result<(), String> {
    let ended = end(directory, &StateDirectory::check_of(&spec.name)).await;
    ended.map_err(|error| format!("cannot end the processes of an earlier check: {error}"))
}

/// A check's process group, killed when this is dropped.
struct Group(u32);

impl Drop for Group {
    fn drop(&mut self) {
        signal_group(self.0, Signal::KILL);
    }
}

fn words(test: &HealthTest) -> Option<Vec<String>> {
    match test {
        HealthTest::Command(words) => Some(words.clone()),
        HealthTest::Shell(line) => Some(vec!["/bin/sh".to_owned(), "-c".to_owned(), line.clone()]),
        HealthTest::Disabled => None,
    }
}

/// The end of a check's output.
struct Output {
    pipe: pipe::Receiver,
    last: Vec<u8>,
    is_open: bool,
}

impl Output {
    async fn read(&mut self) {
        let mut buffer = [0; OUTPUT_LIMIT];
        let read = self.pipe.read(&mut buffer).await.unwrap_or_default();
        self.is_open = read > 0;
        self.last.extend_from_slice(&buffer[..read]);
        self.last.drain(..self.last.len().saturating_sub(OUTPUT_LIMIT));
    }

    async fn last_line(mut self) -> String {
        let rest = async {
            while self.is_open {
                self.read().await;
            }
        };
        let _ = tokio::time::timeout(LAST_WORDS, rest).await;
        let text = String::from_utf8_lossy(&self.last);
        text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default().to_owned()
    }
}

fn ended_with(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, signal) => format!("signal {}", signal.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(interval: u64, start_period: u64, start_interval: u64) -> Clock {
        Clock::new(&Healthcheck {
            test: HealthTest::Disabled,
            interval: Duration::from_secs(interval),
            timeout: Duration::from_secs(1),
            retries: 3,
            start_period: Duration::from_secs(start_period),
            start_interval: Duration::from_secs(start_interval),
        })
    }

    fn later(clock: &mut Clock, seconds: u64) {
        clock.begin = Instant::now().checked_sub(Duration::from_secs(seconds)).expect("the machine runs for longer");
    }

    #[test]
    fn the_first_checks_come_quickly_and_their_failures_do_not_count() {
        let mut clock = clock(30, 0, 5);
        let early: Vec<u128> = (0..4).map(|_| clock.pause().as_millis()).collect();
        assert_eq!(early, [100, 200, 400, 800]);
        assert!(!clock.counts());
        later(&mut clock, 31);
        assert!(clock.counts());
        assert_eq!(clock.pause(), Duration::from_secs(30));
    }

    #[test]
    fn within_the_start_period_the_start_interval_holds_and_only_a_success_makes_failures_count() {
        let mut clock = clock(30, 20, 5);
        later(&mut clock, 6);
        assert_eq!(clock.pause(), Duration::from_secs(5));
        assert!(!clock.counts());
        clock.has_passed = true;
        assert!(clock.counts());
        assert_eq!(clock.pause(), Duration::from_secs(30));
        clock.has_passed = false;
        later(&mut clock, 21);
        assert!(clock.counts());
        assert_eq!(clock.pause(), Duration::from_secs(30));
    }
}
