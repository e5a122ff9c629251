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

/// Settles what was left pending, now and every few seconds, until the service drains.
pub async fn reconcile(api: Api, pace: Pace, lifecycle: Lifecycle) {
    tokio::select! {
        () = lifecycle.draining() => {}
        () = rounds(api.orders, pace) => {}
    }
}

async fn rounds(orders: Orders, pace: Pace) {
    // A service may start before its database does: that is news only when it has answered before, or does not come.
    let mut first_round = true;
    let mut reported = Reported::default();
    loop {
        // A round is a trace of its own, so that its lines here and in order-processor are found together.
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
