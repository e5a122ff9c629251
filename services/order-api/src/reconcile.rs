use std::time::Duration;

use order_service::{Lifecycle, TraceContext, with_trace};
use tracing::Instrument;

use crate::{
    api::Api,
    metrics::Skipped,
    place::Orders,
    processor::UPSTREAM_TIMEOUT,
    round::{Reported, Round},
};

/// The reconciler's timing.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The pause between two rounds.
    pub pause: Duration,
    /// The minimum age of an order: the request that places it takes care of younger ones.
    pub age: Duration,
}

impl Pace {
    /// The sweeper's timing: the publisher needs less than a second for an event, and a second publication is harmless.
    pub const OF_EVENTS: Self = Self { pause: Duration::from_secs(2), age: Duration::from_secs(2) };
}

impl Default for Pace {
    fn default() -> Self {
        // The margin covers the writes before and after the call. A second decision on an order taken up too early is
        // harmless: the ledger gives the same answer.
        Self { pause: Duration::from_secs(3), age: UPSTREAM_TIMEOUT + Duration::from_secs(2) }
    }
}

/// Settles orders left pending, now and every few seconds, until the service drains.
pub async fn reconcile(api: Api, pace: Pace, lifecycle: Lifecycle) {
    tokio::select! {
        () = lifecycle.draining() => {}
        () = rounds(api.orders, pace) => {}
    }
}

async fn rounds(orders: Orders, pace: Pace) {
    // A service may start before its database, so the first round reports a silent database only as information.
    let mut first_round = true;
    let mut reported = Reported::default();
    loop {
        // Each round is a trace, which connects its log lines here and in order-processor.
        let context = TraceContext::generate();
        let span = tracing::error_span!("reconcile", trace_id = %context);
        let round = async {
            let unreadable = Round::new(&orders, pace.age).walk(first_round).await;
            orders.metrics.skipped(Skipped::Unreadable, unreadable.len().try_into().unwrap_or(u64::MAX));
            reported.report(unreadable);
        };
        with_trace(context, round).instrument(span).await;
        first_round = false;
        tokio::time::sleep(pace.pause).await;
    }
}
