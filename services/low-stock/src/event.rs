use order_domain::{Moment, event_json};
use order_service::topic::Message;
use serde::Serialize;
use uuid::Uuid;

use crate::{crossing::Crossing, record::Change};

/// The type of the event, in its body and among the attributes of its message.
const KIND: &str = "stock.low";
/// The version of the event's form. A consumer refuses a version that it does not know.
const VERSION: u32 = 1;
/// Under it lie the ids of this function's events.
const NAMESPACE: Uuid = Uuid::from_u128(0x2f6d_9a34_8c11_5e6b_a7d0_41f3_9e52_7b18);

/// A low stock, as the topic carries it in JSON. Every repetition is equal to the first.
#[derive(Debug, Serialize)]
struct StockEvent<'a> {
    /// Distinguishes events: a consumer counts each id once.
    id: Uuid,
    #[serde(rename = "type")]
    kind: &'static str,
    version: u32,
    /// The time of the write, which a stream may not have.
    occurred_at: Option<Moment>,
    product_id: &'a str,
    /// After the write.
    stock: u64,
    threshold: u64,
}

/// The message for a crossing by this write.
pub(crate) fn message(crossing: &Crossing, change: &Change) -> Result<Message, serde_json::Error> {
    let event = StockEvent {
        id: id(&crossing.product_id, &change.sequence_number),
        kind: KIND,
        version: VERSION,
        occurred_at: change.created_at(),
        product_id: &crossing.product_id,
        stock: crossing.stock,
        threshold: crossing.threshold,
    };
    Ok(Message { body: event_json(&event)?, attributes: vec![("type", KIND.to_owned())] })
}

/// A sequence number is unique in its stream, and a product's writes are in one stream. No sequence number has a space.
fn id(product_id: &str, sequence_number: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{sequence_number} {product_id}").as_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_form_of_an_event_never_changes() {
        // Consumers of another release read it, and count events by their ids.
        let change =
            json!({ "SequenceNumber": "100001761000000000001", "ApproximateCreationDateTime": 1_767_323_045.6 });
        let change: Change = serde_json::from_value(change).expect("a change");
        let crossing = Crossing { product_id: "PROD\u{ffff}1".into(), stock: 9, threshold: 10 };
        let message = message(&crossing, &change).expect("JSON");
        insta::assert_snapshot!(message.body);
        assert_eq!(message.attributes, [("type", "stock.low".to_owned())]);
    }

    #[test]
    fn each_crossing_has_its_own_id() {
        assert_eq!(id("PROD001", "1"), id("PROD001", "1"));
        assert_ne!(id("PROD001", "1"), id("PROD001", "2"));
        assert_ne!(id("PROD001", "1"), id("PROD002", "1"));
    }
}
