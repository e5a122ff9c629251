use order_domain::OrderId;
use order_testing::{IN_STOCK, OTHER_IN_STOCK};
use reqwest::StatusCode;
use serde_json::json;

use crate::{Processor, order_with_id};

#[tokio::test]
async fn a_repeated_order_takes_stock_once_and_gets_the_first_answer() {
    let processor = Processor::start().await;
    let body = order_with_id(OrderId::generate(), IN_STOCK, 4);
    let first = processor.process(&body).await;
    assert_eq!(first.0, StatusCode::OK);
    processor.emulator.put_product(IN_STOCK, 31, 96).await;
    assert_eq!(processor.process(&body).await, first, "not even a new price changes it");
    assert_eq!(processor.emulator.stock(IN_STOCK).await, 96);
}

#[tokio::test]
async fn a_transaction_is_sent_without_a_token() {
    let processor = Processor::start().await;
    processor.process(&order_with_id(OrderId::generate(), IN_STOCK, 1)).await;
    let sent = processor.emulator.last_request("TransactWriteItems").expect("an order is one transaction");
    assert_eq!(sent.get("ClientRequestToken"), None, "the ledger is what makes a repetition safe");
    assert_eq!(sent["TransactItems"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_refusal_holds_after_a_restock() {
    let processor = Processor::start().await;
    let refused = order_with_id(OrderId::generate(), IN_STOCK, 101);
    let unknown = order_with_id(OrderId::generate(), "LATER", 1);
    let first = (processor.process(&refused).await, processor.process(&unknown).await);
    assert_eq!((first.0.0, first.1.0), (StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND));
    processor.emulator.put_product(IN_STOCK, 29, 1000).await;
    processor.emulator.put_product("LATER", 1, 1000).await;
    assert_eq!((processor.process(&refused).await, processor.process(&unknown).await), first);
    assert_eq!(processor.emulator.stock(IN_STOCK).await, 1000);
    assert_eq!(processor.emulator.stock("LATER").await, 1000);
}

#[tokio::test]
async fn an_order_id_stands_for_one_body() {
    let processor = Processor::start().await;
    let order_id = OrderId::generate();
    processor.process(&order_with_id(order_id, IN_STOCK, 1)).await;
    for (product, quantity) in [(IN_STOCK, 2), (OTHER_IN_STOCK, 1)] {
        let (status, body) = processor.process(&order_with_id(order_id, product, quantity)).await;
        assert_eq!(
            (status, body),
            (
                StatusCode::CONFLICT,
                json!({ "detail": "This order_id was used for another order", "code": "order_id_reused" })
            )
        );
    }
    assert_eq!(processor.emulator.stock(OTHER_IN_STOCK).await, 50);
}

#[tokio::test]
async fn concurrent_calls_for_one_order_agree() {
    let processor = std::sync::Arc::new(Processor::start().await);
    for quantity in [5, 500] {
        let body = order_with_id(OrderId::generate(), IN_STOCK, quantity);
        let calls: Vec<_> = (0..20)
            .map(|_| {
                let (processor, body) = (processor.clone(), body.clone());
                tokio::spawn(async move { processor.process(&body).await })
            })
            .collect();
        let mut answers = Vec::new();
        for call in calls {
            answers.push(call.await.expect("no panic"));
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    }
    assert_eq!(processor.emulator.stock(IN_STOCK).await, 95);
}
