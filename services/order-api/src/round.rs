//! One round of the reconciler over all pending orders.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use order_domain::{Moment, OrderId, SHARDS};
use order_service::{
    TraceContext, current_trace,
    dynamodb::{Cause, StoreError},
    with_trace,
};
use tokio::{task::JoinSet, time::Instant};
use tracing::Instrument;

use crate::{
    answer::ProcessorError,
    metrics::Skipped,
    place::Orders,
    place_error::SettleError,
    store::{Entry, PENDING},
};

/// The number of concurrent settlements.
const AT_ONCE: usize = 8;

/// An order from further in the future has its time from a clock that jumped ahead; the round settles it at once.
const CLOCKS_AGREE: Duration = Duration::from_mins(1);

/// The pause after an order without a decision: a round of many orders must not flood a service in trouble.
const UNAVAILABLE_PAUSE: Duration = Duration::from_millis(250);

/// The interval between two reports of the same unreadable orders.
const REPORTED_EVERY: Duration = Duration::from_mins(5);

/// A round. It skips every faulty order; only a database that does not answer ends it.
pub(crate) struct Round {
    orders: Orders,
    due: Due,
    tasks: JoinSet<(OrderId, Settled)>,
    /// Products with too many orders: their other orders wait for the next round.
    busy: Arc<Mutex<HashSet<String>>>,
    /// The unreadable orders, by the text in place of their ids.
    unreadable: BTreeSet<String>,
    database_answers: bool,
}

/// Selects the orders for a round.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Due {
    pub(crate) now: Moment,
    pub(crate) age: Duration,
}

/// The outcome for one order.
enum Settled {
    Done,
    Skipped(Skipped),
    NoDatabase,
}

impl Due {
    /// Excludes younger orders: the request that places them settles them.
    pub(crate) fn takes(self, created_at: Option<Moment>) -> bool {
        created_at.is_none_or(|created_at| {
            created_at < self.now.before(self.age) || created_at > self.now.after(CLOCKS_AGREE)
        })
    }
}

impl Round {
    pub(crate) fn new(orders: &Orders, age: Duration) -> Self {
        Self {
            orders: orders.clone(),
            due: Due { now: Moment::now(), age },
            tasks: JoinSet::new(),
            busy: Arc::default(),
            unreadable: BTreeSet::new(),
            database_answers: true,
        }
    }

    /// Visits every shard once, from a random one on, so that several replicas do not move in step. Returns the unreadable
    /// orders.
    pub(crate) async fn walk(mut self, first_round: bool) -> BTreeSet<String> {
        let first = uuid::Uuid::new_v4().as_bytes()[0] % SHARDS;
        for offset in 0..SHARDS {
            let shard = (first + offset) % SHARDS;
            match self.shard(shard).await {
                Ok(()) => {}
                Err(error) if first_round => {
                    tracing::info!(%error, "the database does not answer yet");
                    break;
                }
                Err(error) => {
                    tracing::warn!(%error, shard, "cannot look for pending orders");
                    self.database_answers &= !error.is_silence();
                }
            }
            if !self.database_answers {
                break;
            }
        }
        while let Some(done) = self.tasks.join_next().await {
            self.note(done);
        }
        self.unreadable
    }

