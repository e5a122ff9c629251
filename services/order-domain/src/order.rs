use serde::{Deserialize, Serialize};

use crate::{Moment, OrderId, OrderRequest};

/// The status of an order. Only `Pending` changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Pending,
    Confirmed,
    Rejected,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
        }
    }
}

/// The reason for a permanent refusal of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    InsufficientInventory,
    UnknownProduct,
}

impl Refusal {
    const ALL: [Self; 2] = [Self::InsufficientInventory, Self::UnknownProduct];

    /// The `code` of the answer, for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::InsufficientInventory => "insufficient_inventory",
            Self::UnknownProduct => "unknown_product",
        }
    }

    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.code() == code)
    }

    /// Returns the refusal with this `detail`, for an answer without a code.
    pub fn of_detail(detail: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.detail() == detail)
    }

    /// The `detail` of the answer, for people.
    pub fn detail(self) -> &'static str {
        match self {
            Self::InsufficientInventory => "Insufficient inventory",
            Self::UnknownProduct => "Product not found",
        }
    }

    /// The HTTP status of the answer.
    pub fn http_status(self) -> u16 {
        match self {
            Self::InsufficientInventory => 400,
            Self::UnknownProduct => 404,
        }
    }
}

/// An order in the API. `total_price` is in whole units of currency; only a confirmed order has one. `processed_at` is
/// the time of the settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub order_id: OrderId,
    #[serde(flatten)]
    pub request: OrderRequest,
    pub status: Status,
    pub total_price: Option<u64>,
    pub processed_at: Option<Moment>,
    pub created_at: Moment,
}
