//! The script of faults: which call fails, and how.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use devenv_cloud::{CloudError, CloudErrorKind};
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::Instant;

/// The fate of one call.
#[derive(Clone)]
pub enum Fault {
    /// Applied, but the answer never arrives: [`CloudErrorKind::Unreachable`].
    Lost,
    /// Applied, the answer is lost, and the client repeats the call by itself, as AWS's SDK does: its caller sees only the second
    /// answer.
    LostAndRetried,
    /// Not applied, and refused with this kind.
    Refused(CloudErrorKind),
    /// Applied, but only after this time.
    Delayed(Duration),
    /// Like [`Fault::Refused`], for this call and every later matching call until the time ends.
    RefusedFor(CloudErrorKind, Duration),
    /// An action precedes the call: another client writes, say.
    After(Arc<dyn Fn() + Send + Sync>),
    /// Applied, and an action follows before the answer arrives.
    Before(Arc<dyn Fn() + Send + Sync>),
    /// The caller sleeps, as a laptop does: its calls wait until this action has ended.
    Asleep(Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>),
    /// The caller dies before the call has an effect: it never returns, and [`Faults::killed`] does.
    Killed,
    /// The caller dies after the call was applied.
    KilledAfter,
}

impl Fault {
    /// An action before the call.
    pub fn after(event: impl Fn() + Send + Sync + 'static) -> Self {
        Self::After(Arc::new(event))
    }

    /// A slow action while the caller sleeps.
    pub fn asleep(event: impl Fn() -> BoxFuture<'static, ()> + Send + Sync + 'static) -> Self {
        Self::Asleep(Arc::new(event))
    }

    /// An action between the call and its answer.
    pub fn before(event: impl Fn() + Send + Sync + 'static) -> Self {
        Self::Before(Arc::new(event))
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost => formatter.write_str("Lost"),
            Self::LostAndRetried => formatter.write_str("LostAndRetried"),
            Self::Refused(kind) => write!(formatter, "Refused({kind:?})"),
            Self::Delayed(time) => write!(formatter, "Delayed({time:?})"),
            Self::RefusedFor(kind, time) => write!(formatter, "RefusedFor({kind:?}, {time:?})"),
            Self::After(_) => formatter.write_str("After(..)"),
            Self::Before(_) => formatter.write_str("Before(..)"),
            Self::Asleep(_) => formatter.write_str("Asleep(..)"),
            Self::Killed => formatter.write_str("Killed"),
            Self::KilledAfter => formatter.write_str("KilledAfter"),
        }
    }
}

/// The script of a test. Clones share it.
#[derive(Debug, Clone)]
pub struct Faults {
    script: Arc<Mutex<Script>>,
    killed: watch::Sender<bool>,
    asleep: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Script {
    calls: Vec<String>,
    /// Marks, each with the number of calls before it.
    marks: Vec<(usize, String)>,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    /// Words that the call must all contain.
    words: Vec<String>,
    /// Matching calls that succeed first.
    skip: usize,
    /// Matching calls that then meet the fault.
    left: usize,
    until: Option<Instant>,
    fault: Fault,
}

impl Default for Faults {
    fn default() -> Self {
        Self { script: Arc::default(), killed: watch::Sender::new(false), asleep: watch::Sender::new(false) }
    }
}

impl Faults {
    /// At the `nth` call (from 1, counted from now) that contains all of these words, such as `put record.json`; without
    /// words, at the `nth` of all calls.
    /// A call reads `put BUCKET/KEY`, `get BUCKET/KEY`, `files BUCKET/PREFIX`, `folders BUCKET/PREFIX`, `service CLUSTER/NAME`,
    /// `scale CLUSTER/NAME COUNT`, `push REPOSITORY:TAG`, `pull REPOSITORY@DIGEST`, `image REPOSITORY`, `caller`, `terraform apply update`.
    pub fn on(&self, words: &str, nth: usize, fault: Fault) {
        self.on_several(words, nth, 1, fault);
    }

    /// At this many consecutive calls.
    pub fn on_several(&self, words: &str, nth: usize, count: usize, fault: Fault) {
        assert!(nth > 0, "the first call is number 1");
        let words = words.split_whitespace().map(str::to_owned).collect();
        self.lock().rules.push(Rule { words, skip: nth - 1, left: count, until: None, fault });
    }

