use order_domain::{Moment, Order, OrderId, OrderRequest, Refusal, RequestHash, Status, shard};
use serde::{Deserialize, Serialize};

/// An order in its table: the fields of the API, and those for its settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) order_id: OrderId,
    pub(crate) product_id: String,
    pub(crate) quantity: u64,
    pub(crate) customer_id: String,
    pub(crate) status: Status,
    pub(crate) created_at: Moment,
    /// Absent in another program's order; such an order has no idempotency key that could conflict.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) request_hash: Option<RequestHash>,
    /// Present while the order is pending; the key of the sparse index.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) pending_shard: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) total_price: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) processed_at: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) refusal: Option<Refusal>,
}

/// order-processor's decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Confirmed { total_price: u64, processed_at: Moment },
    Refused(Refusal),
}

impl Record {
    pub(crate) fn pending(order_id: OrderId, request: OrderRequest, created_at: Moment) -> Self {
        Self {
            order_id,
            request_hash: Some(RequestHash::of(&request)),
            product_id: request.product_id,
            quantity: request.quantity,
            customer_id: request.customer_id,
            status: Status::Pending,
            created_at,
            pending_shard: Some(shard(order_id)),
            total_price: None,
            processed_at: None,
            refusal: None,
        }
    }

    pub(crate) fn request(&self) -> OrderRequest {
        OrderRequest {
            product_id: self.product_id.clone(),
            quantity: self.quantity,
            customer_id: self.customer_id.clone(),
        }
    }

    /// Returns a settled order's decision; `None` while it is pending.
    pub(crate) fn decision(&self) -> Option<Decision> {
        match self.status {
            Status::Pending => None,
            Status::Confirmed => Some(Decision::Confirmed {
                total_price: self.total_price.unwrap_or_default(),
                processed_at: self.processed_at.unwrap_or(self.created_at),
            }),
            Status::Rejected => Some(Decision::Refused(self.refusal.unwrap_or(Refusal::InsufficientInventory))),
        }
    }

    /// Returns the order settled with this decision.
    pub(crate) fn settled(self, decision: Decision, settled_at: Moment) -> Self {
        let settled = Self { pending_shard: None, ..self };
        match decision {
            Decision::Confirmed { total_price, processed_at } => Self {
                status: Status::Confirmed,
                total_price: Some(total_price),
                processed_at: Some(processed_at),
                ..settled
            },
            Decision::Refused(refusal) => {
                Self { status: Status::Rejected, refusal: Some(refusal), processed_at: Some(settled_at), ..settled }
            }
        }
    }
}

impl From<Record> for Order {
    fn from(record: Record) -> Self {
        Self {
            order_id: record.order_id,
            request: OrderRequest {
                product_id: record.product_id,
                quantity: record.quantity,
                customer_id: record.customer_id,
            },
            status: record.status,
            total_price: record.total_price,
            processed_at: record.processed_at,
            created_at: record.created_at,
        }
    }
}
