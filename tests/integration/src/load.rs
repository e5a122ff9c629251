use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use crate::World;

/// Customers that order one item at a time, as fast as they are answered.
const CUSTOMERS: usize = 16;

/// Orders that keep coming while a test disturbs the environment.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    customers: JoinSet<Report>,
}

/// What the customers saw.
#[derive(Debug, Default)]
pub struct Report {
    /// Ids of the orders that were answered with 201.
    pub acknowledged: Vec<String>,
    /// How often each other status was seen; 0 counts broken connections.
    pub others: BTreeMap<u16, usize>,
    /// How many 503 did not say when to try again.
    pub retry_after_missing: usize,
}

impl Load {
    /// How long a disturbed load lasts: short in every run, `SOAK_SECONDS` for a long one.
    pub fn length() -> Duration {
        let seconds = std::env::var("SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
        Duration::from_secs(seconds.unwrap_or(2))
    }

    pub fn start(world: &Arc<World>, product: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut customers = JoinSet::new();
        for _ in 0..CUSTOMERS {
            customers.spawn(customer(Arc::clone(world), product.to_owned(), Arc::clone(&stop)));
        }
        Self { stop, customers }
    }

    /// Lets the requests that run end, and adds up what was seen.
    pub async fn stop(mut self) -> Report {
        self.stop.store(true, Ordering::Relaxed);
        let mut total = Report::default();
        while let Some(report) = self.customers.join_next().await {
            let report = report.expect("a customer does not panic");
            total.acknowledged.extend(report.acknowledged);
            total.retry_after_missing += report.retry_after_missing;
            for (status, count) in report.others {
                *total.others.entry(status).or_default() += count;
            }
        }
        total
    }
}

async fn customer(world: Arc<World>, product: String, stop: Arc<AtomicBool>) -> Report {
    let body = json!({ "product_id": product, "quantity": 1, "customer_id": world.customer() });
    let mut report = Report::default();
    while !stop.load(Ordering::Relaxed) {
        let request = world.http.post(format!("{}/orders", world.api)).json(&body);
        match world.try_send(request).await {
            Some(answer) if answer.status == 201 => report.acknowledged.push(answer.text("order_id")),
            Some(answer) => {
                *report.others.entry(answer.status).or_default() += 1;
                if answer.status == 503 && !answer.headers.contains_key("retry-after") {
                    report.retry_after_missing += 1;
                }
            }
            None => {
                *report.others.entry(0).or_default() += 1;
                // A port on which nothing listens refuses at once; the machine is not this loop's alone.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
    report
}
