use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use reqwest::Url;
use uuid::Uuid;

use crate::config::ProcessorAddress;

use super::{
    dns::DnsResolver,
    lookups::Lookups,
    resolve::{DiscoveryError, Resolve, Target},
};

/// The time for which a failed target is tried last.
const SHUNNED_FOR: Duration = Duration::from_secs(5);

/// The targets to call, best first.
pub struct Discovery {
    kind: Kind,
}

enum Kind {
    Fixed(Url),
    Named { names: Arc<Lookups>, shunned: Mutex<BTreeMap<SocketAddr, Instant>> },
}

impl Discovery {
    /// Makes a discovery by URL, or through this machine's DNS servers.
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
        Self { kind: Kind::Named { names: Arc::new(Lookups::new(name, resolver)), shunned: Mutex::default() } }
    }

    /// Returns the targets in calling order: by priority, then randomly by weight; recently failed targets come last.
    pub async fn targets(&self) -> Result<Vec<Url>, DiscoveryError> {
        match &self.kind {
            Kind::Fixed(url) => Ok(vec![url.clone()]),
            Kind::Named { names, shunned } => {
                let targets = names.targets().await?;
                let mut shunned = shunned.lock().unwrap_or_else(PoisonError::into_inner);
                let now = Instant::now();
                shunned.retain(|_, until| *until > now);
                let ordered = in_order(targets, |address| shunned.contains_key(&address), chance);
                Ok(ordered.into_iter().filter_map(url_of).collect())
            }
        }
    }

    /// Records that a target did not answer.
    pub fn failed(&self, target: &Url) {
        let Kind::Named { names, shunned } = &self.kind else { return };
        if let Some(address) = address_of(target) {
            shunned.lock().unwrap_or_else(PoisonError::into_inner).insert(address, Instant::now() + SHUNNED_FOR);
            names.doubt();
        }
    }

    /// Whether a target failed recently.
    pub fn is_shunned(&self, target: &Url) -> bool {
        let Kind::Named { shunned, .. } = &self.kind else { return false };
        let shunned = shunned.lock().unwrap_or_else(PoisonError::into_inner);
        address_of(target).and_then(|address| shunned.get(&address)).is_some_and(|until| *until > Instant::now())
    }
}

fn address_of(target: &Url) -> Option<SocketAddr> {
    let (host, port) = target.host_str().zip(target.port_or_known_default())?;
    format!("{host}:{port}").parse().ok()
}

/// Sorts targets by RFC 2782: lowest priority first; among equals, each next one randomly by weight. `chance` returns a
/// random number below its argument.
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
        // Add one to each weight, so that a weight of zero is unlikely but not impossible.
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
    use crate::discovery::lookups::tests::{Scripted, answer, target};

    use super::*;

    fn ports(targets: &[Target]) -> Vec<u16> {
        targets.iter().map(|target| target.address.port()).collect()
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
    async fn a_dead_target_comes_last_and_asks_for_a_new_lookup() {
        let both = [target(1, 0, 0), target(2, 0, 0)];
        let scripted = Scripted::new(vec![Ok(answer(&both, Duration::from_mins(1)))]);
        let discovery = Discovery::named("name".into(), scripted.clone());
        let dead = discovery.targets().await.expect("resolves")[0].clone();
        discovery.failed(&dead);
        for _ in 0..20 {
            assert_eq!(discovery.targets().await.expect("resolves")[1], dead);
        }
        assert_eq!(scripted.asked(), 1, "lookups are not made one after the other");
    }
}
