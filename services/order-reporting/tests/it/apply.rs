use std::time::Duration;

use order_domain::Order;
use order_reporting::{
    Figures, Settlement,
    database::{Applied, Store, StoreError},
};
use proptest::{prelude::*, test_runner::TestRunner};

use crate::{
    orders::{order, orders, settlements},
    postgres::Postgres,
};

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn an_event_counts_once() {
    let postgres = Postgres::start().await;
    let store = postgres.store(1);
    let all = [order("P1", "C1", 2, Some(58)), order("P1", "C2", 7, None)];
    let events = settlements(&all);
    let twice = [events.clone(), events.clone()].concat();
    assert_eq!(store.apply(&twice).await, Ok(Applied { counted: 2, duplicates: 2 }));
    assert_eq!(store.apply(&events).await, Ok(Applied { counted: 0, duplicates: 2 }));
    assert_eq!(postgres.figures().await, Figures::of_orders(&all));
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn the_largest_orders_add_up_beyond_the_numbers_of_an_order() {
    let postgres = Postgres::start().await;
    let store = postgres.store(1);
    let all: Vec<Order> = (0..2_000).map(|_| order("P1", "C1", 1_000_000, Some(9_007_199_254_000_000))).collect();
    assert_eq!(store.apply(&settlements(&all)).await.map(|applied| applied.counted), Ok(2_000));
    let figures = postgres.figures().await;
    assert_eq!(figures, Figures::of_orders(&all));
    assert!(figures.days.values().map(|tally| tally.revenue).sum::<u128>() > u128::from(u64::MAX) / 2);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn what_the_database_refuses_changes_nothing() {
    let postgres = Postgres::start().await;
    let store = postgres.store(1);
    postgres.execute("ALTER TABLE customer_days ADD CHECK (key <> 'C2')").await;
    let all = [order("P1", "C1", 2, Some(58)), order("P1", "C2", 7, None)];
    assert!(matches!(store.apply(&settlements(&all)).await, Err(StoreError::Refused(_))));
    assert_eq!(postgres.figures().await, Figures::default());
    assert_eq!(store.apply(&settlements(&all[..1])).await, Ok(Applied { counted: 1, duplicates: 0 }));
}

/// One delivery of some events, and the time after which its consumer dies.
#[derive(Debug, Clone)]
struct Delivery {
    events: Vec<prop::sample::Index>,
    killed_after: Option<Duration>,
}

fn deliveries() -> impl Strategy<Value = Vec<Delivery>> {
    let killed_after = prop::option::of((0..4_000_u64).prop_map(Duration::from_micros));
    let events = prop::collection::vec(any::<prop::sample::Index>(), 1..=10);
    let delivery = (events, killed_after).prop_map(|(events, killed_after)| Delivery { events, killed_after });
    prop::collection::vec(delivery, 0..24)
}

/// Delivers to three consumers at once, and then everything once more: a queue gives up no message that was not deleted.
async fn deliver(store: &Store, events: &[Settlement], deliveries: Vec<Delivery>) {
    let mut consumers = tokio::task::JoinSet::new();
    for part in deliveries.chunks(deliveries.len().div_ceil(3).max(1)) {
        let (store, events, part) = (store.clone(), events.to_vec(), part.to_vec());
        consumers.spawn(async move {
            for Delivery { events: chosen, killed_after } in part {
                let batch: Vec<Settlement> = chosen.iter().map(|index| index.get(&events).clone()).collect();
                match killed_after {
                    Some(time) => drop(tokio::time::timeout(time, store.apply(&batch)).await),
                    None => drop(store.apply(&batch).await.expect("no deadlock, no conflict")),
                }
            }
        });
    }
    drop(consumers.join_all().await);
    for batch in events.chunks(10) {
        store.apply(batch).await.expect("applied");
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn any_deliveries_give_the_figures_of_the_orders() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let postgres = runtime.block_on(Postgres::start());
    let config = ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() };
    let given = (orders(1..40), deliveries());
    let outcome = TestRunner::new(config).run(&given, |(orders, deliveries)| {
        runtime.block_on(async {
            postgres.execute("TRUNCATE processed_events, product_days, customer_days, days").await;
            let events = settlements(&orders);
            if !events.is_empty() {
                deliver(&postgres.store(4), &events, deliveries).await;
            }
            prop_assert_eq!(postgres.figures().await, Figures::of_orders(&orders));
            Ok(())
        })
    });
    drop(postgres);
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
