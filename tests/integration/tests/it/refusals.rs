//! Every refusal of the services, and its answer.

use std::collections::BTreeMap;

use integration::{Environment, Service, order, undisturbed};
use reqwest_tls::Method;
use serde_json::{Value, json};

const UNKNOWN_ID: &str = "018f0000-0000-7000-8000-000000000000";

/// Invalid bodies of an order, each named by its fault.
fn unfit(product_id: &str, customer_id: &str) -> Vec<(&'static str, String)> {
    let with = |field: &str, value: Value| {
        let mut body = order(product_id, 1, customer_id);
        body[field] = value;
        body.to_string()
    };
    let without = |field: &str| {
        let mut body = order(product_id, 1, customer_id);
        body.as_object_mut().expect("an order is an object").remove(field);
        body.to_string()
    };
    vec![
        ("quantity zero", with("quantity", json!(0))),
        ("quantity negative", with("quantity", json!(-1))),
        ("quantity too large", with("quantity", json!(1_000_001))),
        ("quantity beyond 64 bits", with("quantity", json!(1e30))),
        ("quantity with a fraction", with("quantity", json!(1.5))),
        ("quantity a word", with("quantity", json!("two"))),
        ("quantity a truth", with("quantity", json!(true))),
        ("quantity null", with("quantity", Value::Null)),
        ("quantity missing", without("quantity")),
        ("product_id missing", without("product_id")),
        ("product_id empty", with("product_id", json!(""))),
        ("product_id a number", with("product_id", json!(7))),
        ("customer_id missing", without("customer_id")),
        ("customer_id empty", with("customer_id", json!(""))),
        ("customer_id a list", with("customer_id", json!(["a"]))),
        ("everything missing", "{}".to_owned()),
        ("not an object", "[]".to_owned()),
        ("null", "null".to_owned()),
        ("cut off", r#"{"product_id": "#.to_owned()),
        ("not JSON", "product_id=PROD001".to_owned()),
        ("empty", String::new()),
    ]
}

async fn answers(service: &Service, path: &str, bodies: Vec<(&'static str, String)>) -> BTreeMap<&'static str, Value> {
    let mut answers = BTreeMap::new();
    for (fault, body) in bodies {
        let request = service.request(Method::POST, path).header("content-type", "application/json").body(body);
        let answer = service.send(request).await;
        assert_eq!(answer.status, 422, "expected 422 for a body that does not fit ({fault}): {answer:?}");
        answers.insert(fault, answer.redacted()["body"].clone());
    }
    answers
}

async fn nothing_happened(environment: &Environment, product: &str) {
    assert_eq!(environment.tables.stock(product).await, 5, "expected a bad request to leave the stock alone");
    let orders = environment.orders_of(product).await.expect("the table answers");
    assert_eq!(orders, [], "expected a bad request to leave no order behind");
}

#[test]
fn order_api_refuses_a_body_that_does_not_fit() {
    undisturbed(async |environment| {
        let product = environment.product(5).await;
        insta::assert_json_snapshot!(
            answers(&environment.api, "/orders", unfit(&product, &environment.customer())).await
        );
        nothing_happened(environment, &product).await;
    });
}

#[test]
fn order_processor_refuses_a_body_that_does_not_fit() {
    undisturbed(async |environment| {
        let product = environment.product(5).await;
        let mut bodies = unfit(&product, &environment.customer());
        for (fault, order_id) in [("order_id a word", json!("x")), ("order_id a number", json!(1))] {
            let mut body = order(&product, 1, &environment.customer());
            body["order_id"] = order_id;
            bodies.push((fault, body.to_string()));
        }
        insta::assert_json_snapshot!(answers(&environment.processor, "/process-order", bodies).await);
        nothing_happened(environment, &product).await;
    });
}

#[test]
fn another_content_type_is_no_order() {
    undisturbed(async |environment| {
        let product = environment.product(5).await;
        let body = order(&product, 1, &environment.customer()).to_string();
        let request = environment.api.request(Method::POST, "/orders").header("content-type", "text/plain").body(body);
        assert_eq!(environment.api.send(request).await.status, 422);
        nothing_happened(environment, &product).await;
    });
}

#[test]
fn what_cannot_be_had_is_said() {
    undisturbed(async |environment| {
        let (product, customer) = (environment.product(5).await, environment.customer());
        let api = &environment.api;
        let answers = [
            ("more than there is", api.place(&order(&product, 6, &customer)).await),
            ("unknown product", api.place(&order("product-unknown", 1, &customer)).await),
            ("unknown order", api.get(&format!("/orders/{UNKNOWN_ID}")).await),
            ("order id that is none", api.get("/orders/1").await),
            ("order id in capitals", api.get(&format!("/orders/{}", UNKNOWN_ID.to_uppercase())).await),
            ("more than there is, asked of order-processor", {
                environment.processor.post("/process-order", &order(&product, 6, &customer)).await
            }),
            ("unknown product, asked of order-processor", {
                environment.processor.post("/process-order", &order("product-unknown", 1, &customer)).await
            }),
        ];
        let answers: BTreeMap<_, _> = answers.into_iter().map(|(case, answer)| (case, answer.redacted())).collect();
        insta::assert_json_snapshot!(answers);
        assert_eq!(environment.tables.stock(&product).await, 5);
    });
}

#[test]
fn what_is_not_offered_is_said_in_json_too() {
    undisturbed(async |environment| {
        let (api, processor) = (&environment.api, &environment.processor);
        let mut answers = BTreeMap::new();
        for (service, name, method, path) in [
            (api, "order-api", Method::GET, "/"),
            (api, "order-api", Method::GET, "/no/such/path"),
            (api, "order-api", Method::GET, "/metrics"),
            (api, "order-api", Method::GET, "/process-order"),
            (api, "order-api", Method::DELETE, "/orders"),
            (api, "order-api", Method::POST, "/health"),
            (api, "order-api", Method::PUT, "/orders/018f0000-0000-7000-8000-000000000000"),
            (processor, "order-processor", Method::GET, "/orders"),
            (processor, "order-processor", Method::GET, "/metrics"),
            (processor, "order-processor", Method::GET, "/process-order"),
        ] {
            let case = format!("{name}: {method} {path}");
            answers.insert(case, service.send(service.request(method, path)).await.redacted());
        }
        insta::assert_json_snapshot!(answers);
    });
}
