use order_testing::{IN_STOCK, OTHER_IN_STOCK};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{System, answer, header, order};

#[tokio::test]
async fn an_order_is_created_and_read_back() {
    let system = System::start().await;
    let response = system.post(&order(IN_STOCK, 2)).await;
    let location = header(&response, "location").expect("Location").to_owned();
    let (status, created) = answer(response).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(location, format!("/orders/{}", created["order_id"].as_str().expect("text")));
    let mut shown = created.clone();
    for (field, length, kind) in
        [("order_id", 36, "[uuid]"), ("created_at", 27, "[moment]"), ("processed_at", 27, "[moment]")]
    {
        assert_eq!(shown[field].as_str().map(str::len), Some(length));
        shown[field] = kind.into();
    }
    insta::assert_json_snapshot!(shown);
    assert_eq!(system.get(&location).await, (StatusCode::OK, created.clone()));
    assert_eq!(system.get(&format!("{location}/")).await, (StatusCode::OK, created));
    assert_eq!(system.emulator.stock(IN_STOCK).await, 98);
}

#[tokio::test]
async fn refusals_are_answered_and_kept_as_rejected_orders() {
    let system = System::start().await;
    let refused = [order(OTHER_IN_STOCK, 51), order("NO-SUCH", 1)];
    let mut answers = Vec::new();
    for body in &refused {
        answers.push(answer(system.post(body).await).await);
    }
    assert_eq!(
        answers,
        [
            (StatusCode::BAD_REQUEST, json!({ "detail": "Insufficient inventory", "code": "insufficient_inventory" })),
            (StatusCode::NOT_FOUND, json!({ "detail": "Product not found", "code": "unknown_product" })),
        ]
    );
    let (_, list) = system.get("/orders?customer_id=CUST001").await;
    let statuses: Vec<&Value> = list["orders"].as_array().expect("list").iter().map(|order| &order["status"]).collect();
    assert_eq!(statuses, ["rejected", "rejected"]);
    assert_eq!(list["orders"][0]["total_price"], Value::Null);
    assert_eq!(system.emulator.stock(OTHER_IN_STOCK).await, 50);
}

#[tokio::test]
async fn bad_requests_are_described() {
    let system = System::start().await;
    let mut answers = Vec::new();
    for body in
        [json!({}), order(IN_STOCK, 0), json!({ "product_id": IN_STOCK, "quantity": -1, "customer_id": "" }), json!(3)]
    {
        answers.push(answer(system.post(&body).await).await);
    }
    answers.push(answer(system.post_with_key(&json!({}), "two words").await).await);
    let raw = async |body: &'static str, content_type: &str| {
        let request = system.http.post(system.url("/orders/")).body(body);
        let request = if content_type.is_empty() { request } else { request.header("content-type", content_type) };
        answer(request.send().await.expect("an answer")).await
    };
    answers.push(raw("{", "application/json").await);
    answers.push(raw("", "application/json").await);
    answers.push(raw("{}", "text/plain").await);
    insta::assert_debug_snapshot!(answers);
    let (status, _) = raw(r#"{"product_id": "PROD001", "quantity": 1, "customer_id": "C"}"#, "").await;
    assert_eq!(status, StatusCode::CREATED, "without a content type it is JSON");
}

#[tokio::test]
async fn a_large_body_is_413_and_other_errors_are_json_too() {
    let system = System::start().await;
    let mut large = order(IN_STOCK, 1);
    large["note"] = json!("x".repeat(64 * 1024));
    let (status, body) = answer(system.post(&large).await).await;
    assert_eq!(
        (status, &body["detail"]),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!("Request body is larger than 65536 bytes"))
    );
    let nothing = json!({ "detail": "Not Found", "code": "not_found" });
    assert_eq!(system.get("/no-such").await, (StatusCode::NOT_FOUND, nothing));
    let response = system.http.delete(system.url("/orders")).send().await.expect("an answer");
    assert!(header(&response, "allow").is_some_and(|allow| allow.contains("POST")));
    let not_allowed = json!({ "detail": "Method Not Allowed", "code": "method_not_allowed" });
    assert_eq!(answer(response).await, (StatusCode::METHOD_NOT_ALLOWED, not_allowed));
    for id in ["x", "%ff%fe", "018F0000-0000-7000-8000-000000000000", "018f0000-0000-7000-8000-000000000000"] {
        let missing = (StatusCode::NOT_FOUND, json!({ "detail": "Order not found", "code": "order_not_found" }));
        assert_eq!(system.get(&format!("/orders/{id}")).await, missing, "{id}");
    }
    assert_eq!(system.emulator.stock(IN_STOCK).await, 100);
}

#[tokio::test]
async fn probes_answer_and_metrics_have_no_ids() {
    let system = System::start().await;
    let (status, health) = system.get("/health").await;
    assert_eq!((status, &health["status"]), (StatusCode::OK, &json!("healthy")));
    for path in ["/livez", "/readyz", "/version"] {
        assert_eq!(system.get(path).await.0, StatusCode::OK);
    }
    let response = system.post(&order(IN_STOCK, 1)).await;
    let location = header(&response, "location").expect("Location").to_owned();
    system.get(&location).await;
    system.post(&order(IN_STOCK, 1000)).await;
    let text = system.metrics.text();
    for line in [
        r#"http_requests_total{method="POST",endpoint="/orders",status="201"} 1"#,
        r#"http_requests_total{method="GET",endpoint="/orders/{order_id}",status="200"} 1"#,
        r#"http_request_duration_seconds_count{method="POST",endpoint="/orders"} 2"#,
        r#"order_creation_total{status="confirmed"} 1"#,
        r#"order_creation_total{status="insufficient_inventory"} 1"#,
    ] {
        assert!(text.lines().any(|have| have == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains(location.trim_start_matches("/orders/")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_orders_for_the_last_fifty() {
    let system = std::sync::Arc::new(System::start().await);
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let system = system.clone();
            tokio::spawn(async move {
                let mut statuses = Vec::new();
                for _ in 0..4 {
                    statuses.push(system.post(&order(OTHER_IN_STOCK, 1)).await.status());
                }
                statuses
            })
        })
        .collect();
    let mut statuses = Vec::new();
    for caller in callers {
        statuses.extend(caller.await.expect("no panic"));
    }
    let count = |status| statuses.iter().filter(|have| **have == status).count();
    assert_eq!((count(StatusCode::CREATED), count(StatusCode::BAD_REQUEST)), (50, 150), "{statuses:?}");
    assert_eq!(system.emulator.stock(OTHER_IN_STOCK).await, 0);
}
