//! Finds order-processor: at one URL, or at the targets of a DNS SRV name.

mod dns;
mod lookups;
mod resolve;
mod targets;

pub use dns::DnsResolver;
pub use resolve::{DiscoveryError, Resolve, Resolved, Target};
pub use targets::Discovery;
