use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{Environment, Service, StockEvent, StockEvents, Tables, eventually, load::grows, order, persist};

/// Products whose stock falls and rises at the same time.
const PRODUCTS: usize = 4;

/// The threshold of the products.
const THRESHOLD: u64 = 5;

/// Pause between two falls of a product.
const PACE: Duration = Duration::from_millis(50);

/// Time for the table to take a write while it is disturbed.
const WRITTEN: Duration = Duration::from_secs(40);

/// Products whose stock falls below its threshold by an order and rises to it again, until [`Falls::stop`].
#[derive(Debug)]
pub struct Falls {
    stop: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
    products: JoinSet<Fallen>,
}

/// A product and how often its stock fell below its threshold.
#[derive(Debug)]
pub struct Fallen {
    pub product_id: String,
    pub times: usize,
}

impl Falls {
    pub async fn start(environment: &Environment) -> Self {
        let mut falls = Self { stop: Arc::default(), count: Arc::default(), products: JoinSet::new() };
        for _ in 0..PRODUCTS {
            let product_id = environment.product_with_threshold(THRESHOLD, THRESHOLD).await;
            let customer = environment.customer_of(&product_id);
            let (api, tables) = (environment.api.clone(), environment.tables.clone());
            let (stop, count) = (falls.stop.clone(), falls.count.clone());
            falls.products.spawn(async move {
                let mut fallen = Fallen { product_id, times: 0 };
                while !stop.load(Ordering::Relaxed) {
                    once(&api, &tables, &fallen.product_id, &customer).await;
                    fallen.times += 1;
                    count.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(PACE).await;
                }
                fallen
            });
        }
        falls
    }

    /// Waits until this many more falls have taken place.
    pub async fn headway(&self, falls: usize) {
        grows(&self.count, falls, "more falls below a threshold").await;
    }

    /// Stops after the falls under way.
    pub async fn stop(self) -> Vec<Fallen> {
        self.stop.store(true, Ordering::Relaxed);
        self.products.join_all().await
    }
}

/// One fall: the order is confirmed and the stock raised again, however often the services are killed meanwhile.
async fn once(api: &Service, tables: &Tables, product_id: &str, customer: &str) {
    let placed = persist(api.clone(), order(product_id, 1, customer), Uuid::new_v4().to_string()).await;
    assert_eq!(placed.status, 201, "{placed:?}");
    // A loop, not `eventually`: its closure would tie a spawned task to one lifetime.
    let deadline = Instant::now() + WRITTEN;
    while let Err(reason) = tables.raise_stock(product_id, THRESHOLD - 1, THRESHOLD).await {
        assert!(Instant::now() < deadline, "expected the stock to be raised within {WRITTEN:?}: {reason}");
        tokio::time::sleep(PACE).await;
    }
}

impl StockEvents {
    /// Waits until each fall has an event of its own, and asserts that there are no others.
    pub async fn arrive(&mut self, fallen: &[Fallen], deadline: Duration) {
        eventually("each fall below a threshold has an event", deadline, async || {
            self.take().await?;
            match fallen.iter().find(|fallen| self.of(&fallen.product_id).len() < fallen.times) {
                None => Ok(()),
                Some(Fallen { product_id, times }) => {
                    Err(format!("{} events for {times} falls of {product_id}", self.of(product_id).len()))
                }
            }
        })
        .await;
        for Fallen { product_id, times } in fallen {
            let events = self.of(product_id);
            assert_eq!(events.len(), *times, "expected one event for each fall of {product_id}");
            let is_right = |event: &StockEvent| (event.stock, event.threshold) == (THRESHOLD - 1, THRESHOLD);
            assert!(events.iter().all(is_right), "{events:?}");
        }
    }
}
