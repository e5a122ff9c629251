use std::{sync::Arc, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use axum::{Json, Router};
use order_api::{Pace, reconcile};
use order_domain::{Moment, OrderId, SHARDS, shard_name};
use order_service::Lifecycle;
use order_testing::{Fault, IN_STOCK, eventually, serve};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::{Foreign, System, header, order, processor, put_foreign};

pub(crate) const EAGER: Pace = Pace { pause: Duration::from_millis(20), age: Duration::ZERO };

/// A system with an order left pending by an absent processor.
async fn interrupted(quantity: u64) -> (System, String) {
    let system = System::with_processor_at("http://127.0.0.1:9").await;
    let response = system.post(&order(IN_STOCK, quantity)).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let location = header(&response, "location").expect("Location").to_owned();
    (system, location)
}

/// Starts an order-api on the same database, with a reachable processor.
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
    // When all these faults are used up, the reconciler has queried all shards in two rounds.
    let free = Arc::new(Semaphore::new(16));
    for _ in 0..16 {
        system.emulator.fail_next("Query", Fault::Hold(free.clone()));
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
    let system = System::with_processor_at("http://127.0.0.1:9").await;
    assert_eq!(system.post_with_key(&order(IN_STOCK, 2), "key-1").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    let system = repaired(system).await;
    assert_eq!(system.post_with_key(&order(IN_STOCK, 2), "key-1").await.status(), StatusCode::CREATED);
    assert_eq!(system.emulator.stock(IN_STOCK).await, 98);
}

async fn put_pending(system: &System, order_id: &str, shard: u8, created_at: &str, product: Option<&str>) {
    let mark = ("pending_shard", AttributeValue::S(shard_name(shard)));
    put_foreign(system, Foreign { order_id, status: "pending", mark, created_at, product }).await;
}

fn skipped(system: &System, reason: &str) -> usize {
    let line = format!("order_skipped_total{{reason=\"{reason}\"}} ");
    let text = system.metrics.text();
    text.lines().find_map(|have| have.strip_prefix(&line)?.parse().ok()).unwrap_or_default()
}

const LONG_AGO: &str = "2020-01-01T00:00:00.000000Z";

#[tokio::test]
async fn orders_that_cannot_be_read_hold_up_no_other() {
    let (system, location) = interrupted(3).await;
    let system = repaired(system).await;
    for shard in 0..SHARDS {
        for number in 0..8 {
            put_pending(&system, &format!("no id {shard}-{number}"), shard, LONG_AGO, Some(IN_STOCK)).await;
            put_pending(&system, &OrderId::generate().to_string(), shard, LONG_AGO, None).await;
        }
    }
    let reconciler = tokio::spawn(reconcile(system.api.clone(), EAGER, Lifecycle::default()));
    assert_eq!(system.settled(&location).await["status"], "confirmed");
    assert_eq!(system.emulator.stock(IN_STOCK).await, 97);
    eventually("a round that counts them", Duration::from_secs(10), async || {
        (skipped(&system, "unreadable") >= 2 * 8 * usize::from(SHARDS)).then_some(())
    })
    .await;
    reconciler.abort();
}

#[tokio::test]
async fn a_list_leaves_out_what_cannot_be_read() {
    let system = System::start().await;
    for n in 0..3 {
        system.post(&order(IN_STOCK, 1)).await;
        put_pending(&system, &format!("no id {n}"), 0, &Moment::now().to_string(), Some(IN_STOCK)).await;
    }
    let mut listed = 0;
    let mut path = "/orders?customer_id=CUST001&limit=2".to_owned();
    for length in [2, 1] {
        let (status, page) = system.get(&path).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        assert_eq!(page["orders"].as_array().map(Vec::len), Some(length));
        listed += length;
        path = format!("/orders?customer_id=CUST001&limit=2&cursor={}", page["next_cursor"].as_str().unwrap_or("none"));
    }
    assert_eq!((listed, path.ends_with("cursor=none")), (3, true));
    assert!(skipped(&system, "unreadable") >= 3);
}

/// Confirms every order except those of the product HOT.
async fn choosy_processor() -> order_testing::Serving {
    serve(Router::new().fallback(async |Json(order): Json<Value>| {
        if order["product_id"] == "HOT" {
            let busy = json!({ "detail": "The product is in great demand, try again", "code": "product_busy" });
            return (StatusCode::SERVICE_UNAVAILABLE, Json(busy));
        }
        (StatusCode::OK, Json(json!({ "status": "confirmed", "total_price": 1, "processed_at": LONG_AGO })))
    }))
    .await
}

#[tokio::test]
async fn one_hot_product_holds_up_no_other() {
    let processor = choosy_processor().await;
    let system = System::with_processor_at(&processor.url).await;
    let cold: Vec<String> = (0..SHARDS).map(|_| OrderId::generate().to_string()).collect();
    for (shard, cold) in (0..).zip(&cold) {
        for _ in 0..12 {
            put_pending(&system, &OrderId::generate().to_string(), shard, LONG_AGO, Some("HOT")).await;
        }
        put_pending(&system, cold, shard, "2020-01-02T00:00:00.000000Z", Some("COLD")).await;
    }
    let reconciler = tokio::spawn(reconcile(system.api.clone(), EAGER, Lifecycle::default()));
    for cold in &cold {
        assert_eq!(system.settled(&format!("/orders/{cold}")).await["status"], "confirmed");
    }
    assert!(skipped(&system, "busy") > 0);
    reconciler.abort();
}

#[tokio::test]
async fn an_order_from_a_clock_that_jumped_ahead_is_settled() {
    let system = System::start().await;
    let (order_id, ahead) = (OrderId::generate().to_string(), Moment::now().after(Duration::from_hours(24)));
    put_pending(&system, &order_id, 3, &ahead.to_string(), Some(IN_STOCK)).await;
    let patient = Pace { age: Duration::from_secs(7), ..EAGER };
    let reconciler = tokio::spawn(reconcile(system.api.clone(), patient, Lifecycle::default()));
    assert_eq!(system.settled(&format!("/orders/{order_id}")).await["status"], "confirmed");
    reconciler.abort();
}
