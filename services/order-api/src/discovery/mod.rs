//! Where order-processor is: one URL, or the targets of a DNS SRV name.

mod dns;
mod targets;

pub use dns::DnsResolver;
pub use targets::{Discovery, DiscoveryError, Resolve, Resolved, Target};
