//! The task that publishes the events of this process.

use std::time::Duration;

use order_domain::OrderId;
use order_service::{Lifecycle, Work, topic::MOST_MESSAGES};
use tokio::{
    sync::mpsc,
    task::{JoinError, JoinSet},
    time::{Instant, sleep_until},
};

use super::{event::Unpublished, relay::Relay, table::MOST_ORDERS};

/// The largest number of batches on their way.
const BATCHES: usize = 4;

/// The largest number of published events whose marks wait for their removal; more wait for a slow table.
const MOST_PUBLISHED: usize = 10 * MOST_ORDERS;

/// The time from one batch to the next that is not full. The first event after a silence leaves at once.
const BETWEEN_BATCHES: Duration = Duration::from_millis(50);

/// The time that a published event waits for others, so that one write removes many marks.
const GATHERING: Duration = Duration::from_millis(200);

/// An event that waits for its publication. The drain waits for it.
pub(super) struct Queued {
    pub(super) event: Unpublished,
    pub(super) work: Work,
}

/// An event that the topic has, and whose mark is still there.
struct Marked {
    order_id: OrderId,
    /// The drain waits for the removal too.
    _work: Work,
}

pub(super) struct Publisher {
    relay: Relay,
    lifecycle: Lifecycle,
    waiting: Vec<Queued>,
    /// The time from which a batch need not be full.
    next_batch: Instant,
    publishing: JoinSet<Vec<Marked>>,
    published: Vec<Marked>,
    /// The time of the next removal, while `published` is not empty.
    removal: Instant,
    removing: JoinSet<()>,
    draining: bool,
}

impl Publisher {
    pub(super) fn new(relay: Relay, lifecycle: Lifecycle) -> Self {
        Self {
            relay,
            lifecycle,
            waiting: Vec::with_capacity(MOST_MESSAGES),
            next_batch: Instant::now(),
            publishing: JoinSet::new(),
            published: Vec::new(),
            removal: Instant::now(),
            removing: JoinSet::new(),
            draining: false,
        }
    }

    /// Publishes until the queue is closed and empty.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Queued>) {
        let mut open = true;
        while open || !self.is_idle() {
            self.start();
            let room = MOST_MESSAGES - self.waiting.len();
            tokio::select! {
                count = queue.recv_many(&mut self.waiting, room), if open && room > 0 => open = count > 0,
                Some(done) = self.publishing.join_next() => self.note(done),
                Some(done) = self.removing.join_next() => drop(done.inspect_err(panicked)),
                () = sleep_until(self.next_batch), if self.awaits_batch() => {}
                () = sleep_until(self.removal), if !self.published.is_empty() && self.removing.is_empty() => {}
                () = self.lifecycle.draining(), if !self.draining => self.draining = true,
            }
        }
    }

    /// Whether only the time keeps a batch from its start.
    fn awaits_batch(&self) -> bool {
        !self.waiting.is_empty() && self.publishing.is_empty() && self.published.len() < MOST_PUBLISHED
    }

    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.publishing.is_empty() && self.published.is_empty() && self.removing.is_empty()
    }

    fn start(&mut self) {
        let now = Instant::now();
        let has_room = self.published.len() < MOST_PUBLISHED;
        let is_due = self.draining || now >= self.next_batch;
        if has_room && may_publish(self.waiting.len(), self.publishing.len(), is_due) {
            self.next_batch = now + BETWEEN_BATCHES;
            let (relay, batch) = (self.relay.clone(), std::mem::take(&mut self.waiting));
            self.publishing.spawn(async move {
                let events: Vec<&Unpublished> = batch.iter().map(|queued| &queued.event).collect();
                let taken = relay.publish(&events).await.taken;
                let outcomes = batch.into_iter().zip(taken);
                let published = outcomes.filter_map(|(queued, taken)| taken.then_some(queued));
                published.map(|Queued { event, work }| Marked { order_id: event.order_id, _work: work }).collect()
            });
        }
        let due = self.draining || now >= self.removal || self.published.len() >= MOST_ORDERS;
        if due && !self.published.is_empty() && self.removing.is_empty() {
            let rest = self.published.split_off(self.published.len().min(MOST_ORDERS));
            let (relay, batch) = (self.relay.clone(), std::mem::replace(&mut self.published, rest));
            self.removing.spawn(async move {
                let orders: Vec<OrderId> = batch.iter().map(|marked| marked.order_id).collect();
                relay.remove(&orders).await;
            });
        }
    }

    fn note(&mut self, done: Result<Vec<Marked>, JoinError>) {
        let published = done.inspect_err(panicked).unwrap_or_default();
        if self.published.is_empty() {
            self.removal = Instant::now() + GATHERING;
        }
        self.published.extend(published);
    }
}

/// Whether a batch starts. A full one need not wait; another one waits for its time and for those on their way, and grows
/// meanwhile.
fn may_publish(waiting: usize, publishing: usize, is_due: bool) -> bool {
    let full = waiting == MOST_MESSAGES && publishing < BATCHES;
    full || (waiting > 0 && publishing == 0 && is_due)
}

/// A panic in one batch must not end the publisher.
fn panicked(error: &JoinError) {
    tracing::error!(%error, "publishing events panicked");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_is_not_full_waits_for_those_on_their_way() {
        assert!(!may_publish(0, 0, true));
        assert!(may_publish(1, 0, true));
        assert!(!may_publish(9, 0, false));
        assert!(!may_publish(9, 1, true));
        assert!(may_publish(10, 3, false));
        assert!(!may_publish(10, 4, true));
    }
}
