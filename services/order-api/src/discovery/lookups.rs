use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use super::resolve::{DiscoveryError, Resolve, Resolved, Target};

/// The shortest time between two lookups, for a record with a TTL of zero or a name that does not resolve.
const PAUSE: Duration = Duration::from_secs(1);

/// The time limit for a lookup.
const LIMIT: Duration = Duration::from_secs(1);

/// A call's wait for a fresh record if it has an old one.
const PATIENCE: Duration = Duration::from_millis(100);

/// The targets of a name. Lookups run concurrently with the calls, one at a time, and all calls share their answer.
pub(super) struct Lookups {
    name: String,
    resolver: Box<dyn Resolve>,
    state: Mutex<State>,
    /// Notifies the waiting calls when a lookup ends.
    ended: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    known: Option<Resolved>,
    /// Set when a target failed: the record may have changed before its time.
    doubted: bool,
    /// The end of the last lookup, and its error if it failed.
    last: Option<(Instant, Option<DiscoveryError>)>,
    /// The start of the running lookup.
    began: Option<Instant>,
}

/// A call's next step to find its targets.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    look_up: bool,
    then: Then,
}

#[derive(Debug, PartialEq, Eq)]
enum Then {
    Use(Result<Vec<Target>, DiscoveryError>),
    /// Wait this long for the running lookup.
    Wait(Duration),
}

impl State {
    /// After a failed lookup, no call waits for the next one: old targets outlive the DNS server, and without any target
    /// the next call fails with the same error.
    fn step(&self, now: Instant) -> Step {
        let fresh = self.known.as_ref().filter(|known| Instant::from_std(known.valid_until) > now && !self.doubted);
        if let Some(known) = fresh {
            return Step { look_up: false, then: Then::Use(Ok(known.targets.clone())) };
        }
        let paused = self.last.as_ref().is_some_and(|(ended, _)| now.duration_since(*ended) < PAUSE);
        // A lookup without an end after twice its limit is lost.
        let under_way = self.began.is_some_and(|began| now.duration_since(began) < 2 * LIMIT);
        let failure = self.last.as_ref().and_then(|(_, failure)| failure.as_ref());
        let then = match (&self.known, failure) {
            (Some(known), failure) if paused || failure.is_some() => Then::Use(Ok(known.targets.clone())),
            (Some(_), _) => Then::Wait(PATIENCE),
            (None, Some(failure)) => Then::Use(Err(failure.clone())),
            (None, None) => Then::Wait(LIMIT),
        };
        Step { look_up: !paused && !under_way, then }
    }
}

impl Lookups {
    pub(super) fn new(name: String, resolver: impl Resolve + 'static) -> Self {
        let ended = watch::Sender::new(());
        Self { name, resolver: Box::new(resolver), state: Mutex::default(), ended }
    }

    /// Returns the known targets, after a lookup if one is due.
    pub(super) async fn targets(self: &Arc<Self>) -> Result<Vec<Target>, DiscoveryError> {
        let (patience, mut ended) = {
            let mut state = self.state();
            let now = Instant::now();
            let Step { look_up, then } = state.step(now);
            if look_up {
                state.began = Some(now);
                let lookups = self.clone();
                tokio::spawn(async move { lookups.look_up().await });
            }
            match then {
                Then::Use(targets) => return targets,
                // Subscribe while the state is locked, so that the call misses no end.
                Then::Wait(patience) => (patience, self.ended.subscribe()),
            }
        };
        // Without an answer in time, use the known targets.
        let _ = timeout(patience, ended.changed()).await;
        let state = self.state();
        match (&state.known, &state.last) {
            (Some(known), _) => Ok(known.targets.clone()),
            (None, Some((_, Some(failure)))) => Err(failure.clone()),
            (None, _) => Err(self.no_answer()),
        }
    }

    /// Requests a new lookup, because a target of the record failed.
    pub(super) fn doubt(&self) {
        self.state().doubted = true;
    }

    async fn look_up(&self) {
        let looked_up =
            timeout(LIMIT, self.resolver.resolve(&self.name)).await.unwrap_or_else(|_| Err(self.no_answer()));
        let mut state = self.state();
        let failure = match looked_up {
            Ok(fresh) => {
                state.known = Some(fresh);
                state.doubted = false;
                None
            }
            Err(error) => {
                if state.known.is_some() {
                    tracing::warn!(%error, "using the targets of the last lookup");
                }
                Some(error)
            }
        };
        state.began = None;
        state.last = Some((Instant::now(), failure));
        self.ended.send_replace(());
    }

