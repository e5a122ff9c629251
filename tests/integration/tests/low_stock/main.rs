//! The events of low stocks: from an order through the stream of `inventory` and the function `low-stock` into a queue of the topic
//! `stock-events`.
//!
//! They are a program of their own, because they need the profile `low-stock`: a test of `end_to_end` that did not run would leave its
//! evidence without effect. Against a running environment: `cargo devenv up -d --profile low-stock`, `eval "$(cargo devenv env)"`, then
//! `DEVENV_BIN=$PWD/target/debug/devenv cargo test --test low_stock`.

use std::time::{Duration, Instant};

use integration::{
    Effort, Environment, FUNCTION_HOST, Falls, LOW_STOCK, StockEvent, StockEvents, alone, eventually, order,
    undisturbed,
};

/// Time for an event while nothing is disturbed: the stream is read four times a second.
const ARRIVES: Duration = Duration::from_secs(10);

/// Time for all events after a disturbance: a batch of the stream that failed comes again within seconds.
const ALL_ARRIVE: Duration = Duration::from_mins(1);

/// The threshold of a product that has none of its own.
const DEFAULT_THRESHOLD: u64 = 10;

/// Orders that must bring a stock below its threshold before a kill, and again after it.
const FALLS: usize = 40;

async fn place(environment: &Environment, product_id: &str, quantity: u64) {
    let placed = environment.api.place(&order(product_id, quantity, &environment.customer())).await;
    assert_eq!(placed.status, 201, "{placed:?}");
}

/// Waits until a product has this many events.
async fn arrived(events: &mut StockEvents, product_id: &str, count: usize) {
    eventually(&format!("{count} events of {product_id} arrive"), ARRIVES, async || {
        events.take().await?;
        let of_product = events.of(product_id);
        if of_product.len() < count { Err(format!("{of_product:?}")) } else { Ok(()) }
    })
    .await;
}

fn levels(events: &[StockEvent]) -> Vec<(u64, u64)> {
    events.iter().map(|event| (event.stock, event.threshold)).collect()
}

#[test]
#[expect(clippy::print_stdout, reason = "a figure")]
fn each_fall_below_the_threshold_is_one_event() {
    undisturbed(async |environment| {
        let mut events = StockEvents::subscribe(environment).await;
        let product = environment.product(DEFAULT_THRESHOLD + 2).await;
        let special = environment.product_with_threshold(4, 3).await;
        place(environment, &product, 2).await;
        place(environment, &special, 1).await;
        // At their thresholds, no stock is low yet.
        let (began, mut times) = (Instant::now(), Vec::new());
        place(environment, &product, 1).await;
        arrived(&mut events, &product, 1).await;
        times.push(began.elapsed());
        // It is low already.
        place(environment, &product, 1).await;
        place(environment, &special, 2).await;
        arrived(&mut events, &special, 1).await;
        environment.tables.restock(&product, 5).await;
        let began = Instant::now();
        place(environment, &product, 4).await;
        arrived(&mut events, &product, 2).await;
        times.push(began.elapsed());
        // A stream keeps the order of its writes: once this event is here, every event of the writes before it is here too.
        let last = environment.product(DEFAULT_THRESHOLD).await;
        place(environment, &last, 1).await;
        arrived(&mut events, &last, 1).await;
        let low = DEFAULT_THRESHOLD - 1;
        assert_eq!(levels(events.of(&product)), [(low, DEFAULT_THRESHOLD), (low, DEFAULT_THRESHOLD)]);
        assert_eq!(levels(events.of(&special)), [(1, 3)]);
        assert_eq!(levels(events.of(&last)), [(low, DEFAULT_THRESHOLD)]);
        assert_eq!(events.repeated, 0, "expected each event once while nothing is disturbed");
        println!("from an order to its event: {times:?}");
        events.unsubscribe().await;
    });
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures of a long run")]
fn every_fall_has_an_event_whatever_is_killed_in_turn() {
    alone(async |environment| {
        let mut events = StockEvents::subscribe(environment).await;
        let falls = Falls::start(environment).await;
        let mut effort = Effort::read();
        let mut kills = 0;
        loop {
            for unit in [LOW_STOCK, FUNCTION_HOST] {
                falls.headway(FALLS).await;
                environment.crash(unit).await;
                kills += 1;
                falls.headway(FALLS).await;
            }
            if !effort.again() {
                break;
            }
        }
        let fallen = falls.stop().await;
        events.arrive(&fallen, ALL_ARRIVE).await;
        let times: usize = fallen.iter().map(|fallen| fallen.times).sum();
        println!("{kills} kills: {times} falls, each with an event; {} repeated", events.repeated);
        events.unsubscribe().await;
    });
}
