//! The same key and body give the same order again and take stock once.

use std::collections::HashSet;

use integration::{Environment, order, undisturbed};
use reqwest_tls::{Method, header::HeaderValue};
use tokio::task::JoinSet;

#[test]
fn the_same_key_and_body_are_one_order() {
    undisturbed(async |environment| {
        let (product, key) = (environment.product(5).await, environment.key());
        let body = order(&product, 2, &environment.customer());
        let first = environment.api.place_with_key(&body, &key).await;
        let second = environment.api.place_with_key(&body, &key).await;
        assert_eq!(first.status, 201);
        assert_eq!((second.status, &second.body), (201, &first.body), "expected the same order again");
        assert_eq!(second.header("location"), first.header("location"));
        assert_eq!(environment.tables.stock(&product).await, 3, "expected stock to be taken once");
    });
}

#[test]
fn the_same_key_with_another_body_is_409() {
    undisturbed(async |environment| {
        let (product, key, customer) = (environment.product(5).await, environment.key(), environment.customer());
        let first = environment.api.place_with_key(&order(&product, 2, &customer), &key).await;
        assert_eq!(first.status, 201);
        let other_quantity = environment.api.place_with_key(&order(&product, 1, &customer), &key).await;
        insta::assert_json_snapshot!(other_quantity.redacted());
        let other_product = environment.api.place_with_key(&order("PROD001", 2, &customer), &key).await;
        assert_eq!(other_product.status, 409, "expected the same key with another product to be 409");
        assert_eq!(environment.tables.stock(&product).await, 3, "expected the conflict to take nothing");
        let read = environment.api.get(&format!("/orders/{}", first.order_id())).await;
        assert_eq!(read.body, first.body, "expected the first order to stay as it was");
    });
}

#[test]
fn a_key_is_its_customers_own() {
    undisturbed(async |environment| {
        let (product, key) = (environment.product(5).await, environment.key());
        let mut orders = HashSet::new();
        for _ in 0..2 {
            let body = order(&product, 1, &environment.customer());
            let placed = environment.api.place_with_key(&body, &key).await;
            assert_eq!(placed.status, 201);
            orders.insert(placed.order_id());
        }
        assert_eq!(orders.len(), 2, "expected order_id to be made of customer and key");
    });
}

#[test]
fn a_refusal_is_kept_too() {
    undisturbed(async |environment| {
        let (product, key) = (environment.product(1).await, environment.key());
        let body = order(&product, 2, &environment.customer());
        assert_eq!(environment.api.place_with_key(&body, &key).await.failure(), (400, "Insufficient inventory"));
        environment.tables.restock(&product, 10).await;
        let again = environment.api.place_with_key(&body, &key).await;
        assert_eq!(
            again.failure(),
            (400, "Insufficient inventory"),
            "a retry after a restock must not confirm what was refused"
        );
        assert_eq!(environment.tables.stock(&product).await, 11);
    });
}

#[test]
fn twenty_at_once_with_one_key_take_stock_once() {
    undisturbed(async |environment| {
        let (product, key) = (environment.product(50).await, environment.key());
        let body = order(&product, 2, &environment.customer());
        let mut callers = JoinSet::new();
        for _ in 0..20 {
            let (api, body, key) = (environment.api.clone(), body.clone(), key.clone());
            callers.spawn(async move { api.place_with_key(&body, &key).await });
        }
        let answers = callers.join_all().await;
        let first = &answers[0];
        for answer in &answers {
            assert_eq!((answer.status, &answer.body), (201, &first.body), "expected the same order for everyone");
        }
        assert_eq!(environment.tables.stock(&product).await, 48, "expected stock to be taken once");
    });
}

#[test]
fn a_key_is_1_to_255_visible_ascii_characters() {
    undisturbed(async |environment| {
        let product = environment.product(5).await;
        for key in ["k".to_owned(), "~".repeat(255), "!\"#{}".to_owned()] {
            let placed = environment.api.place_with_key(&order(&product, 1, &environment.customer()), &key).await;
            assert_eq!(placed.status, 201, "expected {key:?} to be a key: {placed:?}");
        }
        let unfit = [
            "k".repeat(256).into_bytes(),
            Vec::new(),
            b"two words".to_vec(),
            "schl\u{fc}ssel".into(),
            b"a\tb".to_vec(),
        ];
        for key in unfit {
            let value = HeaderValue::from_bytes(&key).expect("any of these can be sent");
            refused(environment, &product, &[value]).await;
        }
        let twice = ["one", "two"].map(HeaderValue::from_static);
        refused(environment, &product, &twice).await;
        assert_eq!(environment.tables.stock(&product).await, 2, "expected a bad key to take nothing");
    });
}

async fn refused(environment: &Environment, product: &str, keys: &[HeaderValue]) {
    let mut request = environment.api.request(Method::POST, "/orders");
    for key in keys {
        request = request.header("idempotency-key", key);
    }
    let answer = environment.api.send(request.json(&order(product, 1, &environment.customer()))).await;
    assert_eq!(answer.status, 422, "expected {keys:?} to be refused: {answer:?}");
    assert_eq!(answer.body["detail"][0]["loc"], serde_json::json!(["header", "idempotency-key"]));
}
