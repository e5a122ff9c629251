use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Invalid, Moment, OrderId, OrderRequest, Status,
    request::{keep, object},
};

/// The body of `POST /process-order`. With an `order_id` the call may be repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProcessRequest {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    #[serde(flatten)]
    pub order: OrderRequest,
}

impl ProcessRequest {
    /// # Errors
    /// Every invalid field.
    pub fn from_json(body: &Value) -> Result<Self, Vec<Invalid>> {
        let mut invalid = Vec::new();
        let order_id = match object(body)?.get("order_id") {
            None | Some(Value::Null) => Some(None),
            Some(value) => keep(
                value.as_str().and_then(OrderId::parse).map(Some).ok_or_else(|| {
                    Invalid::new("body", "order_id", "uuid_parsing", "Input should be a lower-case hyphenated UUID")
                }),
                &mut invalid,
            ),
        };
        match (OrderRequest::from_json(body), order_id) {
            (Ok(order), Some(order_id)) => Ok(Self { order_id, order }),
            (Ok(_), None) => Err(invalid),
            (Err(mut reasons), _) => {
                reasons.append(&mut invalid);
                Err(reasons)
            }
        }
    }
}

/// The answer to a confirmed order: `total_price` in whole units of currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    pub status: Status,
    pub total_price: u64,
    pub processed_at: Moment,
}

impl Confirmation {
    pub fn new(total_price: u64, processed_at: Moment) -> Self {
        Self { status: Status::Confirmed, total_price, processed_at }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn order_id_is_optional_but_never_wrong() {
        let body =
            |order_id: Value| json!({"order_id": order_id, "product_id": "P", "quantity": 1, "customer_id": "C"});
        let id = OrderId::generate();
        assert_eq!(ProcessRequest::from_json(&body(json!(id))).expect("fits").order_id, Some(id));
        assert_eq!(ProcessRequest::from_json(&body(json!(null))).expect("fits").order_id, None);
        for wrong in [json!("x"), json!(1), json!("")] {
            assert_eq!(ProcessRequest::from_json(&body(wrong)).expect_err("bad id")[0].kind, "uuid_parsing");
        }
        assert_eq!(ProcessRequest::from_json(&json!({"order_id": 1})).expect_err("all wrong").len(), 4);
    }
}
