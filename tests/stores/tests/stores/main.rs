//! The services' data and its conditions, on every emulator. Each body becomes a test on each emulator;
//! `DYNAMODB_LOCAL_IMAGE` and `LOCALSTACK_IMAGE` name the images of the container emulators.

mod emulators;
mod ledger;
mod system;

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use order_testing::{Fault, IN_STOCK, OTHER_IN_STOCK};
use reqwest::StatusCode;
use serde_json::Value;

use crate::emulators::on_every_emulator;
use crate::system::System;

on_every_emulator!(an_order_is_kept_whole_and_takes_stock_once, async |system: System| {
    let placed = system.place(IN_STOCK, 3, Some("key-1")).await;
    assert_eq!(placed.0, StatusCode::CREATED);
    let again = system.place(IN_STOCK, 3, Some("key-1")).await;
    assert_eq!(again.1["order_id"], placed.1["order_id"]);
    assert_eq!(system.emulator.stock(IN_STOCK).await, 97);
    let id = placed.1["order_id"].as_str().expect("an id");
    let read = system.get(&format!("/orders/{id}")).await;
    assert_eq!(read, (StatusCode::OK, placed.1));
});

on_every_emulator!(a_conditional_write_lets_no_two_take_the_last, async |system: System| {
    let attempts = (0..30).map(|_| system.place(OTHER_IN_STOCK, 5, None));
    let answers = futures_util::future::join_all(attempts).await;
    let confirmed = answers.iter().filter(|(_, order)| order["status"] == "confirmed").count();
    assert_eq!(confirmed, 10, "50 in stock, 5 an order: {answers:?}");
    assert_eq!(system.emulator.stock(OTHER_IN_STOCK).await, 0);
});

on_every_emulator!(a_customers_orders_come_in_pages_newest_first, async |system: System| {
    let mut placed = Vec::new();
    for _ in 0..7 {
        placed.insert(0, system.place(IN_STOCK, 1, None).await.1["order_id"].clone());
    }
    let mut seen = Vec::new();
    let mut path = "/orders?customer_id=CUST001&limit=3".to_owned();
    loop {
        let (status, page) = system.get(&path).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        seen.extend(page["orders"].as_array().expect("a list").iter().map(|order| order["order_id"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/orders?customer_id=CUST001&limit=3&cursor={cursor}");
    }
    assert_eq!(seen, placed);
});

on_every_emulator!(a_list_goes_on_where_the_database_stopped_early, async |system: System| {
    let mut placed = Vec::new();
    for _ in 0..7 {
        let order = system.place(IN_STOCK, 1, None).await.1;
        let id = order["order_id"].as_str().expect("an id");
        pad(&system, id, 300_000).await;
        placed.insert(0, order["order_id"].clone());
    }
    let first = system.emulator.client.query().table_name("orders").index_name("by_customer");
    let first = first
        .key_condition_expression("customer_id = :customer")
        .expression_attribute_values(":customer", AttributeValue::S("CUST001".to_owned()))
        .send()
        .await
        .expect("the emulator answers");
    assert!(first.count() < 7, "one answer has at most 1 MB");
    let (status, page) = system.get("/orders?customer_id=CUST001&limit=7").await;
    assert_eq!((status, &page["next_cursor"]), (StatusCode::OK, &Value::Null));
    let seen: Vec<_> =
        page["orders"].as_array().expect("a list").iter().map(|order| order["order_id"].clone()).collect();
    assert_eq!(seen, placed);
});

/// Enlarges an order's item by an attribute that no service reads.
async fn pad(system: &System, order_id: &str, bytes: usize) {
    system
        .emulator
        .client
        .update_item()
        .table_name("orders")
        .key("order_id", AttributeValue::S(order_id.to_owned()))
        .update_expression("SET padding = :padding")
        .expression_attribute_values(":padding", AttributeValue::S("x".repeat(bytes)))
        .send()
        .await
        .expect("the emulator takes a large item");
}

on_every_emulator!(a_pending_order_is_found_by_its_index_and_settled_once, async |system: System| {
    // The processor decides, and order-api cannot write the decision.
    system.emulator.fail_next("UpdateItem", Fault::Refuse("ValidationException"));
    system.place(IN_STOCK, 2, None).await;
    assert_eq!(system.emulator.faults_left(), 0);
    system.reconcile();
    order_testing::eventually("no order is pending", Duration::from_secs(20), async || {
        let scanned = system.emulator.client.scan().table_name("orders").consistent_read(true).send().await.ok()?;
        let items = scanned.items.unwrap_or_default();
        let settled = |item: &std::collections::HashMap<String, AttributeValue>| {
            item.get("status").and_then(|status| status.as_s().ok()).is_some_and(|status| status == "confirmed")
        };
        (!items.is_empty() && items.iter().all(settled)).then_some(())
    })
    .await;
    assert_eq!(system.emulator.stock(IN_STOCK).await, 98);
});
