use order_service::{Lifecycle, TraceContext, current_trace};
use tokio::sync::mpsc;

use super::{
    event::Unpublished,
    metrics::Outcome,
    publisher::{Publisher, Queued},
    relay::Relay,
};
use crate::record::Record;

/// The number of events that may wait for the publisher. The sweeper takes all others.
const QUEUE: usize = 1_024;

/// Takes the events of settled orders to the topic, off the path of the requests.
#[derive(Clone)]
pub(crate) struct Outbox {
    queue: mpsc::Sender<Queued>,
    pub(super) relay: Relay,
    lifecycle: Lifecycle,
}

impl Outbox {
    /// Starts the publisher, which ends with the last handle.
    pub(crate) fn start(relay: Relay, lifecycle: Lifecycle) -> Self {
        let (queue, events) = mpsc::channel(QUEUE);
        tokio::spawn(Publisher::new(relay.clone(), lifecycle.clone()).run(events));
        Self { queue, relay, lifecycle }
    }

    /// Hands over a settled order's event. Never waits: the sweeper finds an event for which there is no room.
    pub(crate) fn offer(&self, record: Record) {
        let trace = current_trace().unwrap_or_else(TraceContext::generate);
        let Some(event) = Unpublished::of(record, trace) else { return };
        let queued = Queued { event, work: self.lifecycle.work() };
        if self.queue.try_send(queued).is_err() {
            self.relay.metrics.count(Outcome::Left, 1);
        }
    }
}
