//! Answers while the database is down, and the state afterwards.

use std::{collections::BTreeMap, time::Duration};

use integration::{EMULATOR, Effort, Load, alone, eventually, nothing_is_lost, nothing_is_pending, order};

/// Time for `/health` to change: its good answer is cached for a second.
const NOTICED: Duration = Duration::from_secs(5);

#[test]
fn the_database_is_stopped_and_started_under_load() {
    alone(async |environment| {
        let products = [(environment.product(10_000_000).await, 10_000_000), (environment.product(150).await, 150)];
        let mut effort = Effort::read();
        let load = Load::start(environment, &products, effort, effort.patience());
        loop {
            load.headway(100).await;
            environment.units.stop(EMULATOR).await;
            load.trouble(40).await;
            environment.units.start(EMULATOR).await;
            load.headway(100).await;
            // A stop causes no back-off: no need to wait between two rounds.
            if !effort.again() {
                break;
            }
        }
        let tally = load.stop().await;
        environment.api.healthy().await;
        environment.end_turn();
        let outage = tally.statuses.keys().any(|status| matches!(status, 503 | 504));
        assert!(outage, "expected 503 or 504 while the database was down: {:?}", tally.statuses);
        nothing_is_lost(environment, &products, &tally).await;
    });
}

#[test]
fn without_the_database_every_answer_says_so() {
    alone(async |environment| {
        let product = environment.product(10).await;
        let placed = environment.api.place(&order(&product, 1, &environment.customer())).await;
        environment.units.stop(EMULATOR).await;
        let (api, processor) = (&environment.api, &environment.processor);
        let body = order(&product, 1, &environment.customer());
        let mut answers = BTreeMap::new();
        for (request, answer) in [
            ("place an order", api.place(&body).await),
            ("read an order", api.get(&format!("/orders/{}", placed.order_id())).await),
            ("list orders", api.get("/orders?customer_id=a").await),
            ("process an order", processor.post("/process-order", &body).await),
        ] {
            let (status, again) = (answer.status, answer.header("retry-after"));
            assert!(
                status == 504 || (status == 503 && again.is_some()),
                "expected 503 with Retry-After, or 504, to {request} without a database: {answer:?}"
            );
            assert!(answer.body["detail"].is_string(), "expected an error to be {{\"detail\": ...}}: {answer:?}");
            answers.insert(request, status);
        }
        for service in [api, processor] {
            eventually("/health is 503 without the tables", NOTICED, async || {
                let health = service.get("/health").await;
                if health.status == 503 { Ok(()) } else { Err(format!("{health:?}")) }
            })
            .await;
            for path in ["/livez", "/readyz", "/version"] {
                assert_eq!(service.get(path).await.status, 200, "expected {path} to touch nothing else");
            }
        }
        environment.units.start(EMULATOR).await;
        api.healthy().await;
        let read = api.get(&format!("/orders/{}", placed.order_id())).await;
        assert_eq!((read.status, &read.body), (200, &placed.body), "expected the data to outlive the database's stop");
        environment.end_turn();
        // The order that was placed during the outage may have been written in the end; if so, it must be settled.
        nothing_is_pending(environment, &product).await;
    });
}
