use order_testing::{Emulator, IN_STOCK, OTHER_IN_STOCK, Running, send_malformed};
use reqwest::StatusCode;

use crate::{answer, order, process, processor};

/// Returns the confirmed orders' total quantity of a product.
async fn confirmed(emulator: &Emulator, product: &str) -> i64 {
    let mut pages = emulator.client.scan().table_name("orders").consistent_read(true).into_paginator().items().send();
    let mut sum = 0;
    while let Some(item) = pages.next().await {
        let item = item.expect("the emulator answers");
        if item["product_id"].as_s().is_ok_and(|id| id == product)
            && item["status"].as_s().is_ok_and(|s| s == "confirmed")
        {
            sum += item["quantity"].as_n().expect("a number").parse::<i64>().expect("an integer");
        }
    }
    sum
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "the figures of a long run")]
async fn malformed_requests_are_refused_and_nothing_breaks() {
    let emulator = Emulator::start().await;
    let processor = processor(&emulator).await;
    let running = Running::start(
        process::command()
            .env("AWS_ENDPOINT_URL_DYNAMODB", emulator.url())
            .env("ORDER_PROCESSOR_URL", &processor.url)
            .env("RUST_LOG", "warn,order_service::server=info"),
    );
    let report = send_malformed(&running.address, "/orders").await;
    println!("order-api: {report}");
    assert!(report.faults.is_empty(), "{:#?}", report.faults);

    emulator.put_product("AFTER", 1, 1).await;
    let placed = reqwest::Client::new().post(format!("http://{}/orders", running.address)).json(&order("AFTER", 1));
    let (status, body) = answer(placed.send().await.expect("an answer")).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");
    for (product, initial) in [(IN_STOCK, 100), (OTHER_IN_STOCK, 50)] {
        assert_eq!(emulator.stock(product).await + confirmed(&emulator, product).await, initial, "{product}");
    }
    running.terminate();
    let (code, log) = tokio::task::spawn_blocking(move || running.ended()).await.expect("no panic");
    assert_eq!(code, Some(0), "it drains: {log:?}");
    let errors: Vec<_> = log.iter().filter(|line| line["level"] == "ERROR" || line["level"] == "WARN").collect();
    assert!(errors.is_empty(), "expected nothing to be our fault: {errors:?}");
}
