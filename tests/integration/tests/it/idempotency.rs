use std::sync::Arc;

use integration::{Answer, Unit, World};
use serde_json::{Value, json};
use uuid::Uuid;

async fn with_key(world: &World, key: &str, body: &Value) -> Answer {
    world.send(world.http.post(format!("{}/orders", world.api)).header("idempotency-key", key).json(body)).await
}

#[tokio::test]
async fn the_same_key_and_body_are_one_order() {
    let world = World::shared().await;
    let product = world.product(3, 10).await;
    let body = json!({ "product_id": product, "quantity": 4, "customer_id": world.customer() });
    let key = Uuid::new_v4().to_string();
    let first = with_key(&world, &key, &body).await;
    let second = with_key(&world, &key, &body).await;
    assert_eq!(first.status, 201);
    assert_eq!(second.status, 201);
    assert_eq!(first.body, second.body);
    assert_eq!(world.stock(&product).await, 6);
}

#[tokio::test]
async fn the_same_key_with_another_body_is_a_conflict() {
    let world = World::shared().await;
    let product = world.product(3, 10).await;
    let customer = world.customer();
    let body = |quantity| json!({ "product_id": product, "quantity": quantity, "customer_id": customer });
    assert_eq!(with_key(&world, "key", &body(1)).await.status, 201);
    let conflict = with_key(&world, "key", &body(2)).await;
    assert_eq!(conflict.status, 409, "{conflict:?}");
    insta::assert_json_snapshot!("key_conflict", conflict.body);
    assert_eq!(world.stock(&product).await, 9);
}

#[tokio::test]
async fn a_key_belongs_to_its_customer() {
    let world = World::shared().await;
    let product = world.product(3, 10).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let body = json!({ "product_id": product, "quantity": 1, "customer_id": world.customer() });
        ids.push(with_key(&world, "shared-key", &body).await.text("order_id"));
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_key_outside_its_limits_is_refused() {
    let world = World::shared().await;
    let product = world.product(3, 10).await;
    let body = json!({ "product_id": product, "quantity": 1, "customer_id": world.customer() });
    for key in ["", "two words", &"k".repeat(256)] {
        assert_eq!(with_key(&world, key, &body).await.status, 422, "{} characters", key.len());
    }
    assert_eq!(with_key(&world, &"k".repeat(255), &body).await.status, 201);
}

#[tokio::test]
async fn twenty_at_once_take_stock_once() {
    let world = Arc::new(World::shared().await);
    let product = world.product(3, 100).await;
    let body = json!({ "product_id": product, "quantity": 5, "customer_id": world.customer() });
    let key = Uuid::new_v4().to_string();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (world, key, body) = (Arc::clone(&world), key.clone(), body.clone());
        calls.spawn(async move { with_key(&world, &key, &body).await });
    }
    let answers = calls.join_all().await;
    for answer in &answers {
        assert_eq!(answer.status, 201, "{answer:?}");
        assert_eq!(answer.body["order_id"], answers[0].body["order_id"]);
    }
    assert_eq!(world.stock(&product).await, 95);
}

#[tokio::test]
async fn a_key_survives_a_crash_of_the_api() {
    let world = World::alone().await;
    let product = world.product(3, 10).await;
    let body = json!({ "product_id": product, "quantity": 1, "customer_id": world.customer() });
    let first = with_key(&world, "before-the-crash", &body).await;
    Unit::OrderApi.kill().await;
    let again = || {
        world.try_send(
            world.http.post(format!("{}/orders", world.api)).header("idempotency-key", "before-the-crash").json(&body),
        )
    };
    let second =
        integration::eventually("order-api answers after its crash", std::time::Duration::from_secs(20), again).await;
    assert_eq!(second.body, first.body);
    assert_eq!(world.stock(&product).await, 9);
}
