use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, http::StatusCode, routing::post};
use order_testing::{Fault, IN_STOCK, serve};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::{System, answer, header, order};

#[tokio::test]
async fn without_a_processor_the_order_stays_pending_and_is_named() {
    let system = System::with_processor_at("http://127.0.0.1:9").await;
    let response = system.post(&order(IN_STOCK, 1)).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(header(&response, "retry-after"), Some("1"));
    let location = header(&response, "location").expect("Location").to_owned();
    let (_, body) = answer(response).await;
    assert_eq!(location, format!("/orders/{}", body["order_id"].as_str().expect("order_id")));
    assert_eq!(system.get(&location).await.1["status"], "pending");
    let (status, health) = system.get("/health").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(health["detail"].as_str().expect("text").contains("order-processor"), "{health}");
    assert_eq!(system.get("/readyz").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_silent_processor_is_504_within_the_time_limit() {
    let silent = Router::new().route("/process-order", post(async || std::future::pending::<()>().await));
    let silent = serve(silent).await;
    let system = System::with_processor_at(&silent.url).await;
    let start = Instant::now();
    let response = system.post(&order(IN_STOCK, 1)).await;
    assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
    assert!(header(&response, "location").is_some());
    assert!(start.elapsed() < Duration::from_secs(9), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_foreign_404_does_not_reject_the_order() {
    let foreign = serve(Router::new()).await;
    let system = System::with_processor_at(&foreign.url).await;
    let response = system.post(&order(IN_STOCK, 1)).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let location = header(&response, "location").expect("Location").to_owned();
    assert_eq!(system.get(&location).await.1["status"], "pending");
}

#[tokio::test]
async fn a_throttled_database_is_503_and_leaves_nothing() {
    let system = System::start().await;
    for _ in 0..3 {
        system.emulator.fail_next("PutItem", Fault::Refuse("ThrottlingException"));
    }
    let response = system.post(&order(IN_STOCK, 1)).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((header(&response, "retry-after"), header(&response, "location")), (Some("1"), None));
    assert_eq!(system.get("/orders?customer_id=CUST001").await.1["orders"], json!([]));
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_a_settled_order() {
    let system = System::start().await;
    let held = Arc::new(Semaphore::new(0));
    system.emulator.fail_next("TransactWriteItems", Fault::Hold(held.clone()));
    let request = system.http.post(system.url("/orders")).json(&order(IN_STOCK, 2));
    let asking = tokio::spawn(request.send());
    order_testing::eventually("the transaction", Duration::from_secs(5), async || {
        (system.emulator.faults_left() == 0).then_some(())
    })
    .await;
    asking.abort();
    assert!(asking.await.expect_err("the client gave up").is_cancelled());
    held.add_permits(1);
    let list = "/orders?customer_id=CUST001";
    let order = order_testing::eventually("the order", Duration::from_secs(5), async || {
        let (_, page) = system.get(list).await;
        page["orders"].get(0).filter(|order| order["status"] == "confirmed").cloned()
    })
    .await;
    assert_eq!(order["total_price"], 58);
    assert_eq!(system.emulator.stock(IN_STOCK).await, 98);
}

#[tokio::test]
async fn the_trace_is_passed_on() {
    let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let recording = serve(Router::new().fallback(async move |headers: axum::http::HeaderMap| {
        sender.send(headers.get("traceparent").cloned()).expect("the test listens");
        StatusCode::SERVICE_UNAVAILABLE
    }))
    .await;
    let system = System::with_processor_at(&recording.url).await;
    let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = system.http.post(system.url("/orders")).json(&order(IN_STOCK, 1));
    request.header("traceparent", format!("00-{trace_id}-00f067aa0ba902b7-01")).send().await.expect("an answer");
    let passed_on = seen.recv().await.expect("a call").expect("a traceparent");
    assert!(passed_on.to_str().expect("ASCII").starts_with(&format!("00-{trace_id}-")), "{passed_on:?}");
}
