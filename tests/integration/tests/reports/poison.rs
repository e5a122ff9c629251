use std::time::Duration;

use integration::{Depth, FUNCTION_HOST, Queue, REPORTING_CONSUMER, Received, StoredOrder, alone, eventually, order};

use crate::figures::{Figures, of_product};

/// Time for a step while everything runs.
const SOON: Duration = Duration::from_secs(10);

/// Time for the queue's messages to be handled: those that a killed consumer had are visible again after 60 s.
const EMPTY: Duration = Duration::from_mins(3);

/// Time for the poison to be a dead letter: its last consumer keeps it for 60 s.
const DEAD: Duration = Duration::from_secs(90);

/// The receives of a message after which it is a dead letter: `maxReceiveCount` of terraform/queues/reporting.json.
const MOST_RECEIVES: usize = 5;

/// The test makes all receives but the last, without the time between them.
#[test]
fn a_poisoned_message_is_a_dead_letter_and_redrive_brings_it_back() {
    alone(async |environment| {
        let named = |name| Queue::new(&environment.settings, name);
        let (queue, dead) = (named("reporting"), named("reporting-dead"));
        let poison = format!("poison-{}", environment.key());
        let is_poison = |message: &&Received| message.body == poison;
        // An idle function's mapping waits for messages in its place.
        let functions = environment.units.functions().await;
        let consumer = if functions.contains(REPORTING_CONSUMER) { FUNCTION_HOST } else { REPORTING_CONSUMER };
        becomes(&queue, Depth::NONE, EMPTY).await;
        environment.units.stop(consumer).await;
        queue.send(&poison).await.expect("the queue takes it");
        for _ in 1..MOST_RECEIVES {
            let received = queue.receive(0).await.expect("the queue answers");
            assert_eq!(received.iter().filter(is_poison).count(), 1, "{received:?}");
        }
        let (product, customer) = (environment.product(100).await, environment.customer());
        for _ in 0..3 {
            let placed = environment.api.place(&order(&product, 1, &customer)).await;
            assert_eq!(placed.status, 201, "{placed:?}");
        }
        eventually("three events are in the queue beside the poison", SOON, async || {
            let depth = queue.depth().await?;
            if depth.visible == 4 { Ok(()) } else { Err(format!("{depth:?}")) }
        })
        .await;
        environment.units.start(consumer).await;
        let orders: Vec<StoredOrder> = environment.orders_of(&product).await.expect("the table answers");
        let (reports, expected) = (environment.reports(), Figures::of_orders(&orders));
        assert_eq!(expected.confirmed_orders, 3);
        eventually("the other messages of the batch are counted", SOON, async || {
            let reported = of_product(&reports, &product).await?;
            if reported == expected { Ok(()) } else { Err(format!("{reported:?}")) }
        })
        .await;
        becomes(&dead, Depth { visible: 1, ..Depth::NONE }, DEAD).await;
        becomes(&queue, Depth::NONE, SOON).await;
        let found = dead.receive(0).await.expect("the queue answers");
        assert_eq!(found.iter().filter(is_poison).count(), 1, "{found:?}");
        // So that nobody takes it before this test.
        environment.units.stop(consumer).await;
        match environment.units.redrive("reporting").await {
            Ok(()) => {
                becomes(&dead, Depth::NONE, SOON).await;
                let back = queue.receive(30).await.expect("the queue answers");
                assert_eq!((back.len(), back.iter().filter(is_poison).count()), (1, 1), "{back:?}");
                queue.delete(&back).await.expect("the queue answers");
            }
            // ministack does not have this operation of SQS.
            Err(refusal) => {
                assert!(refusal.contains("has no StartMessageMoveTask"), "{refusal}");
                assert_eq!(environment.units.emulator().await, "localstack", "{refusal}");
                dead.drain().await.expect("the queue answers");
            }
        }
        environment.units.start(consumer).await;
        becomes(&queue, Depth::NONE, SOON).await;
    });
}

async fn becomes(queue: &Queue, expected: Depth, deadline: Duration) {
    eventually(&format!("a queue has {expected:?}"), deadline, async || {
        let depth = queue.depth().await?;
        if depth == expected { Ok(()) } else { Err(format!("{depth:?}")) }
    })
    .await;
}
