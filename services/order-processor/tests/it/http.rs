use order_testing::IN_STOCK;
use reqwest::StatusCode;
use serde_json::json;

use crate::{Processor, order};

#[tokio::test]
async fn answers_have_the_shape_of_the_contract() {
    let processor = Processor::start().await;
    let (status, mut body) = processor.process(&order(IN_STOCK, 2)).await;
    assert_eq!(status, StatusCode::OK);
    let processed_at = body.as_object_mut().expect("object").remove("processed_at").expect("processed_at");
    assert_eq!(processed_at.as_str().expect("text").len(), "2026-01-01T00:00:00.000000Z".len());
    assert_eq!(body, json!({ "status": "confirmed", "total_price": 58 }));

    let refused = [
        processor.process(&order(IN_STOCK, 99)).await,
        processor.process(&order("NO-SUCH", 1)).await,
        processor.process(&order(IN_STOCK, 0)).await,
        processor.process(&json!({ "product_id": "", "quantity": "many", "order_id": "x" })).await,
    ];
    insta::assert_debug_snapshot!(refused);
    assert_eq!(processor.emulator.stock(IN_STOCK).await, 98);
}

#[tokio::test]
async fn routes_answer_with_and_without_a_slash_and_errors_are_json() {
    let processor = Processor::start().await;
    for path in ["/health", "/health/", "/livez", "/readyz", "/version"] {
        assert_eq!(processor.get(path).await.0, StatusCode::OK, "{path}");
    }
    assert_eq!(
        processor.get("/process-order").await,
        (StatusCode::METHOD_NOT_ALLOWED, json!({ "detail": "Method Not Allowed", "code": "method_not_allowed" }))
    );
    let nothing = json!({ "detail": "Not Found", "code": "not_found" });
    assert_eq!(processor.get("/nothing").await, (StatusCode::NOT_FOUND, nothing));
    assert_eq!(
        processor.get("/version").await.1,
        json!({ "version": env!("CARGO_PKG_VERSION"), "commit": null, "image": null })
    );
}

#[tokio::test]
async fn health_names_the_table_that_does_not_answer() {
    let processor = Processor::start().await;
    processor.emulator.client.delete_table().table_name("reservations").send().await.expect("deleted");
    let (status, body) = processor.get("/health").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body["detail"].as_str().expect("text").contains("table reservations"), "{body}");
    assert_eq!(processor.get("/readyz").await.0, StatusCode::OK, "readiness depends on nothing");
}

#[tokio::test]
async fn metrics_are_those_of_the_contract() {
    let processor = Processor::start().await;
    processor.process(&order(IN_STOCK, 3)).await;
    processor.process(&order(IN_STOCK, 1000)).await;
    let text = processor.metrics.text();
    for line in [
        r#"http_requests_total{method="POST",endpoint="/process-order",status="200"} 1"#,
        r#"http_requests_total{method="POST",endpoint="/process-order",status="400"} 1"#,
        r#"order_processing_total{status="confirmed"} 1"#,
        r#"order_processing_total{status="insufficient_inventory"} 1"#,
        r#"inventory_operations_total{operation="take",status="success"} 1"#,
        r#"inventory_stock_level{product_id="PROD001"} 97"#,
    ] {
        assert!(text.lines().any(|have| have == line), "{line} is not in\n{text}");
    }
}
