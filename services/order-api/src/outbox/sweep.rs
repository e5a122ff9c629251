//! The sweeper publishes the events that a crash, an outage or a full queue left unpublished.

use std::{collections::BTreeSet, time::Duration};

use order_domain::{Moment, OrderId, SHARDS};
use order_service::{Lifecycle, TraceContext, dynamodb::StoreError, topic::MOST_MESSAGES, with_trace};
use tokio::task::JoinSet;
use tracing::Instrument;

use super::{event::Unpublished, handle::Outbox, late::Late, relay::Relay};
use crate::{
    api::Api,
    metrics::Skipped,
    place::Orders,
    reconcile::Pace,
    round::{Due, Reported},
    store::{Entry, UNPUBLISHED},
};

/// The largest number of batches on their way.
const BATCHES: usize = 4;

/// The largest number of pages of one shard that are only counted, while the topic takes no events.
const COUNTED_PAGES: usize = 20;

/// Publishes what is left, now and every few seconds, until the service drains. Ends at once without a topic.
///
/// Several replicas may publish the same event: its id is the same, and a consumer counts it once.
pub async fn sweep(api: Api, pace: Pace, lifecycle: Lifecycle) {
    let Some(outbox) = api.orders.outbox.clone() else { return };
    tokio::select! {
        () = lifecycle.draining() => {}
        () = rounds(&outbox, &api.orders, pace) => {}
    }
}

async fn rounds(outbox: &Outbox, orders: &Orders, pace: Pace) {
    // A service may start before its database, so the first round reports a silent database only as information.
    let mut first_round = true;
    let (mut reported, mut late) = (Reported::default(), Late::default());
    loop {
        let context = TraceContext::generate();
        let span = tracing::error_span!("sweep", trace_id = %context);
        let round = async {
            let mut round = Sweep::new(outbox.relay.clone(), pace.age, context);
            match round.walk().await {
                Ok(()) => {
                    outbox.relay.metrics.unpublished(round.found, round.oldest());
                    late.report(round.found, round.oldest());
                }
                Err(error) if first_round => tracing::info!(%error, "the database does not answer yet"),
                Err(error) => tracing::warn!(%error, "cannot look for unpublished events"),
            }
            orders.metrics.skipped(Skipped::Unreadable, round.unreadable.len().try_into().unwrap_or(u64::MAX));
            reported.report(round.unreadable);
        };
        with_trace(context, Box::pin(round)).instrument(span).await;
        first_round = false;
        tokio::time::sleep(pace.pause).await;
    }
}

/// One round over all unpublished events.
struct Sweep {
    relay: Relay,
    due: Due,
    trace: TraceContext,
    topic_answers: bool,
    /// The number of entries of the index, young ones too.
    found: usize,
    oldest: Option<Moment>,
    /// The unreadable orders, by the text in place of their ids.
    unreadable: BTreeSet<String>,
}

impl Sweep {
    fn new(relay: Relay, age: Duration, trace: TraceContext) -> Self {
        let due = Due { now: Moment::now(), age };
        Self { relay, due, trace, topic_answers: true, found: 0, oldest: None, unreadable: BTreeSet::new() }
    }

    /// The age of the oldest order.
    fn oldest(&self) -> Duration {
        let since = |oldest: Moment| self.due.now.as_microseconds() - oldest.as_microseconds();
        Duration::from_micros(self.oldest.map_or(0, since).try_into().unwrap_or_default())
    }

    /// Visits every shard once, from a random one on, so that several replicas do not move in step.
    async fn walk(&mut self) -> Result<(), StoreError> {
        let first = uuid::Uuid::new_v4().as_bytes()[0] % SHARDS;
        for offset in 0..SHARDS {
            self.shard((first + offset) % SHARDS).await?;
        }
        Ok(())
    }

    async fn shard(&mut self, shard: u8) -> Result<(), StoreError> {
        let (mut start, mut counted) = (None, 0);
        loop {
            let (entries, next) = self.relay.store.waiting(UNPUBLISHED, shard, start).await?;
            let due = self.count(entries);
            if self.topic_answers && !due.is_empty() {
                self.publish(&due).await?;
            }
            counted += usize::from(!self.topic_answers);
            start = next;
            if start.is_none() || counted > COUNTED_PAGES {
                return Ok(());
            }
        }
    }

    /// Counts a page's entries, and returns those that the publisher should have taken by now.
    fn count(&mut self, entries: Vec<Result<Entry, String>>) -> Vec<OrderId> {
        self.found += entries.len();
        let mut due = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => {
                    self.oldest = self.oldest.into_iter().chain(entry.created_at).min();
                    if self.due.takes(entry.created_at) {
                        due.push(entry.order_id);
                    }
                }
                Err(id) => drop(self.unreadable.insert(id)),
            }
        }
        due
    }

    async fn publish(&mut self, due: &[OrderId]) -> Result<(), StoreError> {
        let mut events = Vec::with_capacity(due.len());
        for record in self.relay.store.unpublished(due).await? {
            match record {
                Ok(record) => events.extend(Unpublished::of(record, self.trace)),
                Err(id) => drop(self.unreadable.insert(id)),
            }
        }
        let mut published = Vec::with_capacity(events.len());
        let mut batches = JoinSet::new();
        let mut events = events.into_iter();
        loop {
            let batch: Vec<Unpublished> = events.by_ref().take(MOST_MESSAGES).collect();
            if batches.len() >= BATCHES || batch.is_empty() {
                let Some(done) = batches.join_next().await else { break };
                match done {
                    Ok((orders, answers)) => {
                        published.extend::<Vec<OrderId>>(orders);
                        self.topic_answers &= answers;
                    }
                    Err(error) => tracing::error!(%error, "publishing events panicked"),
                }
            }
            if !batch.is_empty() && self.topic_answers {
                let relay = self.relay.clone();
                batches.spawn(with_trace(self.trace, async move { publish(&relay, &batch).await }));
            }
        }
        if !published.is_empty() {
            tracing::info!(events = published.len(), "events left unpublished are published");
            self.relay.remove(&published).await;
        }
        Ok(())
    }
}

/// Publishes a batch. Returns the orders whose events the topic has, and whether the topic takes events at all.
async fn publish(relay: &Relay, batch: &[Unpublished]) -> (Vec<OrderId>, bool) {
    let events: Vec<&Unpublished> = batch.iter().collect();
    let outcome = relay.publish(&events).await;
    let taken = events.iter().zip(outcome.taken).filter(|(_, taken)| *taken);
    (taken.map(|(event, _)| event.order_id).collect(), outcome.topic_answers)
}
