use std::sync::Arc;

use order_domain::OrderId;
use order_testing::{IN_STOCK, OTHER_IN_STOCK};
use reqwest::StatusCode;

use crate::{Processor, order, order_with_id};

/// Sends 200 orders of one item each, 50 at a time, for a stock of 50.
async fn last_fifty(with_id: bool) {
    let processor = Arc::new(Processor::start().await);
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let processor = processor.clone();
            tokio::spawn(async move {
                let mut statuses = Vec::new();
                for _ in 0..4 {
                    let body = if with_id {
                        order_with_id(OrderId::generate(), OTHER_IN_STOCK, 1)
                    } else {
                        order(OTHER_IN_STOCK, 1)
                    };
                    statuses.push(processor.process(&body).await.0);
                }
                statuses
            })
        })
        .collect();
    let mut statuses = Vec::new();
    for caller in callers {
        statuses.extend(caller.await.expect("no panic"));
    }
    let count = |status| statuses.iter().filter(|have| **have == status).count();
    assert_eq!((count(StatusCode::OK), count(StatusCode::BAD_REQUEST)), (50, 150), "{statuses:?}");
    assert_eq!(processor.emulator.stock(OTHER_IN_STOCK).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_orders_for_the_last_fifty() {
    last_fifty(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_orders_without_an_id_for_the_last_fifty() {
    last_fifty(false).await;
}

#[tokio::test]
async fn exactly_what_is_left_can_be_taken() {
    let processor = Processor::start().await;
    assert_eq!(processor.process(&order(IN_STOCK, 100)).await.0, StatusCode::OK);
    assert_eq!(processor.process(&order(IN_STOCK, 1)).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(processor.emulator.stock(IN_STOCK).await, 0);
}

#[tokio::test]
async fn a_bad_price_is_our_fault_and_takes_nothing() {
    let processor = Processor::start().await;
    processor.emulator.put_product("ODD", -1, 5).await;
    let (status, body) = processor.process(&order("ODD", 1)).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(body["detail"], "Internal Server Error");
    assert_eq!(processor.emulator.stock("ODD").await, 5);
}

#[tokio::test]
async fn the_largest_order_does_not_overflow() {
    let processor = Processor::start().await;
    let price = i64::try_from(order_domain::MAX_UNIT_PRICE).expect("small enough");
    processor.emulator.put_product("DEAR", price, 2_000_000).await;
    let (status, body) =
        processor.process(&order_with_id(OrderId::generate(), "DEAR", order_domain::MAX_QUANTITY)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body["total_price"].as_u64(), Some(order_domain::MAX_UNIT_PRICE * order_domain::MAX_QUANTITY));
}
