use std::{net::SocketAddr, pin::Pin, time::Instant};

/// One SRV record, with an address of its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    pub priority: u16,
    pub weight: u16,
    pub address: SocketAddr,
}

/// The targets of a name, and the end of their validity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    pub targets: Vec<Target>,
    pub valid_until: Instant,
}

/// A failed lookup, with its name and the reason.
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
