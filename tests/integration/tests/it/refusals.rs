use integration::World;
use serde_json::{Value, json};

/// Every body that does not fit is a 422, and nothing is written.
#[tokio::test]
async fn a_body_that_does_not_fit() {
    let world = World::shared().await;
    let product = world.product(1, 5).await;
    let good = json!({ "product_id": product, "quantity": 1, "customer_id": "c" });
    let changed = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body
    };
    let without = |field: &str| {
        let mut body = good.clone();
        body.as_object_mut().expect("an object").remove(field);
        body
    };
    let bodies = [
        changed("quantity", json!(0)),
        changed("quantity", json!(-1)),
        changed("quantity", json!(1_000_001)),
        changed("quantity", json!(1.5)),
        changed("quantity", json!("many")),
        changed("quantity", Value::Null),
        changed("product_id", json!("")),
        changed("product_id", json!(5)),
        changed("customer_id", json!("")),
        changed("customer_id", json!(["c"])),
        without("quantity"),
        without("product_id"),
        without("customer_id"),
        json!([]),
        json!("order"),
        Value::Null,
    ];
    for body in bodies {
        let answer = world.post("/orders", &body).await;
        assert_eq!(answer.status, 422, "{body}: {answer:?}");
        assert!(!answer.body["detail"].is_null(), "{body}: {answer:?}");
    }
    assert_eq!(world.orders_of(&product).await, []);
    assert_eq!(world.stock(&product).await, 5);
}

#[tokio::test]
async fn the_shape_of_a_refusal_is_the_old_one() {
    let world = World::shared().await;
    let answer = world.post("/orders", &json!({ "product_id": "", "quantity": 0 })).await;
    insta::assert_json_snapshot!("unfit_body", answer.body);
}

#[tokio::test]
async fn a_body_that_is_not_json() {
    let world = World::shared().await;
    let request = world.http.post(format!("{}/orders", world.api)).header("content-type", "application/json");
    let answer = world.send(request.body("{\"product_id\": ")).await;
    assert_eq!(answer.status, 422, "{answer:?}");
}

#[tokio::test]
async fn a_body_that_is_too_large() {
    let world = World::shared().await;
    let body = json!({ "product_id": "PROD001", "quantity": 1, "customer_id": "c".repeat(70_000) });
    let answer = world.post("/orders", &body).await;
    assert_eq!(answer.status, 413, "{answer:?}");
    assert!(answer.body["detail"].is_string(), "{answer:?}");
}

#[tokio::test]
async fn an_unknown_product() {
    let world = World::shared().await;
    let answer = world.order("NO-SUCH-PRODUCT", 1, &world.customer()).await;
    assert_eq!(answer.status, 404, "{answer:?}");
    insta::assert_json_snapshot!("unknown_product", answer.body);
}

#[tokio::test]
async fn more_than_there_is() {
    let world = World::shared().await;
    let product = world.product(1, 3).await;
    let answer = world.order(&product, 4, &world.customer()).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(answer.body, json!({ "detail": "Insufficient inventory" }));
    assert_eq!(world.stock(&product).await, 3);
}

#[tokio::test]
async fn another_method_or_path() {
    let world = World::shared().await;
    let deleted = world.send(world.http.delete(format!("{}/orders", world.api))).await;
    assert_eq!(deleted.status, 405, "{deleted:?}");
    assert!(deleted.body["detail"].is_string(), "{deleted:?}");
    let nowhere = world.get("/nowhere").await;
    assert_eq!(nowhere.status, 404);
    assert_eq!(nowhere.body, json!({ "detail": "Not Found" }));
}
