//! Writes of the pending order whose answers are lost: one order must stay one order.

use order_api::reconcile;
use order_service::Lifecycle;
use order_testing::{Fault, IN_STOCK, eventually};
use reqwest::StatusCode;

use crate::{System, header, order, reconciler::EAGER};

const PLENTY: i64 = 1_000_000;

/// Orders three items like a client that follows the contract: it repeats the order only if the answer names no order.
async fn order_three(system: &System, what: &str) {
    for _ in 0..10 {
        let response = system.post(&order(IN_STOCK, 3)).await;
        let location = header(&response, "location").map(str::to_owned);
        match (response.status(), location) {
            (StatusCode::CREATED, _) => return,
            (StatusCode::SERVICE_UNAVAILABLE, Some(location)) => {
                assert_eq!(system.settled(&location).await["status"], "confirmed", "{what}");
                return;
            }
            (StatusCode::SERVICE_UNAVAILABLE, None) => {}
            (status, location) => panic!("{what}: {status} {location:?}"),
        }
    }
    panic!("{what}: never taken");
}

/// Waits until no order is pending, including orders unknown to the client.
async fn nothing_is_pending(system: &System) {
    eventually("no pending order", std::time::Duration::from_secs(10), async || {
        let pending = system.emulator.client.scan().table_name("orders").index_name("pending").send().await.ok()?;
        (pending.count() == 0).then_some(())
    })
    .await;
}

async fn one_order_for(sequences: impl IntoIterator<Item = Vec<(&'static str, Fault)>>) {
    let system = System::start().await;
    system.emulator.put_product(IN_STOCK, 29, PLENTY).await;
    let reconciler = tokio::spawn(reconcile(system.api.clone(), EAGER, Lifecycle::default()));
    let mut ordered = 0;
    for sequence in sequences {
        let what = format!("{sequence:?}");
        for (operation, fault) in sequence {
            system.emulator.fail_next(operation, fault);
        }
        order_three(&system, &what).await;
        system.emulator.forget_faults();
        nothing_is_pending(&system).await;
        ordered += 3;
        assert_eq!(system.emulator.stock(IN_STOCK).await, PLENTY - ordered, "{what}: one order takes its stock once");
    }
    reconciler.abort();
}

const THROTTLED: Fault = Fault::Refuse("ThrottlingException");
const NOT_FOUND: Fault = Fault::Refuse("ResourceNotFoundException");

#[tokio::test]
async fn a_lost_answer_before_two_throttles_is_one_order() {
    one_order_for([vec![("PutItem", Fault::LoseAnswer), ("PutItem", THROTTLED), ("PutItem", THROTTLED)]]).await;
}

#[tokio::test]
async fn a_lost_answer_before_a_failed_condition_that_cannot_be_read_is_one_order() {
    let throttled_reads = (0..3).map(|_| ("GetItem", THROTTLED));
    one_order_for([std::iter::once(("PutItem", Fault::LoseAnswer)).chain(throttled_reads).collect()]).await;
}

#[tokio::test]
async fn a_lost_answer_before_a_missing_table_is_one_order() {
    one_order_for([vec![("PutItem", Fault::LoseAnswer), ("PutItem", NOT_FOUND)]]).await;
}

#[tokio::test]
async fn any_three_attempts_are_one_order() {
    let faults = [Fault::LoseAnswer, Fault::Gateway, Fault::BreakOff, THROTTLED];
    let mut sequences = Vec::new();
    for first in &faults {
        for second in &faults {
            for third in &faults {
                sequences.push([first, second, third].map(|fault| ("PutItem", fault.clone())).to_vec());
            }
        }
    }
    one_order_for(sequences).await;
}
