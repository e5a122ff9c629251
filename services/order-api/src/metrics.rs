use order_domain::Refusal;
use order_service::Metrics;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
};

use crate::place_error::PlaceError;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabels {
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

/// The reason the reconciler or a list skipped an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skipped {
    /// The order's record is unreadable.
    Unreadable,
    /// order-processor gave an unexpected answer.
    Unexpected,
    /// The product has too many orders.
    Busy,
    /// There is no decision for now.
    Unavailable,
}

/// The service's own metrics, besides those of HTTP.
#[derive(Clone, Default)]
pub(crate) struct ApiMetrics {
    created: Family<StatusLabels, Counter>,
    skipped: Family<ReasonLabels, Counter>,
}

impl ApiMetrics {
    pub(crate) fn register(metrics: &Metrics) -> Self {
        let own = Self::default();
        // Create the series at the start: an alarm on an absent series does not fire.
        drop(own.skipped.get_or_create(&ReasonLabels { reason: "unreadable" }));
        metrics.register(|registry| {
            registry.register("order_creation", "Orders asked for, by outcome", own.created.clone());
            let skipped = "Orders that the reconciler or a list passed over, each time, by reason";
            registry.register("order_skipped", skipped, own.skipped.clone());
        });
        own
    }

    pub(crate) fn created<T>(&self, outcome: &Result<T, PlaceError>) {
        let status = match outcome {
            Ok(_) => "confirmed",
            Err(PlaceError::Refused(Refusal::InsufficientInventory)) => "insufficient_inventory",
            Err(PlaceError::Refused(Refusal::UnknownProduct)) => "unknown_product",
            Err(PlaceError::KeyOfAnotherOrder) => "conflict",
            Err(PlaceError::NotWritten(_) | PlaceError::Unsettled { .. }) => "error",
        };
        self.created.get_or_create(&StatusLabels { status }).inc();
    }

    pub(crate) fn skipped(&self, reason: Skipped, orders: u64) {
        if orders == 0 {
            return;
        }
        let reason = match reason {
            Skipped::Unreadable => "unreadable",
            Skipped::Unexpected => "unexpected",
            Skipped::Busy => "busy",
            Skipped::Unavailable => "unavailable",
        };
        self.skipped.get_or_create(&ReasonLabels { reason }).inc_by(orders);
    }
}
