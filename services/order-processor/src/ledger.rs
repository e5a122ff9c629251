use order_domain::{Confirmation, Moment, OrderId, OrderRequest, ProcessRequest, Refusal, Status, UnitPrice};
use serde::{Deserialize, Serialize};

use crate::error::ProcessError;

/// The ledger's answer to one order id: the request and its outcome. Written once, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) order_id: OrderId,
    product_id: String,
    quantity: u64,
    customer_id: String,
    status: Status,
    /// The product's price; absent if the product does not exist.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    unit_price: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    total_price: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    refusal: Option<Refusal>,
    processed_at: Moment,
}

impl Entry {
    pub(crate) fn confirmed(order_id: OrderId, order: &OrderRequest, price: UnitPrice, processed_at: Moment) -> Self {
        Self {
            status: Status::Confirmed,
            unit_price: Some(price.get()),
            total_price: Some(price.times(order.quantity)),
            refusal: None,
            ..Self::of(order_id, order, processed_at)
        }
    }

    pub(crate) fn refused(
        order_id: OrderId,
        order: &OrderRequest,
        refusal: Refusal,
        price: Option<UnitPrice>,
        processed_at: Moment,
    ) -> Self {
        Self {
            refusal: Some(refusal),
            unit_price: price.map(UnitPrice::get),
            ..Self::of(order_id, order, processed_at)
        }
    }

    fn of(order_id: OrderId, order: &OrderRequest, processed_at: Moment) -> Self {
        Self {
            order_id,
            product_id: order.product_id.clone(),
            quantity: order.quantity,
            customer_id: order.customer_id.clone(),
            status: Status::Rejected,
            unit_price: None,
            total_price: None,
            refusal: None,
            processed_at,
        }
    }

    /// Returns the first answer, for a repetition of the same request.
    pub(crate) fn answer(&self, request: &ProcessRequest) -> Result<Confirmation, ProcessError> {
        let asked = &request.order;
        let same = self.product_id == asked.product_id
            && self.quantity == asked.quantity
            && self.customer_id == asked.customer_id;
        match (same, self.total_price, self.refusal) {
            (false, ..) => Err(ProcessError::OtherOrder),
            (true, Some(total_price), None) => Ok(Confirmation::new(total_price, self.processed_at)),
            (true, _, refusal) => Err(ProcessError::Refused(refusal.unwrap_or(Refusal::InsufficientInventory))),
        }
    }
}
