//! No order and no stock is ever lost, whatever is killed.

use std::time::Duration;

use integration::{
    Effort, Environment, Load, ORDER_API, ORDER_PROCESSOR, Patience, alone, nothing_is_lost, order, persist,
};

/// A unit that lived for 10 s is well again for its supervisor, and its next death is the first.
const WELL_AGAIN: Duration = Duration::from_millis(10_500);

/// Enough for everyone, and so little that orders are refused too.
async fn plenty_and_scarcity(environment: &Environment) -> [(String, u64); 2] {
    [(environment.product(10_000_000).await, 10_000_000), (environment.product(150).await, 150)]
}

async fn killed_under_load(environment: &Environment, unit: &str, patience: Patience) {
    let products = plenty_and_scarcity(environment).await;
    let effort = Effort::read();
    let load = Load::start(environment, &products, patience);
    loop {
        load.headway(100).await;
        environment.crash(unit).await;
        load.headway(100).await;
        if !effort.again(WELL_AGAIN).await {
            break;
        }
    }
    let tally = load.stop().await;
    // What is left is to wait, in which others may disturb all they like.
    environment.end_turn();
    assert!(
        tally.unanswered + tally.unsettled.len() > 0,
        "expected the kill to be felt by someone: {:?}",
        tally.statuses
    );
    nothing_is_lost(environment, &products, &tally).await;
}

/// Clients here give up on an order that is not answered: the reconciler must finish it.
#[test]
fn order_api_is_killed_in_mid_load() {
    alone(async |environment| killed_under_load(environment, ORDER_API, Patience::GivesUp).await);
}

#[test]
fn order_processor_is_killed_in_mid_load() {
    alone(async |environment| killed_under_load(environment, ORDER_PROCESSOR, Patience::Persists).await);
}

#[test]
fn order_api_finishes_what_it_began_before_it_stops() {
    alone(async |environment| {
        let products = plenty_and_scarcity(environment).await;
        let load = Load::start(environment, &products, Patience::Persists);
        load.headway(100).await;
        environment.units.stop(ORDER_API).await;
        for (product_id, _) in &products {
            let orders = environment.tables.orders_of(product_id).await.expect("the table answers");
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
