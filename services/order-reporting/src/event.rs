//! An event as the figures need it, and the reasons for which a message is none.

use order_domain::{
    EVENT_VERSION, EventKind, MAX_QUANTITY, MAX_TEXT, MAX_UNIT_PRICE, Moment, Order, OrderEvent, Status,
};
use serde::Deserialize;
use uuid::Uuid;

use crate::day::Day;

/// The size limit of a message in bytes. An event has less than 8 KiB.
const LIMIT: usize = 256 * 1024;

/// The highest total of an order.
const MAX_TOTAL: u64 = MAX_UNIT_PRICE * MAX_QUANTITY;

/// The settlement of an order, from its event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    pub event_id: Uuid,
    pub occurred_at: Moment,
    /// The day of `occurred_at`.
    pub day: Day,
    pub product_id: String,
    pub customer_id: String,
    pub quantity: u64,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Confirmed { total_price: u64 },
    Rejected,
}

/// The reason for which this program cannot count a message. The queue's redrive policy moves it to the dead letters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Poison {
    #[error("the message is not an event: {0}")]
    Unreadable(String),
    #[error("the message is the envelope of SNS; the subscription lacks RawMessageDelivery")]
    Envelope,
    #[error("version {0} of the event is unknown here; release order-reporting, then redrive the message")]
    Version(u64),
    #[error("the type {0:?} is unknown here")]
    Type(String),
    #[error("the event contradicts its order: {0}")]
    Contradiction(&'static str),
    #[error("the database refuses the event: {0}")]
    Refused(String),
}

/// The part of an event that every version has.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: Option<String>,
    version: Option<u64>,
    /// The field of SNS's envelope.
    #[serde(rename = "TopicArn")]
    topic: Option<String>,
}

impl Settlement {
    /// Reads the body of a message.
    pub fn read(body: &str) -> Result<Self, Poison> {
        if body.len() > LIMIT {
            return Err(Poison::Unreadable(format!("{} bytes, more than {LIMIT}", body.len())));
        }
        let unreadable = |error: serde_json::Error| Poison::Unreadable(error.to_string());
        let head: Head = serde_json::from_str(body).map_err(unreadable)?;
        if head.topic.is_some() && head.kind.is_none() {
            return Err(Poison::Envelope);
        }
        let kind = head.kind.ok_or_else(|| Poison::Unreadable("the field type is missing".to_owned()))?;
        let version = head.version.ok_or_else(|| Poison::Unreadable("the field version is missing".to_owned()))?;
        if version != u64::from(EVENT_VERSION) {
            return Err(Poison::Version(version));
        }
        if ![EventKind::Confirmed, EventKind::Rejected].iter().any(|known| known.as_str() == kind) {
            return Err(Poison::Type(kind));
        }
        Self::of(serde_json::from_str(body).map_err(unreadable)?)
    }

    /// Returns the settlement of an order; `None` while it is pending.
    pub fn of_order(order: Order) -> Option<Self> {
        OrderEvent::of(order).and_then(|event| Self::of(event).ok())
    }

    fn of(event: OrderEvent) -> Result<Self, Poison> {
        let OrderEvent { id, kind, occurred_at, order, .. } = event;
        let outcome = match (kind, order.status, order.total_price) {
            (EventKind::Confirmed, Status::Confirmed, Some(total_price)) if total_price <= MAX_TOTAL => {
                Outcome::Confirmed { total_price }
            }
            (EventKind::Confirmed, Status::Confirmed, _) => {
                return Err(Poison::Contradiction("a confirmed order has a total price up to 2^53"));
            }
            (EventKind::Rejected, Status::Rejected, _) => Outcome::Rejected,
            _ => return Err(Poison::Contradiction("its type is not the order's status")),
        };
        let request = order.request;
        if !(1..=MAX_QUANTITY).contains(&request.quantity) {
            return Err(Poison::Contradiction("its quantity is not between 1 and 1,000,000"));
        }
        let fits = |text: &str| (1..=MAX_TEXT).contains(&text.chars().take(MAX_TEXT + 1).count());
        if !fits(&request.product_id) || !fits(&request.customer_id) {
            return Err(Poison::Contradiction("an identifier is not between 1 and 255 characters long"));
        }
        let day = Day::of(occurred_at).ok_or(Poison::Contradiction("it occurred before the year 1"))?;
        Ok(Self {
            event_id: id,
            occurred_at,
            day,
            product_id: request.product_id,
            customer_id: request.customer_id,
            quantity: request.quantity,
            outcome,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use order_domain::{OrderId, OrderRequest};
    use serde_json::{Value, json};

    use super::*;

    pub(crate) fn order(
        product: &str,
        customer: &str,
        quantity: u64,
        status: Status,
        total_price: u64,
        settled_at: &str,
    ) -> Order {
        let moment: Moment = settled_at.parse().expect("a moment");
        Order {
            order_id: OrderId::generate(),
            request: OrderRequest { product_id: product.into(), quantity, customer_id: customer.into() },
            status,
            total_price: (status == Status::Confirmed).then_some(total_price),
            processed_at: (status != Status::Pending).then_some(moment),
            created_at: moment,
        }
    }

    fn event() -> Value {
        let order = order("P1", "C1", 2, Status::Confirmed, 58, "2026-01-02T03:04:05.6Z");
        json!(OrderEvent::of(order).expect("settled"))
    }

    fn with(path: &str, value: Value) -> String {
        let mut event = event();
        *event.pointer_mut(path).expect("a field of an event") = value;
        event.to_string()
    }

    #[test]
    fn an_event_is_read() {
        let mut event = event();
        event["order"]["note"] = json!("fields that are added later do not matter");
        let settlement = Settlement::read(&event.to_string()).expect("an event");
        assert_eq!(settlement.outcome, Outcome::Confirmed { total_price: 58 });
        assert_eq!((settlement.quantity, settlement.day.to_string().as_str()), (2, "2026-01-02"));
        assert_eq!(json!(settlement.event_id), event["id"]);
    }

    #[test]
    fn what_is_no_event_has_a_reason() {
        let envelope = json!({ "Type": "Notification", "TopicArn": "arn:aws:sns:::order-events", "Message": "{}" });
        let mut untyped = event();
        untyped.as_object_mut().expect("an object").remove("type");
        let reasons: Vec<String> = [
            "no JSON".to_owned(),
            "[]".to_owned(),
            "{}".to_owned(),
            envelope.to_string(),
            untyped.to_string(),
            with("/version", json!(2)),
            with("/version", json!(0)),
            with("/type", json!("order.shipped")),
            with("/type", json!("order.rejected")),
            with("/order/status", json!("rejected")),
            with("/order/total_price", Value::Null),
            with("/order/total_price", json!(u64::MAX)),
            with("/order/quantity", json!(0)),
            with("/order/quantity", json!(-1)),
            with("/order/customer_id", json!("")),
            with("/order/product_id", json!("P".repeat(256))),
            with("/occurred_at", json!("-000001-01-01T00:00:00Z")),
            with("/occurred_at", json!("yesterday")),
            with("/id", json!("7")),
            with("/order/customer_id", json!("C".repeat(LIMIT))),
        ]
        .iter()
        .map(|body| Settlement::read(body).expect_err(body).to_string())
        .collect();
        insta::assert_snapshot!(reasons.join("\n"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
            let _ = Settlement::read(&text);
            let _ = Settlement::read(&with("/order/customer_id", json!(text)));
        }
    }
}
