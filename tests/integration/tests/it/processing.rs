//! The processor's own door, which the old client used too.

use integration::{Answer, World};
use serde_json::{Value, json};
use uuid::Uuid;

async fn process(world: &World, body: &Value) -> Answer {
    world.send(world.http.post(format!("{}/process-order", world.processor)).json(body)).await
}

#[tokio::test]
async fn the_old_client_calls_without_an_id() {
    let world = World::shared().await;
    let product = world.product(6, 5).await;
    let body = json!({ "product_id": product, "quantity": 2, "customer_id": "c" });
    let answer = process(&world, &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    insta::assert_json_snapshot!("processed", answer.body, { ".processed_at" => "[time]" });
    assert_eq!(process(&world, &body).await.status, 200, "without an id every call is an order of its own");
    assert_eq!(world.stock(&product).await, 1);
    let refused = process(&world, &body).await;
    assert_eq!((refused.status, refused.body), (400, json!({ "detail": "Insufficient inventory" })));
}

#[tokio::test]
async fn with_an_id_it_is_done_once() {
    let world = World::shared().await;
    let product = world.product(6, 5).await;
    let body = json!({ "order_id": Uuid::new_v4(), "product_id": product, "quantity": 2, "customer_id": "c" });
    let first = process(&world, &body).await;
    let second = process(&world, &body).await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(first.body, second.body);
    assert_eq!(world.stock(&product).await, 3);
    let mut other = body;
    other["quantity"] = json!(1);
    assert_eq!(process(&world, &other).await.status, 409);
}

#[tokio::test]
async fn what_was_refused_stays_refused_after_a_restock() {
    let world = World::shared().await;
    let product = world.product(6, 1).await;
    let body = json!({ "order_id": Uuid::new_v4(), "product_id": product, "quantity": 2, "customer_id": "c" });
    assert_eq!(process(&world, &body).await.status, 400);
    world.restock(&product, 100).await;
    assert_eq!(process(&world, &body).await.status, 400);
    assert_eq!(world.stock(&product).await, 100);
}

#[tokio::test]
async fn it_refuses_what_the_api_refuses() {
    let world = World::shared().await;
    let unknown = json!({ "product_id": "NO-SUCH-PRODUCT", "quantity": 1, "customer_id": "c" });
    assert_eq!(process(&world, &unknown).await.status, 404);
    for quantity in [json!(0), json!(-5), json!("one")] {
        let body = json!({ "product_id": "PROD001", "quantity": quantity, "customer_id": "c" });
        assert_eq!(process(&world, &body).await.status, 422, "{body}");
    }
}
