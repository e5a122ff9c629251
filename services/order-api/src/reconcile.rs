use std::{sync::Arc, time::Duration};

use order_domain::{Moment, OrderId, PENDING_SHARDS};
use order_service::{Lifecycle, TraceContext, with_trace};
use tracing::Instrument;

use crate::{
    Api,
    place::{Orders, SettleError},
    processor::{ProcessorError, UPSTREAM_TIMEOUT},
};

/// When the reconciler looks, and at what.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Between two rounds.
    pub pause: Duration,
    /// Younger orders are left to the request that is placing them.
    pub age: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        // The margin covers the writes before and after the call. An order taken up too early is only decided twice,
        // which the ledger answers the same.
        Self { pause: Duration::from_secs(3), age: UPSTREAM_TIMEOUT + Duration::from_secs(2) }
    }
}

/// How many orders are settled at the same time.
const AT_ONCE: usize = 8;

/// Settles what was left pending, now and every few seconds, until the service drains.
pub async fn reconcile(api: Api, pace: Pace, lifecycle: Lifecycle) {
    tokio::select! {
        () = lifecycle.draining() => {}
        () = rounds(api.orders, pace) => {}
    }
}

async fn rounds(orders: Orders, pace: Pace) {
    let orders = Arc::new(orders);
    // A service may start before its database does: that is news only when it has answered before, or does not come.
    let mut first_round = true;
    loop {
        // A round is a trace of its own, so that its lines here and in order-processor are found together.
        let context = TraceContext::generate();
        let span = tracing::error_span!("reconcile", trace_id = %context);
        with_trace(context, round(&orders, pace.age, first_round)).instrument(span).await;
        first_round = false;
        tokio::time::sleep(pace.pause).await;
    }
}

/// Looks at every shard once, from a random one on, so that several replicas do not go in step.
async fn round(orders: &Arc<Orders>, age: Duration, first_round: bool) {
    let before = Moment::now().before(age);
    let first = uuid::Uuid::new_v4().as_bytes()[0] % PENDING_SHARDS;
    for offset in 0..PENDING_SHARDS {
        let shard = (first + offset) % PENDING_SHARDS;
        let mut start = None;
        loop {
            let (pending, next) = match orders.store.pending(shard, before, start).await {
                Ok(page) => page,
                Err(error) if first_round => {
                    tracing::info!(%error, "the database does not answer yet");
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, shard, "cannot look for pending orders");
                    return;
                }
            };
            for ids in pending.chunks(AT_ONCE) {
                if !settle_all(orders, ids.iter().map(|entry| entry.order_id)).await {
                    return;
                }
            }
            start = next;
            if start.is_none() {
                break;
            }
        }
    }
}

/// Settles these at the same time; `false` when it is no use to go on in this round.
async fn settle_all(orders: &Arc<Orders>, ids: impl Iterator<Item = OrderId>) -> bool {
    let context = order_service::current_trace().unwrap_or_else(TraceContext::generate);
    let mut tasks = tokio::task::JoinSet::new();
    for order_id in ids {
        let orders = orders.clone();
        let work = async move { settle_one(&orders, order_id).await };
        tasks.spawn(with_trace(context, work).instrument(tracing::Span::current()));
    }
    let mut go_on = true;
    while let Some(done) = tasks.join_next().await {
        // A panic in one order must not end the reconciler.
        go_on &= done.unwrap_or(true);
    }
    go_on
}

async fn settle_one(orders: &Orders, order_id: OrderId) -> bool {
    let settled = async {
        // The index lags behind, so the order itself says whether it is still pending.
        match orders.store.order(order_id).await? {
            Some(record) if record.decision().is_none() => orders.settle(record).await.map(Some),
            _ => Ok(None),
        }
    };
    match settled.await {
        Ok(Some(record)) => {
            tracing::info!(%order_id, status = record.status.as_str(), "pending order settled");
            true
        }
        Ok(None) => true,
        Err(SettleError::Processor(ProcessorError::Unexpected(reason))) => {
            tracing::error!(%order_id, reason, "pending order cannot be settled");
            true
        }
        Err(error) => {
            tracing::warn!(%order_id, reason = %error, "pending order not settled yet");
            false
        }
    }
}