    async fn shard(&mut self, shard: u8) -> Result<(), StoreError> {
        let mut start = None;
        loop {
            let (entries, next) = self.orders.store.waiting(PENDING, shard, start).await?;
            for entry in entries {
                match entry {
                    Ok(Entry { order_id, created_at }) if self.due.takes(created_at) => self.take_up(order_id).await,
                    Ok(_) => {}
                    Err(id) => {
                        self.unreadable.insert(id);
                    }
                }
                if !self.database_answers {
                    return Ok(());
                }
            }
            start = next;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    /// Settles an order as soon as a slot is free.
    async fn take_up(&mut self, order_id: OrderId) {
        if self.tasks.len() >= AT_ONCE
            && let Some(done) = self.tasks.join_next().await
        {
            self.note(done);
        }
        let (orders, busy) = (self.orders.clone(), self.busy.clone());
        let context = current_trace().unwrap_or_else(TraceContext::generate);
        let work = async move {
            let settled = settle(&orders, order_id, &busy).await;
            if matches!(settled, Settled::Skipped(Skipped::Unavailable)) {
                tokio::time::sleep(UNAVAILABLE_PAUSE).await;
            }
            (order_id, settled)
        };
        self.tasks.spawn(with_trace(context, work).instrument(tracing::Span::current()));
    }

    fn note(&mut self, done: Result<(OrderId, Settled), tokio::task::JoinError>) {
        match done {
            Ok((_, Settled::Done)) => {}
            Ok((order_id, Settled::Skipped(Skipped::Unreadable))) => {
                self.unreadable.insert(order_id.to_string());
            }
            Ok((_, Settled::Skipped(reason))) => self.orders.metrics.skipped(reason, 1),
            Ok((_, Settled::NoDatabase)) => self.database_answers = false,
            // A panic in one order must not end the reconciler.
            Err(error) => tracing::error!(%error, "settling a pending order panicked"),
        }
    }
}

async fn settle(orders: &Orders, order_id: OrderId, busy: &Mutex<HashSet<String>>) -> Settled {
    let record = match orders.store.order(order_id).await {
        // The index lags, so read the order itself to see whether it is still pending.
        Ok(Some(record)) if record.decision().is_none() => record,
        Ok(_) => return Settled::Done,
        Err(error) => return failed(order_id, error.into()),
    };
    let is_busy = |product: &str| busy.lock().unwrap_or_else(PoisonError::into_inner).contains(product);
    if is_busy(&record.product_id) {
        return Settled::Skipped(Skipped::Busy);
    }
    let product = record.product_id.clone();
    match orders.settle(record).await {
        Ok(record) => {
            tracing::info!(%order_id, status = record.status.as_str(), "pending order settled");
            Settled::Done
        }
        Err(error) => {
            let settled = failed(order_id, error);
            if matches!(settled, Settled::Skipped(Skipped::Busy)) {
                busy.lock().unwrap_or_else(PoisonError::into_inner).insert(product);
            }
            settled
        }
    }
}

fn failed(order_id: OrderId, error: SettleError) -> Settled {
    match error {
        SettleError::Store(StoreError { cause: Cause::Unreadable(_), .. }) => Settled::Skipped(Skipped::Unreadable),
        SettleError::Processor(ProcessorError::Unexpected(reason)) => {
            tracing::error!(%order_id, reason, "pending order cannot be settled");
            Settled::Skipped(Skipped::Unexpected)
        }
        error => {
            tracing::warn!(%order_id, reason = %error, "pending order not settled yet");
            match error {
                SettleError::Store(error) if error.is_silence() => Settled::NoDatabase,
                SettleError::Processor(ProcessorError::Busy(_)) => Settled::Skipped(Skipped::Busy),
                _ => Settled::Skipped(Skipped::Unavailable),
            }
        }
    }
}

/// The last report of unreadable orders, pending or unpublished: every round meets them again, but only the first report is news.
#[derive(Default)]
pub(crate) struct Reported {
    last: Option<(Instant, BTreeSet<String>)>,
}

impl Reported {
    pub(crate) fn report(&mut self, unreadable: BTreeSet<String>) {
        let known =
            self.last.as_ref().is_some_and(|(at, known)| at.elapsed() < REPORTED_EVERY && unreadable.is_subset(known));
        if known || unreadable.is_empty() {
            return;
        }
        let some: Vec<&str> = unreadable.iter().take(10).map(String::as_str).collect();
        tracing::error!(
            orders = unreadable.len(),
            ids = ?some,
            "waiting orders cannot be read and are passed over; see docs/runbooks/skipped.md"
        );
        self.last = Some((Instant::now(), unreadable));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn young_orders_are_left_alone_and_those_from_the_future_are_not() {
        let now = Moment::now();
        let due = Due { now, age: Duration::from_secs(7) };
        assert!(due.takes(Some(now.before(Duration::from_secs(8)))));
        assert!(!due.takes(Some(now.before(Duration::from_secs(6)))));
        assert!(!due.takes(Some(now.after(Duration::from_secs(10)))), "two clocks never quite agree");
        assert!(due.takes(Some(now.after(Duration::from_mins(15)))));
        assert!(due.takes(None));
    }
}
