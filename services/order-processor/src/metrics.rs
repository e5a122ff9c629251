use std::sync::atomic::AtomicU64;

use order_domain::Refusal;
use order_service::Metrics;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
};

use crate::error::ProcessError;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabels {
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    operation: &'static str,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProductLabels {
    product_id: String,
}

/// The service's own metrics, besides those of HTTP.
#[derive(Clone, Default)]
pub(crate) struct ProcessorMetrics {
    processed: Family<StatusLabels, Counter>,
    operations: Family<OperationLabels, Counter>,
    /// The stock by product. Only existing products get a label, so that the catalogue bounds the labels, not the callers.
    stock: Family<ProductLabels, Gauge<u64, AtomicU64>>,
}

/// The operations on the inventory.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Operation {
    Read,
    Take,
}

impl ProcessorMetrics {
    pub(crate) fn register(metrics: &Metrics) -> Self {
        let own = Self::default();
        metrics.register(|registry| {
            registry.register("order_processing", "Orders processed, by outcome", own.processed.clone());
            registry.register(
                "inventory_operations",
                "Operations on the inventory, by outcome",
                own.operations.clone(),
            );
            registry.register("inventory_stock_level", "Items left, as last seen", own.stock.clone());
        });
        own
    }

    pub(crate) fn processed<T>(&self, outcome: &Result<T, ProcessError>) {
        let status = match outcome {
            Ok(_) => "confirmed",
            Err(ProcessError::Refused(Refusal::InsufficientInventory)) => "insufficient_inventory",
            Err(ProcessError::Refused(Refusal::UnknownProduct)) => "unknown_product",
            Err(ProcessError::OtherOrder) => "conflict",
            Err(ProcessError::Busy) => "busy",
            Err(ProcessError::Store(_)) => "error",
        };
        self.processed.get_or_create(&StatusLabels { status }).inc();
    }

    pub(crate) fn operation(&self, operation: Operation, status: &'static str) {
        let operation = match operation {
            Operation::Read => "read",
            Operation::Take => "take",
        };
        self.operations.get_or_create(&OperationLabels { operation, status }).inc();
    }

    pub(crate) fn stock(&self, product_id: &str, stock: u64) {
        self.stock.get_or_create(&ProductLabels { product_id: product_id.to_owned() }).set(stock);
    }
}
