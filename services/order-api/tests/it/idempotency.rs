use order_testing::{Fault, IN_STOCK};
use reqwest::StatusCode;

use crate::{System, answer, order};

#[tokio::test]
async fn the_same_key_and_body_are_one_order() {
    let system = System::start().await;
    let first = answer(system.post_with_key(&order(IN_STOCK, 3), "key-1").await).await;
    assert_eq!(first.0, StatusCode::CREATED);
    assert_eq!(answer(system.post_with_key(&order(IN_STOCK, 3), "key-1").await).await, first);
    assert_eq!(system.emulator.stock(IN_STOCK).await, 97);
}

#[tokio::test]
async fn the_same_key_with_another_body_is_a_conflict() {
    let system = System::start().await;
    system.post_with_key(&order(IN_STOCK, 3), "key-1").await;
    let (status, body) = answer(system.post_with_key(&order(IN_STOCK, 4), "key-1").await).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(body["detail"], "Idempotency-Key was used before with another body");
    let mut of_another_customer = order(IN_STOCK, 4);
    of_another_customer["customer_id"] = "CUST002".into();
    assert_eq!(system.post_with_key(&of_another_customer, "key-1").await.status(), StatusCode::CREATED);
    assert_eq!(system.emulator.stock(IN_STOCK).await, 93);
}

#[tokio::test]
async fn a_refusal_is_repeated_even_after_a_restock() {
    let system = System::start().await;
    for _ in 0..2 {
        assert_eq!(system.post_with_key(&order(IN_STOCK, 101), "key-1").await.status(), StatusCode::BAD_REQUEST);
        system.emulator.put_product(IN_STOCK, 29, 1000).await;
    }
}

#[tokio::test]
async fn concurrent_requests_with_one_key_are_one_order() {
    let system = std::sync::Arc::new(System::start().await);
    let calls: Vec<_> = (0..20)
        .map(|_| {
            tokio::spawn({
                let system = system.clone();
                async move { answer(system.post_with_key(&order(IN_STOCK, 3), "key-1").await).await }
            })
        })
        .collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.expect("no panic"));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(system.emulator.stock(IN_STOCK).await, 97);
}

#[tokio::test]
async fn lost_answers_of_the_database_are_found_again() {
    let system = System::start().await;
    for operation in ["PutItem", "UpdateItem", "TransactWriteItems"] {
        system.emulator.fail_next(operation, Fault::LoseAnswer);
    }
    let (status, body) = answer(system.post(&order(IN_STOCK, 3)).await).await;
    assert_eq!((status, &body["status"]), (StatusCode::CREATED, &"confirmed".into()));
    assert_eq!(system.emulator.faults_left(), 0);
    assert_eq!(system.emulator.stock(IN_STOCK).await, 97);
}
