use order_domain::Refusal;
use order_service::Metrics;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
};

use crate::place::PlaceError;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabels {
    status: &'static str,
}

/// What this service counts beside its HTTP requests.
#[derive(Clone, Default)]
pub(crate) struct ApiMetrics {
    created: Family<StatusLabels, Counter>,
}

impl ApiMetrics {
    pub(crate) fn register(metrics: &Metrics) -> Self {
        let own = Self::default();
        metrics.register(|registry| {
            registry.register("order_creation", "Orders asked for, by outcome", own.created.clone());
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
}
