use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Moment, Order, Status};

/// The version of [`OrderEvent`]'s form. A consumer refuses a version that it does not know.
pub const EVENT_VERSION: u32 = 1;

/// The settlement of an order, as the topic carries it in JSON. Every repetition is equal to the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEvent {
    /// Distinguishes events: a consumer counts each id once.
    pub id: Uuid,
    #[serde(rename = "type")]
    pub kind: EventKind,
    pub version: u32,
    /// The time of the settlement.
    pub occurred_at: Moment,
    /// The order as the API shows it.
    pub order: Order,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    #[serde(rename = "order.confirmed")]
    Confirmed,
    #[serde(rename = "order.rejected")]
    Rejected,
}

impl EventKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "order.confirmed",
            Self::Rejected => "order.rejected",
        }
    }
}

impl OrderEvent {
    /// Returns the event of a settled order; `None` while the order is pending.
    pub fn of(order: Order) -> Option<Self> {
        let kind = match order.status {
            Status::Pending => return None,
            Status::Confirmed => EventKind::Confirmed,
            Status::Rejected => EventKind::Rejected,
        };
        Some(Self {
            id: order.order_id.derive(order.status.as_str()),
            kind,
            version: EVENT_VERSION,
            occurred_at: order.processed_at.unwrap_or(order.created_at),
            order,
        })
    }

    /// Returns the event as [`event_json`] writes it.
    ///
    /// # Errors
    /// None in practice: every field has a JSON form.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        event_json(self)
    }
}

/// Returns an event as JSON, in the characters of XML 1.0, the only ones a topic takes. JSON escapes all others but two.
///
/// # Errors
/// If a field has no JSON form.
pub fn event_json(event: &impl Serialize) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string(event)?;
    Ok(if text.contains(['\u{fffe}', '\u{ffff}']) {
        text.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
    } else {
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IdempotencyKey, OrderId, OrderRequest};

    fn order(status: Status, customer_id: &str) -> Order {
        let key = IdempotencyKey::new(b"k-1").expect("valid key");
        let confirmed = status == Status::Confirmed;
        Order {
            order_id: OrderId::for_key("CUST001", &key),
            request: OrderRequest { product_id: "PROD001".into(), quantity: 2, customer_id: customer_id.into() },
            status,
            total_price: confirmed.then_some(58),
            processed_at: (status != Status::Pending).then(|| "2026-01-02T03:04:05.600000Z".parse().expect("a moment")),
            created_at: "2026-01-02T03:04:05.000000Z".parse().expect("a moment"),
        }
    }

    #[test]
    fn the_form_of_an_event_never_changes() {
        // Consumers of another release read it, and count events by their ids.
        let text = |status| OrderEvent::of(order(status, "CUST001")).expect("settled").to_json().expect("JSON");
        insta::assert_snapshot!(text(Status::Confirmed));
        insta::assert_snapshot!(text(Status::Rejected));
        assert_eq!(OrderEvent::of(order(Status::Pending, "CUST001")), None);
    }

    #[test]
    fn an_event_has_only_characters_that_a_topic_takes() {
        let odd = "a\u{0}\u{1b}\u{7f}\u{fffe}\u{ffff}\u{1f600}";
        let event = OrderEvent::of(order(Status::Confirmed, odd)).expect("settled");
        let text = event.to_json().expect("JSON");
        assert!(text.chars().all(|char| char >= ' ' && !matches!(char, '\u{fffe}' | '\u{ffff}')), "{text:?}");
        assert_eq!(serde_json::from_str::<OrderEvent>(&text).expect("an event"), event);
    }
}
