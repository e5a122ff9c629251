use std::time::Duration;

use order_api::{Pace, reconcile};
use order_service::Lifecycle;
use order_testing::{Fault, IN_STOCK};
use reqwest::StatusCode;

use crate::{System, header, order, processor};

const EAGER: Pace = Pace { pause: Duration::from_millis(20), age: Duration::ZERO };

/// An order that is pending because the processor was away, and the system that has it.
async fn interrupted(quantity: u64) -> (System, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let system = System::with_processor_at(&format!("http://{address}")).await;
    let response = system.post(&order(IN_STOCK, quantity)).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let location = header(&response, "location").expect("Location").to_owned();
    (system, location)
}

/// The same database behind an order-api that reaches its processor.
async fn repaired(system: System) -> System {
    let processor = processor(&system.emulator).await;
    let url = processor.url.clone();
    System::over(system.emulator, &url, Some(processor)).await
}

#[tokio::test]
async fn what_was_left_pending_is_settled() {
    for (quantity, status, stock) in [(2, "confirmed", 98), (200, "rejected", 100)] {
        let (system, location) = interrupted(quantity).await;
        let system = repaired(system).await;
        let lifecycle = Lifecycle::default();
        let reconciler = tokio::spawn(reconcile(system.api.clone(), EAGER, lifecycle.clone()));
        assert_eq!(system.settled(&location).await["status"], status);
        assert_eq!(system.emulator.stock(IN_STOCK).await, stock);
        lifecycle.drain();
        tokio::time::timeout(Duration::from_secs(5), reconciler).await.expect("a drain ends it").expect("no panic");
    }
}

#[tokio::test]
async fn several_replicas_settle_an_order_once() {
    let (system, location) = interrupted(3).await;
    let system = repaired(system).await;
    let replicas: Vec<_> =
        (0..4).map(|_| tokio::spawn(reconcile(system.api.clone(), EAGER, Lifecycle::default()))).collect();
    assert_eq!(system.settled(&location).await["status"], "confirmed");
    assert_eq!(system.emulator.stock(IN_STOCK).await, 97);
    for replica in replicas {
        replica.abort();
    }
}

#[tokio::test]
async fn an_order_under_way_is_left_alone() {
    let (system, location) = interrupted(1).await;
    let system = repaired(system).await;
    let patient = Pace { age: Duration::from_mins(1), ..EAGER };
    let reconciler = tokio::spawn(reconcile(system.api.clone(), patient, Lifecycle::default()));
    // Two rounds of all shards have been asked for once every one of these faults is used up.
    for _ in 0..16 {
        system.emulator.fail_next("Query", Fault::Delay(Duration::ZERO));
    }
    order_testing::eventually("two rounds", Duration::from_secs(10), async || {
        (system.emulator.faults_left() == 0).then_some(())
    })
    .await;
    assert_eq!(system.get(&location).await.1["status"], "pending");
    reconciler.abort();
}

#[tokio::test]
async fn a_repeated_request_finishes_its_pending_order() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let system = System::with_processor_at(&format!("http://{address}")).await;
    assert_eq!(system.post_with_key(&order(IN_STOCK, 2), "key-1").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    let system = repaired(system).await;
    assert_eq!(system.post_with_key(&order(IN_STOCK, 2), "key-1").await.status(), StatusCode::CREATED);
    assert_eq!(system.emulator.stock(IN_STOCK).await, 98);
}
