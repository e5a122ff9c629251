//! Concurrent orders never take more than the stock, however many they are.

use integration::{Effort, Environment, order, persist, undisturbed};
use tokio::task::JoinSet;

#[test]
fn two_hundred_orders_for_the_last_fifty_items() {
    undisturbed(async |environment| {
        let mut effort = Effort::read();
        loop {
            last_fifty(environment).await;
            if !effort.again() {
                break;
            }
        }
    });
}

async fn last_fifty(environment: &Environment) {
    let product = environment.product(50).await;
    let mut callers = JoinSet::new();
    for _ in 0..200 {
        let (api, body, key) =
            (environment.api.clone(), order(&product, 1, &environment.customer()), environment.key());
        // A busy product may be answered with 503: a client then repeats its order.
        callers.spawn(persist(api, body, key));
    }
    let answers = callers.join_all().await;
    let confirmed = answers.iter().filter(|answer| answer.status == 201).count();
    let refused = answers.iter().filter(|answer| answer.failure() == (400, "Insufficient inventory")).count();
    assert_eq!((confirmed, refused), (50, 150), "expected exactly 50 orders to be confirmed and 150 to be refused");
    assert_eq!(environment.tables.stock(&product).await, 0, "expected nothing to be left, and no less than nothing");
}

#[test]
fn concurrent_orders_of_several_sizes_leave_no_less_than_nothing() {
    undisturbed(async |environment| {
        let product = environment.product(100).await;
        let mut callers = JoinSet::new();
        for quantity in (1..=7).cycle().take(70) {
            let (api, key) = (environment.api.clone(), environment.key());
            let body = order(&product, quantity, &environment.customer());
            callers.spawn(async move { (quantity, persist(api, body, key).await) });
        }
        let answers = callers.join_all().await;
        let confirmed: u64 =
            answers.iter().filter(|(_, answer)| answer.status == 201).map(|(quantity, _)| quantity).sum();
        let stock = environment.tables.stock(&product).await;
        assert_eq!(stock + confirmed, 100, "expected initial stock = stock + confirmed quantities");
        let smallest_refused =
            answers.iter().filter(|(_, answer)| answer.status == 400).map(|(quantity, _)| *quantity).min();
        assert!(
            smallest_refused.is_some_and(|refused| stock < refused),
            "expected an order to be refused only when there is not enough: {stock} left, {smallest_refused:?} refused"
        );
    });
}
