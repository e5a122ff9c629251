use std::{
    collections::BTreeMap,
    net::SocketAddr,
    pin::Pin,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use reqwest::Url;
use uuid::Uuid;

use crate::config::ProcessorAddress;

use super::DnsResolver;

/// A target that failed is tried last for this long.
const SHUNNED_FOR: Duration = Duration::from_secs(5);

/// The shortest time between two lookups, for a record with a TTL of zero or a name that does not resolve.
const LOOKUP_PAUSE: Duration = Duration::from_secs(1);

/// What a lookup may take: calls wait for it, and must have time left for a known target.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(1);

/// One SRV record, with an address of its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    pub priority: u16,
    pub weight: u16,
    pub address: SocketAddr,
}

/// What a name stands for, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    pub targets: Vec<Target>,
    pub valid_until: Instant,
}

/// A lookup that failed: of which name, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot resolve {name}: {reason}")]
pub struct DiscoveryError {
    pub name: String,
    pub reason: String,
}

/// Looks up SRV names.
pub trait Resolve: Send + Sync {
    fn resolve<'name>(
        &'name self,
        name: &'name str,
    ) -> Pin<Box<dyn Future<Output = Result<Resolved, DiscoveryError>> + Send + 'name>>;
}

/// The targets to call, best first.
pub struct Discovery {
    kind: Kind,
}

enum Kind {
    Fixed(Url),
    Named {
        name: String,
        resolver: Box<dyn Resolve>,
        known: tokio::sync::Mutex<Option<Resolved>>,
        health: Mutex<Health>,
    },
}

#[derive(Default)]
struct Health {
    shunned: BTreeMap<SocketAddr, Instant>,
    /// Set when a target failed: the record may have changed before its time.
    stale: bool,
    looked_up: Option<Instant>,
}

impl Discovery {
    /// Discovery by a URL, or by the DNS servers that this machine names.
    pub fn of(address: &ProcessorAddress) -> Result<Self, DiscoveryError> {
        match address {
            ProcessorAddress::Url(url) => Ok(Self::fixed(url.clone())),
            ProcessorAddress::Srv(name) => Ok(Self::named(name.clone(), DnsResolver::of_system(name)?)),
        }
    }

    pub fn fixed(url: Url) -> Self {
        Self { kind: Kind::Fixed(url) }
    }

    pub fn named(name: String, resolver: impl Resolve + 'static) -> Self {
        let (known, health) = (tokio::sync::Mutex::default(), Mutex::default());
        Self { kind: Kind::Named { name, resolver: Box::new(resolver), known, health } }
    }

    /// The targets in the order in which to call them: by priority, then by chance according to weight; those that
    /// failed a moment ago come last.
    pub async fn targets(&self) -> Result<Vec<Url>, DiscoveryError> {
        match &self.kind {
            Kind::Fixed(url) => Ok(vec![url.clone()]),
            Kind::Named { name, resolver, known, health } => {
                let targets = resolved(name, &**resolver, known, health).await?;
                let mut health = health.lock().unwrap_or_else(PoisonError::into_inner);
                let now = Instant::now();
                health.shunned.retain(|_, until| *until > now);
                let ordered = in_order(targets, |address| health.shunned.contains_key(&address), chance);
                Ok(ordered.into_iter().filter_map(url_of).collect())
            }
        }
    }

    /// Notes that a target did not answer.
    pub fn failed(&self, target: &Url) {
        let Kind::Named { health, .. } = &self.kind else { return };
        let address = target.host_str().zip(target.port_or_known_default());
        if let Some(address) = address.and_then(|(host, port)| format!("{host}:{port}").parse().ok()) {
            let mut health = health.lock().unwrap_or_else(PoisonError::into_inner);
            health.shunned.insert(address, Instant::now() + SHUNNED_FOR);
            health.stale = true;
        }
    }
}

/// The known targets while they are valid and alive, else a new lookup; when that fails, the old ones, since a target
/// does not go away with the DNS server.
async fn resolved(
    name: &str,
    resolver: &dyn Resolve,
    known: &tokio::sync::Mutex<Option<Resolved>>,
    health: &Mutex<Health>,
) -> Result<Vec<Target>, DiscoveryError> {
    let mut known = known.lock().await;
    let now = Instant::now();
    if let Some(resolved) = &*known {
        let health = health.lock().unwrap_or_else(PoisonError::into_inner);
        let just_looked = health.looked_up.is_some_and(|at| now.duration_since(at) < LOOKUP_PAUSE);
        if just_looked || (resolved.valid_until > now && !health.stale) {
            return Ok(resolved.targets.clone());
        }
    }
    let looked_up = tokio::time::timeout(LOOKUP_TIMEOUT, resolver.resolve(name)).await.unwrap_or_else(|_| {
        Err(DiscoveryError { name: name.to_owned(), reason: format!("no answer within {LOOKUP_TIMEOUT:?}") })
    });
    {
        let mut health = health.lock().unwrap_or_else(PoisonError::into_inner);
        health.looked_up = Some(now);
        health.stale = false;
    }
    match (looked_up, &*known) {
        (Ok(fresh), _) => {
            let targets = fresh.targets.clone();
            *known = Some(fresh);
            Ok(targets)
        }
        (Err(error), Some(last)) => {
            tracing::warn!(%error, "using the targets of the last lookup");
            Ok(last.targets.clone())
        }
        (Err(error), None) => Err(error),
    }
}