    /// Forgets all pending faults, and that the caller was killed or sleeps. Keeps the list of calls.
    pub fn clear(&self) {
        self.lock().rules.clear();
        self.killed.send_replace(false);
        self.sleeps(false);
    }

    /// Every call so far, in order.
    pub fn calls(&self) -> Vec<String> {
        self.lock().calls.clone()
    }

    /// Whether every fault has happened.
    pub fn all_happened(&self) -> bool {
        self.lock().rules.iter().all(|rule| rule.left == 0 || rule.until.is_some())
    }

    /// Kills the caller now, in the middle of its wait.
    pub fn kill(&self) {
        self.killed.send_replace(true);
    }

    /// Delays every call from now on, until it is released.
    pub fn sleeps(&self, asleep: bool) {
        self.asleep.send_replace(asleep);
    }

    /// Puts the following calls under this mark, by which a test finds them.
    pub fn mark(&self, mark: &str) {
        let mut script = self.lock();
        let so_far = script.calls.len();
        script.marks.push((so_far, mark.to_owned()));
    }

    /// Every call so far with its mark, in order.
    pub fn marked_calls(&self) -> Vec<(String, String)> {
        let script = self.lock();
        let under = |index| script.marks.iter().rev().find(|(so_far, _)| *so_far <= index);
        let mark = |index| under(index).map_or_else(String::new, |(_, mark)| mark.clone());
        script.calls.iter().enumerate().map(|(index, call)| (mark(index), call.clone())).collect()
    }

    /// Resolves when the caller must die: its runner then drops it.
    pub async fn killed(&self) {
        let mut killed = self.killed.subscribe();
        // It cannot fail: a sender lives as long as `self`.
        let _ = killed.wait_for(|killed| *killed).await;
    }

    /// Runs `work` under the script. `work` is the whole effect of the call, and may run twice.
    pub async fn meet<T>(
        &self,
        call: String,
        mut work: impl FnMut() -> Result<T, CloudError>,
    ) -> Result<T, CloudError> {
        // Lets other tasks run between two calls on a single thread, as between two real requests.
        tokio::task::yield_now().await;
        self.awake().await;
        let refused = |kind, cause: &str| Err(CloudError { action: call.clone(), cause: cause.to_owned(), kind });
        match self.next(&call) {
            None => work(),
            Some(Fault::Lost) => {
                let _ = work();
                refused(CloudErrorKind::Unreachable, "connection reset by peer")
            }
            Some(Fault::LostAndRetried) => {
                let _ = work();
                work()
            }
            Some(Fault::Refused(kind) | Fault::RefusedFor(kind, _)) => refused(kind, "refused by the script"),
            Some(Fault::Delayed(time)) => {
                tokio::time::sleep(time).await;
                work()
            }
            Some(Fault::Asleep(event)) => {
                self.sleeps(true);
                let (sleep, sleeper) = (event(), self.clone());
                // The caller wakes up even if it abandoned this call.
                let awake = tokio::spawn(async move {
                    sleep.await;
                    sleeper.sleeps(false);
                });
                awake.await.expect("the action during a sleep ends");
                work()
            }
            Some(Fault::After(event)) => {
                event();
                work()
            }
            Some(Fault::Before(event)) => {
                let answer = work();
                event();
                answer
            }
            Some(Fault::Killed) => self.die().await,
            Some(Fault::KilledAfter) => {
                let _ = work();
                self.die().await
            }
        }
    }

    async fn awake(&self) {
        let mut asleep = self.asleep.subscribe();
        let _ = asleep.wait_for(|asleep| !*asleep).await;
    }

    async fn die<T>(&self) -> T {
        self.kill();
        std::future::pending().await
    }

    fn next(&self, call: &str) -> Option<Fault> {
        let mut script = self.lock();
        script.calls.push(call.to_owned());
        let now = Instant::now();
        for rule in &mut script.rules {
            if !rule.words.iter().all(|word| call.contains(word.as_str())) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            if let Some(until) = rule.until {
                if now < until {
                    return Some(rule.fault.clone());
                }
                continue;
            }
            if rule.left > 0 {
                rule.left -= 1;
                if let Fault::RefusedFor(_, time) = rule.fault {
                    rule.until = Some(now + time);
                }
                return Some(rule.fault.clone());
            }
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        // A test that panicked while it held the script has reported its own failure.
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
