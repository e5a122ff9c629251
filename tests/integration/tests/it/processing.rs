//! Direct calls of order-processor: the guarantees for order-api, and the calls of the old client.

use integration::{Answer, Environment, order, undisturbed};
use serde_json::{Value, json};
use tokio::task::JoinSet;

fn with_id(product: &str, quantity: u64, order_id: &str) -> Value {
    let mut body = order(product, quantity, "a customer");
    body["order_id"] = json!(order_id);
    body
}

async fn process(environment: &Environment, body: &Value) -> Answer {
    environment.processor.post("/process-order", body).await
}

#[test]
fn with_an_order_id_the_second_call_returns_the_first_answer() {
    undisturbed(async |environment| {
        let (product, order_id) = (environment.product(10).await, environment.key());
        let body = with_id(&product, 3, &order_id);
        let first = process(environment, &body).await;
        insta::assert_json_snapshot!(first.redacted());
        let second = environment.processor.post("/process-order/", &body).await;
        assert_eq!((second.status, &second.body), (200, &first.body), "expected the first answer again");
        assert_eq!(environment.tables.stock(&product).await, 7, "expected stock to be taken once");
    });
}

#[test]
fn twenty_calls_at_once_with_one_order_id_take_stock_once() {
    undisturbed(async |environment| {
        let product = environment.product(100).await;
        let body = with_id(&product, 3, &environment.key());
        let mut callers = JoinSet::new();
        for _ in 0..20 {
            let (processor, body) = (environment.processor.clone(), body.clone());
            callers.spawn(async move { processor.post("/process-order", &body).await });
        }
        let answers = callers.join_all().await;
        for answer in &answers {
            assert_eq!((answer.status, &answer.body), (200, &answers[0].body), "expected one answer for all calls");
        }
        assert_eq!(environment.tables.stock(&product).await, 97, "expected stock to be taken once");
    });
}

#[test]
fn refusals_stick() {
    undisturbed(async |environment| {
        let (product, scarce) = (environment.product(1).await, environment.key());
        let body = with_id(&product, 2, &scarce);
        assert_eq!(process(environment, &body).await.failure(), (400, "Insufficient inventory"));
        environment.tables.restock(&product, 10).await;
        assert_eq!(
            process(environment, &body).await.failure(),
            (400, "Insufficient inventory"),
            "a retry after a restock must not confirm what was refused"
        );
        let anew = with_id(&product, 2, &environment.key());
        assert_eq!(process(environment, &anew).await.status, 200, "expected another order to get the new stock");
        assert_eq!(environment.tables.stock(&product).await, 9);
    });
}

#[test]
fn the_same_order_id_with_another_body_is_409() {
    undisturbed(async |environment| {
        let (product, order_id) = (environment.product(10).await, environment.key());
        assert_eq!(process(environment, &with_id(&product, 3, &order_id)).await.status, 200);
        insta::assert_json_snapshot!(process(environment, &with_id(&product, 4, &order_id)).await.redacted());
        let mut other_customer = with_id(&product, 3, &order_id);
        other_customer["customer_id"] = json!("another customer");
        assert_eq!(process(environment, &other_customer).await.status, 409);
        let refused = environment.key();
        assert_eq!(process(environment, &with_id(&product, 100, &refused)).await.status, 400);
        assert_eq!(process(environment, &with_id(&product, 1, &refused)).await.status, 409, "a refusal has a body too");
        assert_eq!(environment.tables.stock(&product).await, 7);
    });
}

#[test]
fn the_old_client_without_an_order_id_is_served() {
    undisturbed(async |environment| {
        let product = environment.product(10).await;
        let body = order(&product, 2, &environment.customer());
        for left in [8, 6] {
            let answer = process(environment, &body).await;
            assert_eq!((answer.status, &answer.body["total_price"]), (200, &json!(14)));
            assert_eq!(environment.tables.stock(&product).await, left, "expected every call to be an order of its own");
        }
        let entries = environment.tables.count_ledger_entries(&product).await.expect("the table answers");
        assert_eq!(entries, 0, "expected no ledger entry without an order_id");
    });
}
