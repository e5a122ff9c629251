//! The time from the queue to a report.

use std::time::{Duration, Instant};

use order_service::{Lifecycle, Metrics};
use order_testing::{Queues, serve, service};

use crate::{
    consume::Consumer,
    orders::{messages, order},
    postgres::Postgres,
};

/// The limit is far above the usual time, for machines that test and compile at once.
const LIMIT: Duration = Duration::from_millis(500);

#[tokio::test]
#[ignore = "needs PostgreSQL"]
#[expect(clippy::print_stdout, reason = "the figures of a measurement")]
async fn an_event_is_soon_in_a_report() {
    let (queues, postgres) = (Queues::start(5).await, Postgres::start().await);
    let consumer = Consumer::start(&queues, &postgres);
    let service = service(order_reporting::IDENTITY);
    let router = order_reporting::application(&service, postgres.store(2), Metrics::new(), Lifecycle::default());
    let serving = serve(router).await;
    let http = reqwest::Client::new();
    let mut times = Vec::new();
    for round in 0..40 {
        let customer = format!("C{round}");
        let start = Instant::now();
        queues.send(&messages(&[order("P1", &customer, 1, Some(29))])).await;
        let url = format!("{}/reports/customers/{customer}", serving.url);
        while !http.get(&url).send().await.expect("an answer").status().is_success() {
            assert!(start.elapsed() < Duration::from_secs(30), "event {round} is in no report");
        }
        times.push(start.elapsed());
    }
    times.sort();
    let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
    println!("from the queue to a report: median {median:?}, longest {longest:?}");
    assert!(median < LIMIT, "{times:?}");
    consumer.lifecycle.drain();
    consumer.task.await.expect("no panic");
}
