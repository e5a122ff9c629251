//! Discovery of order-processor through a real DNS server.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{Json, Router};
use order_api::discovery::{Discovery, DnsResolver};
use order_testing::{Emulator, IN_STOCK, Serving, serve};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    System,
    dns::{Dns, SERVICE},
    order, processor,
};

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().expect("an address")
}

/// An address without a listener.
fn dead() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound")
}

async fn system(emulator: Emulator, dns: &Dns) -> System {
    let resolver = DnsResolver::with(dns.configuration(), SERVICE).expect("a configuration");
    System::found_by(emulator, Discovery::named(SERVICE.to_owned(), resolver), None).await
}

async fn status(system: &System) -> StatusCode {
    system.post(&order(IN_STOCK, 1)).await.status()
}

#[tokio::test]
async fn a_dead_target_costs_no_order() {
    let emulator = Emulator::start().await;
    let live = processor(&emulator).await;
    let dns = Dns::start().await;
    dns.stand_for(&[dead(), address(&live.url)], 60).await;
    let system = system(emulator, &dns).await;
    for _ in 0..10 {
        assert_eq!(status(&system).await, StatusCode::CREATED);
    }
}

#[tokio::test]
async fn a_changed_record_is_followed() {
    let emulator = Emulator::start().await;
    let (first, second) = (processor(&emulator).await, processor(&emulator).await);
    let dns = Dns::start().await;
    // A TTL longer than the test: the failed target alone must trigger a new lookup.
    dns.stand_for(&[address(&first.url)], 3600).await;
    let system = system(emulator, &dns).await;
    assert_eq!(status(&system).await, StatusCode::CREATED);
    dns.stand_for(&[address(&second.url)], 3600).await;
    drop(first);
    order_testing::eventually("the new target", Duration::from_secs(10), async || {
        (status(&system).await == StatusCode::CREATED).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_record_holds_for_its_time_to_live_and_no_longer() {
    let emulator = Emulator::start().await;
    let first = processor(&emulator).await;
    // Its answer differs from the first one's, so that the orders show which of the two live targets took them.
    let refusal = (StatusCode::NOT_FOUND, Json(json!({ "detail": "Product not found" })));
    let second = serve(Router::new().fallback(async move || refusal)).await;
    let dns = Dns::start().await;
    dns.stand_for(&[address(&first.url)], 3).await;
    let system = system(emulator, &dns).await;
    let before = Instant::now();
    assert_eq!(status(&system).await, StatusCode::CREATED);
    dns.stand_for(&[address(&second.url)], 3).await;
    let moved = order_testing::eventually("the changed record", Duration::from_secs(10), async || {
        (status(&system).await == StatusCode::NOT_FOUND).then(|| before.elapsed())
    })
    .await;
    assert!(moved >= Duration::from_secs(2), "the record was to hold for 3 s, and held for {moved:?}");
}

#[tokio::test]
async fn a_record_that_comes_later_is_found() {
    let emulator = Emulator::start().await;
    let live = processor(&emulator).await;
    let dns = Dns::start().await;
    let system = system(emulator, &dns).await;
    assert_ne!(status(&system).await, StatusCode::CREATED);
    dns.stand_for(&[address(&live.url)], 0).await;
    order_testing::eventually("the record", Duration::from_secs(10), async || {
        (status(&system).await == StatusCode::CREATED).then_some(())
    })
    .await;
}

#[tokio::test]
async fn targets_outlive_the_dns_server() {
    let emulator = Emulator::start().await;
    let live = processor(&emulator).await;
    let dns = Dns::start().await;
    dns.stand_for(&[address(&live.url)], 0).await;
    let system = system(emulator, &dns).await;
    assert_eq!(status(&system).await, StatusCode::CREATED);
    drop(dns);
    // Longer than the shortest time between two lookups.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(status(&system).await, StatusCode::CREATED);
}

/// A target that gives every call the same answer.
async fn turning_away(status: StatusCode, body: Value) -> Serving {
    serve(Router::new().fallback(async move || (status, Json(body.clone())))).await
}

#[tokio::test]
async fn a_target_that_turns_calls_away_costs_no_order() {
    let draining = "The service is shutting down";
    for (code, body) in [
        (StatusCode::SERVICE_UNAVAILABLE, json!({ "detail": draining })),
        (StatusCode::SERVICE_UNAVAILABLE, json!({ "detail": draining, "code": "draining" })),
        (StatusCode::BAD_GATEWAY, json!("no upstream")),
        (StatusCode::TOO_MANY_REQUESTS, json!({})),
    ] {
        let emulator = Emulator::start().await;
        let (first, live) = (turning_away(code, body).await, processor(&emulator).await);
        let dns = Dns::start().await;
        dns.stand_for(&[address(&first.url), address(&live.url)], 60).await;
        let system = system(emulator, &dns).await;
        for _ in 0..20 {
            assert_eq!(status(&system).await, StatusCode::CREATED, "first target: {code}");
        }
    }
}

#[tokio::test]
async fn a_target_that_hangs_leaves_time_for_the_next() {
    let emulator = Emulator::start().await;
    let hanging = serve(Router::new().fallback(async || std::future::pending::<()>().await)).await;
    let live = processor(&emulator).await;
    let dns = Dns::start().await;
    dns.stand_for(&[address(&hanging.url), address(&live.url)], 60).await;
    let system = system(emulator, &dns).await;
    for _ in 0..3 {
        assert_eq!(status(&system).await, StatusCode::CREATED);
    }
    assert_eq!(system.emulator.stock(IN_STOCK).await, 97);
}
