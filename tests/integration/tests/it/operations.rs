//! What people, load balancers and dashboards ask.

use integration::World;

#[tokio::test]
async fn both_services_say_how_they_are() {
    let world = World::shared().await;
    for service in [&world.api, &world.processor] {
        let ask = async |path: &str| world.send(world.http.get(format!("{service}{path}"))).await;
        let health = ask("/health").await;
        assert_eq!((health.status, &health.body["status"]), (200, &"healthy".into()), "{health:?}");
        assert!(health.body["timestamp"].is_string(), "{health:?}");
        assert_eq!(ask("/livez").await.status, 200);
        assert_eq!(ask("/readyz").await.status, 200);
        let version = ask("/version").await;
        for field in ["version", "commit", "image"] {
            assert!(version.body.get(field).is_some(), "{field}: {version:?}");
        }
    }
}

#[tokio::test]
async fn metrics_count_by_route_and_never_by_id() {
    let world = World::shared().await;
    let product = world.product(1, 5).await;
    let id = world.order(&product, 1, &world.customer()).await.text("order_id");
    world.get(&format!("/orders/{id}")).await;
    let metrics = async |name: &str| {
        let url = std::env::var(name).unwrap_or_else(|_| panic!("devenv test sets {name}"));
        world.send(world.http.get(format!("{url}/metrics"))).await.body.as_str().expect("text").to_owned()
    };
    let api = metrics("ORDER_API_9000_URL").await;
    for series in [
        r#"http_requests_total{method="POST",endpoint="/orders",status="201"}"#,
        r#"http_requests_total{method="GET",endpoint="/orders/{order_id}",status="200"}"#,
        r#"http_request_duration_seconds_count{method="POST",endpoint="/orders"}"#,
        r#"order_creation_total{status="confirmed"}"#,
    ] {
        assert!(api.contains(series), "{series} is not in\n{api}");
    }
    assert!(!api.contains(&id), "an id in a label is a leak");
    let processor = metrics("ORDER_PROCESSOR_9000_URL").await;
    for series in
        ["order_processing_total{status=", "inventory_operations_total{operation=", "inventory_stock_level{product_id="]
    {
        assert!(processor.contains(series), "{series} is not in\n{processor}");
    }
}

#[tokio::test]
async fn metrics_are_not_on_the_port_of_the_api() {
    let world = World::shared().await;
    assert_eq!(world.get("/metrics").await.status, 404);
}
