//! Faults that the embedded database never produces by itself.

use order_domain::OrderId;
use order_testing::{Fault, IN_STOCK};
use reqwest::StatusCode;

use crate::{Processor, order, order_with_id};

const TRANSACTION: &str = "TransactWriteItems";

fn conflict() -> Fault {
    Fault::Cancel(vec!["None", "TransactionConflict"])
}

#[tokio::test]
async fn conflicts_and_throttling_are_retried() {
    let processor = Processor::start().await;
    let throttled = Fault::Cancel(vec!["None", "ThrottlingError"]);
    let exceeded = Fault::Cancel(vec!["ProvisionedThroughputExceeded", "None"]);
    for fault in [conflict(), throttled, exceeded, conflict(), Fault::Refuse("ThrottlingException")] {
        processor.emulator.fail_next(TRANSACTION, fault);
    }
    let (status, body) = processor.process(&order_with_id(OrderId::generate(), IN_STOCK, 1)).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(processor.emulator.faults_left(), 0);
    assert_eq!(processor.emulator.stock(IN_STOCK).await, 99);
}

#[tokio::test]
async fn without_an_id_a_conflict_is_retried_as_well() {
    let processor = Processor::start().await;
    processor.emulator.fail_next("UpdateItem", Fault::Refuse("TransactionConflictException"));
    processor.emulator.fail_next("UpdateItem", Fault::Refuse("ProvisionedThroughputExceededException"));
    assert_eq!(processor.process(&order(IN_STOCK, 1)).await.0, StatusCode::OK);
    assert_eq!(processor.emulator.faults_left(), 0);
    assert_eq!(processor.emulator.stock(IN_STOCK).await, 99);
}

#[tokio::test]
async fn retries_are_bounded_and_end_in_503() {
    let processor = Processor::start().await;
    for _ in 0..20 {
        processor.emulator.fail_next(TRANSACTION, conflict());
    }
    let order = order_with_id(OrderId::generate(), IN_STOCK, 1);
    let response = processor.post(&order).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers().get("retry-after").and_then(|value| value.to_str().ok()), Some("1"));
    let left = processor.emulator.faults_left();
    assert!((1..20).contains(&left), "{left} of 20 conflicts left");
    assert_eq!(processor.emulator.stock(IN_STOCK).await, 100);
}

#[tokio::test]
async fn a_lost_answer_does_not_take_stock_twice() {
    let processor = Processor::start().await;
    processor.emulator.fail_next(TRANSACTION, Fault::LoseAnswer);
    let (status, body) = processor.process(&order_with_id(OrderId::generate(), IN_STOCK, 1)).await;
    assert_eq!((status, body["total_price"].as_u64()), (StatusCode::OK, Some(29)));
    assert_eq!(processor.emulator.stock(IN_STOCK).await, 99);
}

#[tokio::test]
async fn without_an_id_a_lost_answer_is_not_tried_again() {
    let processor = Processor::start().await;
    processor.emulator.fail_next("UpdateItem", Fault::LoseAnswer);
    assert_eq!(processor.process(&order(IN_STOCK, 1)).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(processor.emulator.stock(IN_STOCK).await, 99);
}

#[tokio::test]
async fn a_price_that_changes_under_way_is_the_new_price() {
    let processor = std::sync::Arc::new(Processor::start().await);
    let held = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    processor.emulator.fail_next(TRANSACTION, Fault::Hold(held.clone()));
    let call = tokio::spawn({
        let processor = processor.clone();
        async move { processor.process(&order_with_id(OrderId::generate(), IN_STOCK, 2)).await }
    });
    order_testing::eventually("the transaction", std::time::Duration::from_secs(5), async || {
        (processor.emulator.faults_left() == 0).then_some(())
    })
    .await;
    processor.emulator.put_product(IN_STOCK, 40, 100).await;
    held.add_permits(1);
    let (status, body) = call.await.expect("no panic");
    assert_eq!((status, body["total_price"].as_u64()), (StatusCode::OK, Some(80)));
    assert_eq!(processor.emulator.stock(IN_STOCK).await, 98);
}
