use order_testing::IN_STOCK;
use reqwest::StatusCode;
use serde_json::Value;

use crate::{System, order};

fn ids(page: &Value) -> Vec<String> {
    page["orders"].as_array().expect("list").iter().map(|order| order["order_id"].to_string()).collect()
}

#[tokio::test]
async fn pages_are_newest_first_and_complete() {
    let system = System::start().await;
    let mut placed = Vec::new();
    for _ in 0..5 {
        let created: Value = system.post(&order(IN_STOCK, 1)).await.json().await.expect("JSON");
        placed.insert(0, created["order_id"].to_string());
    }
    let mut listed = Vec::new();
    let mut path = "/orders?customer_id=CUST001&limit=2".to_owned();
    for length in [2, 2, 1] {
        let (status, page) = system.get(&path).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        assert_eq!(ids(&page).len(), length);
        listed.extend(ids(&page));
        path = format!("/orders?customer_id=CUST001&limit=2&cursor={}", page["next_cursor"].as_str().unwrap_or("none"));
    }
    assert!(path.ends_with("cursor=none"), "the last page has no cursor: {path}");
    assert_eq!(listed, placed);
    let (_, whole) = system.get("/orders/?customer_id=CUST001&limit=5").await;
    assert_eq!((ids(&whole), &whole["next_cursor"]), (placed, &Value::Null));
    assert_eq!(ids(&system.get("/orders?customer_id=NOBODY").await.1), Vec::<String>::new());
}

#[tokio::test]
async fn bad_queries_are_described() {
    let system = System::start().await;
    for _ in 0..2 {
        system.post(&order(IN_STOCK, 1)).await;
    }
    let (_, page) = system.get("/orders?customer_id=CUST001&limit=1").await;
    let cursor = page["next_cursor"].as_str().expect("a next page");
    assert_eq!(
        system.get(&format!("/orders?customer_id=CUST002&cursor={cursor}")).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let mut answers = Vec::new();
    for query in [
        "",
        "?customer_id=",
        "?customer_id=C&limit=0",
        "?customer_id=C&limit=101",
        "?customer_id=C&limit=x&cursor=y",
        "?customer_id=C&cursor=",
    ] {
        answers.push((query, system.get(&format!("/orders{query}")).await));
    }
    insta::assert_debug_snapshot!(answers);
}
