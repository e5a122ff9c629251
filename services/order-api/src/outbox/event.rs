use order_domain::{OrderEvent, OrderId};
use order_service::{TraceContext, topic::Message};

use crate::record::Record;

/// A settled order's event on its way to the topic.
#[derive(Debug)]
pub(super) struct Unpublished {
    pub(super) order_id: OrderId,
    pub(super) message: Message,
}

impl Unpublished {
    /// Returns the event of a settled order; `None` while the order is pending.
    pub(super) fn of(record: Record, trace: TraceContext) -> Option<Self> {
        let order_id = record.order_id;
        let event = OrderEvent::of(record.into())?;
        let body = event
            .to_json()
            .inspect_err(|error| tracing::error!(%order_id, %error, "an event has no JSON form"))
            .ok()?;
        let attributes = vec![("type", event.kind.as_str().to_owned()), ("traceparent", trace.header())];
        Some(Self { order_id, message: Message { body, attributes } })
    }
}