/// RFC 2782: lowest priority first; among equals, each next one by chance, weighted. `chance` gives a number below its
/// argument.
fn in_order(
    mut targets: Vec<Target>,
    is_shunned: impl Fn(SocketAddr) -> bool,
    chance: impl Fn(u32) -> u32,
) -> Vec<Target> {
    targets.sort_by_key(|target| (is_shunned(target.address), target.priority));
    let mut ordered = Vec::with_capacity(targets.len());
    while let Some(best) = targets.first() {
        let rank = (is_shunned(best.address), best.priority);
        let equals = targets.iter().take_while(|target| (is_shunned(target.address), target.priority) == rank).count();
        // One more each, so that a weight of zero is unlikely and not impossible.
        let weight = |target: &Target| u32::from(target.weight) + 1;
        let mut draw = chance(targets[..equals].iter().map(weight).sum());
        let index = targets[..equals]
            .iter()
            .position(|target| {
                let weight = weight(target);
                let hit = draw < weight;
                draw = draw.saturating_sub(weight);
                hit
            })
            .unwrap_or(0);
        ordered.push(targets.remove(index));
    }
    ordered
}

fn chance(below: u32) -> u32 {
    let random = Uuid::new_v4().as_u64_pair().1;
    u32::try_from(random % u64::from(below.max(1))).unwrap_or(0)
}

fn url_of(target: Target) -> Option<Url> {
    Url::parse(&format!("http://{}/", target.address)).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    fn target(port: u16, priority: u16, weight: u16) -> Target {
        Target { priority, weight, address: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    fn ports(targets: &[Target]) -> Vec<u16> {
        targets.iter().map(|target| target.address.port()).collect()
    }

    /// Answers with the next of its answers, and with the last for ever.
    #[derive(Clone)]
    struct Scripted {
        answers: Arc<Vec<Result<Resolved, DiscoveryError>>>,
        asked: Arc<AtomicUsize>,
    }

    impl Scripted {
        fn new(answers: Vec<Result<Resolved, DiscoveryError>>) -> Self {
            Self { answers: Arc::new(answers), asked: Arc::default() }
        }
    }

    impl Resolve for Scripted {
        fn resolve<'name>(
            &'name self,
            _: &'name str,
        ) -> Pin<Box<dyn Future<Output = Result<Resolved, DiscoveryError>> + Send + 'name>> {
            let index = self.asked.fetch_add(1, Ordering::SeqCst).min(self.answers.len() - 1);
            let answer = self.answers[index].clone();
            Box::pin(async move { answer })
        }
    }

    fn answer(targets: &[Target], valid_for: Duration) -> Resolved {
        Resolved { targets: targets.to_vec(), valid_until: Instant::now() + valid_for }
    }

    fn failure() -> Result<Resolved, DiscoveryError> {
        Err(DiscoveryError { name: "name".into(), reason: "no server".into() })
    }

    #[test]
    fn priority_goes_before_weight_and_failure_before_both() {
        let targets = vec![target(1, 10, 100), target(2, 0, 0), target(3, 0, 100)];
        assert_eq!(ports(&in_order(targets.clone(), |_| false, |_| 0)), [2, 3, 1]);
        assert_eq!(ports(&in_order(targets.clone(), |_| false, |below| below - 1)), [3, 2, 1]);
        let dead = target(3, 0, 0).address;
        assert_eq!(ports(&in_order(targets, |address| address == dead, |_| 0)), [2, 1, 3]);
    }

    #[test]
    fn weight_is_a_share() {
        let first = |_: usize| ports(&in_order(vec![target(1, 0, 9), target(2, 0, 89)], |_| false, chance))[0];
        let ones = (0..10_000).map(first).filter(|port| *port == 1).count();
        assert!((700..1_300).contains(&ones), "{ones} of 10000 with a share of a tenth");
    }

    #[tokio::test]
    async fn a_lookup_holds_until_its_time_ends() {
        let scripted = Scripted::new(vec![Ok(answer(&[target(1, 0, 0)], Duration::from_mins(1)))]);
        let discovery = Discovery::named("name".into(), scripted.clone());
        for _ in 0..5 {
            assert_eq!(discovery.targets().await.expect("resolves").len(), 1);
        }
        assert_eq!(scripted.asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_changed_record_is_picked_up_and_an_unanswered_one_kept() {
        let scripted = Scripted::new(vec![
            Ok(answer(&[target(1, 0, 0)], Duration::ZERO)),
            Ok(answer(&[target(2, 0, 0)], Duration::ZERO)),
            failure(),
        ]);
        let discovery = Discovery::named("name".into(), scripted);
        let forget_pause = || {
            let Kind::Named { health, .. } = &discovery.kind else { panic!("named") };
            health.lock().expect("no panic while held").looked_up = None;
        };
        for port in [1, 2, 2] {
            let urls = discovery.targets().await.expect("resolves");
            assert_eq!(urls[0].port(), Some(port));
            forget_pause();
        }
    }

    #[tokio::test]
    async fn a_dead_target_comes_last_and_asks_for_a_new_lookup() {
        let both = [target(1, 0, 0), target(2, 0, 0)];
        let scripted = Scripted::new(vec![Ok(answer(&both, Duration::from_mins(1)))]);
        let discovery = Discovery::named("name".into(), scripted.clone());
        let dead = discovery.targets().await.expect("resolves")[0].clone();
        discovery.failed(&dead);
        for _ in 0..20 {
            assert_eq!(discovery.targets().await.expect("resolves")[1], dead);
        }
        assert_eq!(scripted.asked.load(Ordering::SeqCst), 1, "lookups are not made one after the other");
    }

    #[tokio::test]
    async fn a_name_that_never_resolved_is_an_error() {
        let discovery = Discovery::named("name".into(), Scripted::new(vec![failure()]));
        assert_eq!(discovery.targets().await.expect_err("no answer").to_string(), "cannot resolve name: no server");
    }
}
