use std::{net::SocketAddr, pin::Pin, time::Instant};

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
