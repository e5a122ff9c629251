//! No order and no stock is ever lost, whatever dies and whenever.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use integration::{Load, Report, Unit, World, eventually};

const PLENTY: i64 = 1_000_000;

/// Orders keep coming while `disturb` acts again and again; then the promise is checked.
async fn disturbed(disturb: impl AsyncFn()) -> Report {
    let world = Arc::new(World::alone().await);
    let product = world.product(2, PLENTY).await;
    let load = Load::start(&world, &product);
    let end = Instant::now() + Load::length();
    while Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(700)).await;
        disturb().await;
    }
    recovered(&world).await;
    let report = load.stop().await;
    let orders = world.keeps_its_promise(&product, PLENTY).await;
    let confirmed: HashSet<&str> =
        orders.iter().filter(|(_, status, _)| status == "confirmed").map(|(id, _, _)| id.as_str()).collect();
    for id in &report.acknowledged {
        assert!(confirmed.contains(id.as_str()), "order {id} was answered with 201 and is not confirmed");
    }
    assert!(!report.acknowledged.is_empty(), "some orders got through: {report:?}");
    assert_eq!(report.retry_after_missing, 0, "every 503 says when to try again");
    let unexpected: Vec<_> = report.others.keys().filter(|status| ![0, 503, 504].contains(*status)).collect();
    assert!(unexpected.is_empty(), "only 503 and 504 and broken connections: {:?}", report.others);
    report
}

async fn recovered(world: &World) {
    eventually("/health answers 200 again", Duration::from_secs(30), || async {
        let answer = world.try_send(world.http.get(format!("{}/health", world.api))).await?;
        (answer.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_api_is_killed_under_load() {
    let report = disturbed(async || Unit::OrderApi.kill().await).await;
    assert!(report.others.contains_key(&0), "the crash was felt: {report:?}");
}

#[tokio::test]
async fn the_processor_is_killed_under_load() {
    disturbed(async || Unit::OrderProcessor.kill().await).await;
}

#[tokio::test]
async fn the_emulator_is_stopped_and_started_under_load() {
    let report = disturbed(async || {
        Unit::Emulator.stop().await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        Unit::Emulator.start().await;
    })
    .await;
    assert!(report.others.contains_key(&503), "the outage was felt: {report:?}");
}
