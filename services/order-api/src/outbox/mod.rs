//! Publishes the events of settled orders. The write that settles an order also marks it as unpublished, so that no event is
//! lost; the publisher takes the events of this process, the sweeper whatever is left.

mod event;
mod handle;
mod late;
mod metrics;
mod publisher;
mod relay;
mod sweep;
mod table;

pub(crate) use handle::Outbox;
pub(crate) use metrics::EventMetrics;
pub(crate) use relay::Relay;
pub use sweep::sweep;
