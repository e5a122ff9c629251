//! No order and no stock is ever lost, whichever service is killed or stopped.

use std::{collections::HashMap, time::Duration};

use integration::{
    Effort, Environment, Load, ORDER_API, ORDER_PROCESSOR, Patience, alone, eventually, nothing_is_lost,
    nothing_is_pending, order, persist,
};
use tokio::time::Instant;

/// After 10 s of life the supervisor resets a unit's back-off: its next death counts as the first.
const WELL_AGAIN: Duration = Duration::from_millis(10_500);

/// Time for `/health` to change: its good answer is cached for a second.
const NOTICED: Duration = Duration::from_secs(5);

/// One product with enough stock for all orders, and one with so little that orders are refused.
async fn plenty_and_scarcity(environment: &Environment) -> [(String, u64); 2] {
    [(environment.product(10_000_000).await, 10_000_000), (environment.product(150).await, 150)]
}

/// Kills these units in turn, all of them in each round.
#[expect(clippy::print_stdout, reason = "the figures of a long run")]
async fn killed_under_load(environment: &Environment, units: &[&'static str], mut effort: Effort, patience: Patience) {
    let products = plenty_and_scarcity(environment).await;
    let load = Load::start(environment, &products, effort, patience);
    let mut well_again = HashMap::new();
    let mut kills = 0;
    loop {
        for unit in units {
            if let Some(well_again) = well_again.get(unit) {
                tokio::time::sleep_until(*well_again).await;
            }
            load.headway(effort.headway()).await;
            environment.crash(unit).await;
            kills += 1;
            well_again.insert(unit, Instant::now() + WELL_AGAIN);
            load.headway(effort.headway()).await;
        }
        if !effort.again() {
            break;
        }
    }
    let tally = load.stop().await;
    // From here on this test only waits: others may disturb the system.
    environment.end_turn();
    println!("{kills} kills of {units:?}: {tally}");
    assert!(
        tally.unanswered + tally.unsettled.len() > 0,
        "expected the kill to be felt by someone: {:?}",
        tally.statuses
    );
    nothing_is_lost(environment, &products, &tally).await;
}

/// Clients here give up on an unanswered order: the reconciler must finish it.
#[test]
fn order_api_is_killed_in_mid_load() {
    alone(async |environment| killed_under_load(environment, &[ORDER_API], Effort::read(), Patience::GivesUp).await);
}

#[test]
fn order_processor_is_killed_in_mid_load() {
    alone(async |environment| {
        let effort = Effort::read();
        killed_under_load(environment, &[ORDER_PROCESSOR], effort, effort.patience()).await;
    });
}

#[test]
fn an_order_left_pending_is_finished_by_the_reconciler() {
    alone(async |environment| {
        let (product, customer, key) = (environment.product(10).await, environment.customer(), environment.key());
        environment.units.stop(ORDER_PROCESSOR).await;

        let body = order(&product, 3, &customer);
        let unsettled = environment.api.place_with_key(&body, &key).await;
        insta::assert_json_snapshot!("order_without_processor", unsettled.redacted());
        let location = unsettled.header("location").expect("a 503 after the pending order is written has a Location");
        let pending = environment.api.get(location).await;
        insta::assert_json_snapshot!("pending_order", pending.redacted());
        // No client repeats this order: the reconciler must settle it.
        let forgotten = environment.api.place(&order(&product, 4, &customer)).await;
        assert_eq!(forgotten.status, 503, "{forgotten:?}");
        assert_eq!(environment.tables.stock(&product).await, 10, "expected nothing to be taken yet");

        eventually("order-api's /health is 503 without order-processor", NOTICED, async || {
            let health = environment.api.get("/health").await;
            if health.status == 503 && health.body["detail"].is_string() { Ok(()) } else { Err(format!("{health:?}")) }
        })
        .await;
        for path in ["/livez", "/readyz", "/version"] {
            assert_eq!(environment.api.get(path).await.status, 200, "expected {path} to need no dependency");
        }

        // Another process of order-api may settle the order.
        environment.units.stop(ORDER_API).await;
        environment.units.start(ORDER_PROCESSOR).await;
        environment.units.start(ORDER_API).await;
        let again = persist(environment.api.clone(), body, key).await;
        assert_eq!(
            (again.status, again.order_id()),
            (201, unsettled.order_id()),
            "expected the pending order, confirmed"
        );

        environment.end_turn();
        nothing_is_pending(environment, &product).await;
        let status = environment.tables.status(forgotten.order_id()).await.expect("the table answers");
        assert_eq!(status.as_deref(), Some("confirmed"), "expected the reconciler to finish the order");
        assert_eq!(environment.tables.stock(&product).await, 3, "expected each order to take its stock once");
    });
}

#[test]
fn order_api_finishes_what_it_began_before_it_stops() {
    alone(async |environment| {
        let products = plenty_and_scarcity(environment).await;
        let load = Load::start(environment, &products, Effort::read(), Patience::Persists);
        load.headway(100).await;
        environment.units.stop(ORDER_API).await;
        for (product_id, _) in &products {
            let orders = environment.orders_of(product_id).await.expect("the table answers");
            let pending = orders.iter().filter(|order| order.status == "pending").count();
            assert_eq!(pending, 0, "expected a drain to finish the orders in flight, of {}", orders.len());
        }
        environment.units.start(ORDER_API).await;
        load.headway(100).await;
        let tally = load.stop().await;
        environment.end_turn();
        nothing_is_lost(environment, &products, &tally).await;
    });
}

#[test]
fn a_key_from_before_a_kill_gives_the_same_order() {
    alone(async |environment| {
        let (product, key) = (environment.product(10).await, environment.key());
        let body = order(&product, 3, &environment.customer());
        let first = environment.api.place_with_key(&body, &key).await;
        assert_eq!(first.status, 201);
        environment.crash(ORDER_API).await;
        let again = persist(environment.api.clone(), body, key).await;
        assert_eq!((again.status, &again.body), (201, &first.body), "expected the same order again");
        assert_eq!(environment.tables.stock(&product).await, 7, "expected stock to be taken once");
    });
}
