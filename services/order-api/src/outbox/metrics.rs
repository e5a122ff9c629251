use std::{sync::atomic::AtomicU64, time::Duration};

use order_service::Metrics;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

/// The outcome of one attempt to publish an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The topic has the event.
    Published,
    /// The topic does not have it, or the answer was lost: the sweeper publishes it later.
    Failed,
    /// Too many events wait: the sweeper publishes it later.
    Left,
}

impl Outcome {
    const ALL: [Self; 3] = [Self::Published, Self::Failed, Self::Left];

    fn labels(self) -> OutcomeLabels {
        let outcome = match self {
            Self::Published => "published",
            Self::Failed => "failed",
            Self::Left => "left",
        };
        OutcomeLabels { outcome }
    }
}

/// The metrics of the outbox.
#[derive(Clone, Default)]
pub(crate) struct EventMetrics {
    events: Family<OutcomeLabels, Counter>,
    unpublished: Gauge,
    oldest: Gauge<f64, AtomicU64>,
}

impl EventMetrics {
    pub(crate) fn register(metrics: &Metrics) -> Self {
        let own = Self::default();
        // Create the series at the start: an alarm on an absent series does not fire.
        for outcome in Outcome::ALL {
            drop(own.events.get_or_create(&outcome.labels()));
        }
        metrics.register(|registry| {
            registry.register("order_events", "Attempts to publish events, by outcome", own.events.clone());
            let unpublished = "Settled orders whose events the sweeper found unpublished in its last round";
            registry.register("orders_unpublished", unpublished, own.unpublished.clone());
            let oldest = "Age of the oldest order among them, in seconds";
            registry.register("orders_unpublished_oldest_seconds", oldest, own.oldest.clone());
        });
        own
    }

    pub(crate) fn count(&self, outcome: Outcome, events: usize) {
        self.events.get_or_create(&outcome.labels()).inc_by(events.try_into().unwrap_or(u64::MAX));
    }

    pub(crate) fn unpublished(&self, orders: usize, oldest: Duration) {
        self.unpublished.set(orders.try_into().unwrap_or(i64::MAX));
        self.oldest.set(oldest.as_secs_f64());
    }
}