    fn no_answer(&self) -> DiscoveryError {
        DiscoveryError { name: self.name.clone(), reason: format!("no answer within {LIMIT:?}") }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::{
        net::SocketAddr,
        pin::Pin,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    pub(in crate::discovery) fn target(port: u16, priority: u16, weight: u16) -> Target {
        Target { priority, weight, address: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    pub(in crate::discovery) fn answer(targets: &[Target], valid_for: Duration) -> Resolved {
        Resolved { targets: targets.to_vec(), valid_until: (Instant::now() + valid_for).into_std() }
    }

    fn failure() -> Result<Resolved, DiscoveryError> {
        Err(DiscoveryError { name: "name".into(), reason: "no server".into() })
    }

    /// Gives its answers in turn and repeats the last one forever; without any answer it stays silent.
    #[derive(Clone)]
    pub(in crate::discovery) struct Scripted {
        answers: Arc<Vec<Result<Resolved, DiscoveryError>>>,
        asked: Arc<AtomicUsize>,
    }

    impl Scripted {
        pub(in crate::discovery) fn new(answers: Vec<Result<Resolved, DiscoveryError>>) -> Self {
            Self { answers: Arc::new(answers), asked: Arc::default() }
        }

        pub(in crate::discovery) fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }
    }

    impl Resolve for Scripted {
        fn resolve<'name>(
            &'name self,
            _: &'name str,
        ) -> Pin<Box<dyn Future<Output = Result<Resolved, DiscoveryError>> + Send + 'name>> {
            let index = self.asked.fetch_add(1, Ordering::SeqCst).min(self.answers.len().saturating_sub(1));
            let answer = self.answers.get(index).cloned();
            Box::pin(async move {
                match answer {
                    Some(answer) => answer,
                    None => std::future::pending().await,
                }
            })
        }
    }

    fn lookups(scripted: &Scripted) -> Arc<Lookups> {
        Arc::new(Lookups::new("name".into(), scripted.clone()))
    }

    async fn ports(lookups: &Arc<Lookups>) -> Vec<u16> {
        lookups.targets().await.expect("resolves").iter().map(|target| target.address.port()).collect()
    }

    #[tokio::test]
    async fn a_lookup_holds_until_its_time_ends() {
        let scripted = Scripted::new(vec![Ok(answer(&[target(1, 0, 0)], Duration::from_mins(1)))]);
        let lookups = lookups(&scripted);
        for _ in 0..5 {
            assert_eq!(ports(&lookups).await, [1]);
        }
        assert_eq!(scripted.asked(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_record_is_picked_up_and_an_unanswered_one_kept() {
        let scripted = Scripted::new(vec![
            Ok(answer(&[target(1, 0, 0)], Duration::ZERO)),
            Ok(answer(&[target(2, 0, 0)], Duration::ZERO)),
            failure(),
        ]);
        let lookups = lookups(&scripted);
        for port in [1, 2, 2, 2] {
            assert_eq!(ports(&lookups).await, [port]);
            tokio::time::advance(PAUSE).await;
        }
        assert_eq!(scripted.asked(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_does_not_resolve_is_looked_up_once_for_all_and_once_a_second() {
        for scripted in [Scripted::new(vec![failure()]), Scripted::new(Vec::new())] {
            let (lookups, start) = (lookups(&scripted), Instant::now());
            let calls: Vec<_> = (0..50)
                .map(|_| {
                    let lookups = lookups.clone();
                    tokio::spawn(async move { lookups.targets().await })
                })
                .collect();
            for call in calls {
                let error = call.await.expect("no panic").expect_err("no answer").to_string();
                assert!(error.starts_with("cannot resolve name: no "), "{error}");
            }
            assert!(start.elapsed() <= LIMIT, "every call waits for the one lookup: {:?}", start.elapsed());
            assert_eq!(scripted.asked(), 1);
            let start = Instant::now();
            for _ in 0..3 {
                assert!(lookups.targets().await.is_err());
                assert_eq!(start.elapsed(), Duration::ZERO, "what is known to fail fails at once");
            }
            assert_eq!(scripted.asked(), 1);
            tokio::time::advance(PAUSE).await;
            assert!(lookups.targets().await.is_err());
            tokio::task::yield_now().await;
            assert_eq!(scripted.asked(), 2, "the next lookup runs beside the call");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_dns_server_that_hangs_holds_no_call_up_while_targets_are_known() {
        let known = answer(&[target(1, 0, 0)], Duration::ZERO);
        let lookups = lookups(&Scripted::new(Vec::new()));
        lookups.state().known = Some(known);
        let start = Instant::now();
        for _ in 0..100 {
            assert_eq!(ports(&lookups).await, [1]);
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        let took = start.elapsed();
        assert!(took <= Duration::from_secs(1) + LIMIT, "{took:?} for 100 calls in a second");
    }
}
