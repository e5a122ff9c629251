//! The events of settled orders on their way from order-api through the topic into the queue `reporting`.
//!
//! Each test takes the queue's messages for itself, so it runs alone.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use integration::{
    EMULATOR, Effort, Environment, Load, MESSAGES, ORDER_API, ORDER_PROCESSOR, Patience, Queue, Received, alone,
    eventually, nothing_is_lost, order,
};
use serde_json::Value;
use tokio::time::Instant;

/// Time for an event to arrive while nothing is disturbed: far more than the publisher gathers.
const ARRIVES: Duration = Duration::from_secs(5);

/// Time for all events after a disturbance: the sweeper takes those older than 2 s, and another test may disturb it meanwhile.
const ALL_ARRIVE: Duration = Duration::from_mins(2);

/// After 10 s of life the supervisor resets a unit's back-off: its next death counts as the first.
const WELL_AGAIN: Duration = Duration::from_millis(10_500);

/// The receives of a message after which it is a dead letter: `maxReceiveCount` of terraform/queues/reporting.json.
const MOST_RECEIVES: usize = 5;

/// The events by order, each checked: every repetition of an event is equal to the first.
#[derive(Default)]
struct Events {
    of_orders: HashMap<String, Value>,
    /// The orders in the order of the first arrivals.
    arrived: Vec<String>,
    repeated: usize,
}

impl Events {
    async fn take(&mut self, queue: &Queue) -> Result<(), String> {
        for message in queue.drain().await? {
            self.add(&message);
        }
        Ok(())
    }

    fn add(&mut self, message: &Received) {
        let event: Value = serde_json::from_str(&message.body).expect("an event is JSON");
        assert_eq!(event["version"], 1, "{event}");
        assert_eq!(event["type"].as_str(), message.kind.as_deref(), "expected the type as an attribute too: {event}");
        let settled = event["order"]["status"].as_str().unwrap_or_default();
        assert_eq!(event["type"], format!("order.{settled}"), "{event}");
        let order_id = event["order"]["order_id"].as_str().expect("an event has an order").to_owned();
        match self.of_orders.get(&order_id) {
            Some(first) => {
                assert_eq!(first, &event, "expected a repetition to equal the first");
                self.repeated += 1;
            }
            None => {
                self.arrived.push(order_id.clone());
                self.of_orders.insert(order_id, event);
            }
        }
    }
}

#[test]
fn a_settled_order_s_event_reaches_the_queue() {
    alone(async |environment| {
        let queue = Queue::new(&environment.settings, "reporting");
        let (product, customer) = (environment.product(3).await, environment.customer());
        let mut orders = Vec::new();
        let mut events = Events::default();
        // Two confirmed orders, one after the other, then an order for which no stock is left.
        for quantity in [1, 2, 5] {
            let placed = environment.api.place(&order(&product, quantity, &customer)).await;
            assert_eq!(placed.status, if quantity == 5 { 400 } else { 201 }, "{placed:?}");
            let known = orders.len();
            let settled = eventually("the order is in the table", ARRIVES, async || {
                let stored = environment.orders_of(&product).await?;
                let new = stored.iter().find(|stored| !orders.contains(&stored.order_id.to_string()));
                new.map(|stored| stored.order_id.to_string()).ok_or_else(|| format!("{known} orders"))
            });
            let order_id = settled.await;
            orders.push(order_id.clone());
            eventually("its event arrives", ARRIVES, async || {
                events.take(&queue).await?;
                events.of_orders.get(&order_id).map(drop).ok_or_else(|| format!("{} events", events.arrived.len()))
            })
            .await;
        }
        let arrived: Vec<&String> = events.arrived.iter().filter(|order_id| orders.contains(order_id)).collect();
        assert_eq!(arrived, orders.iter().collect::<Vec<_>>(), "expected the events in the order of the settlements");
        for order_id in &orders {
            let (event, shown) =
                (&events.of_orders[order_id], environment.api.get(&format!("/orders/{order_id}")).await);
            assert_eq!((shown.status, &event["order"]), (200, &shown.body), "expected the order as the API shows it");
            assert_eq!(event["occurred_at"], shown.body["processed_at"], "{event}");
            let id = event["id"].as_str().and_then(|id| id.parse::<uuid::Uuid>().ok()).expect("a UUID");
            assert_eq!(id.get_version_num(), 5, "expected an id that follows from the order: {event}");
        }
        let kinds: Vec<_> = orders.iter().map(|order_id| events.of_orders[order_id]["type"].clone()).collect();
        assert_eq!(kinds, ["order.confirmed", "order.confirmed", "order.rejected"]);
    });
}

/// The units whose kill loses nothing: in tests, DynamoDB Local and LocalStack keep their data in memory, a killed one loses all of it.
async fn killed(environment: &Environment) -> Vec<&'static str> {
    let emulator = environment.units.emulator().await;
    let also = match emulator.as_str() {
        "embedded" => Some(EMULATOR),
        "dynamodb-local" => Some(MESSAGES),
        _ => None,
    };
    [ORDER_API, ORDER_PROCESSOR].into_iter().chain(also).collect()
}

/// One unit is killed while another recovers: more kills in the same time. Neither an order nor an event is lost.
#[test]
#[expect(clippy::print_stdout, reason = "the figures of a long run")]
fn every_settled_order_has_an_event_whatever_is_killed_in_turn() {
    alone(async |environment| {
        let units = killed(environment).await;
        let queue = Queue::new(&environment.settings, "reporting");
        let products = [(environment.product(10_000_000).await, 10_000_000), (environment.product(150).await, 150)];
        let mut events = Events::default();
        let mut effort = Effort::read();
        let load = Load::start(environment, &products, effort, Patience::GivesUp);
        let mut well_again: HashMap<&str, Instant> = HashMap::new();
        loop {
            for unit in &units {
                if let Some(well_again) = well_again.get(unit) {
                    tokio::time::sleep_until(*well_again).await;
                }
                load.headway(effort.headway()).await;
                environment.crash(unit).await;
                well_again.insert(unit, Instant::now() + WELL_AGAIN);
                load.headway(effort.headway()).await;
            }
            if !effort.again() {
                break;
            }
        }
        let tally = load.stop().await;
        nothing_is_lost(environment, &products, &tally).await;
        let mut settled = BTreeMap::new();
        for (product_id, _) in &products {
            for stored in environment.orders_of(product_id).await.expect("the table answers") {
                settled.insert(stored.order_id.to_string(), stored.status);
            }
        }
        eventually("every settled order has an event", ALL_ARRIVE, async || {
            events.take(&queue).await?;
            let missing = settled.keys().filter(|order_id| !events.of_orders.contains_key(*order_id));
            match missing.count() {
                0 => Ok(()),
                missing => Err(format!("{missing} of {} have none", settled.len())),
            }
        })
        .await;
        for (order_id, status) in &settled {
            assert_eq!(&events.of_orders[order_id]["order"]["status"], status.as_str(), "{order_id}");
        }
        println!("kills of {units:?}: {tally}; {} settled orders, {} repeated events", settled.len(), events.repeated);
    });
}

#[test]
fn a_poisoned_message_ends_in_the_dead_letter_queue_and_redrive_brings_it_back() {
    alone(async |environment| {
        let (queue, dead) =
            (Queue::new(&environment.settings, "reporting"), Queue::new(&environment.settings, "reporting-dead"));
        let poison = format!("poison-{}", environment.key());
        let is_poison = |message: &&Received| message.body == poison;
        queue.drain().await.expect("the queue answers");
        queue.send(&poison).await.expect("the queue takes it");
        let mut receives = 0;
        let found = eventually("the message is a dead letter", ARRIVES, async || {
            // A consumer that never deletes it: visible again at once.
            receives += queue.receive(0).await?.iter().filter(is_poison).count();
            let dead = dead.receive(0).await?;
            dead.iter().find(is_poison).cloned().ok_or_else(|| format!("{receives} receives"))
        })
        .await;
        assert_eq!((receives, found.body.as_str()), (MOST_RECEIVES, poison.as_str()));
        match environment.units.redrive("reporting").await {
            Ok(()) => {
                eventually("the message is back", ARRIVES, async || {
                    let received = queue.receive(30).await?;
                    let back: Vec<Received> = received.iter().filter(is_poison).cloned().collect();
                    queue.delete(&back).await?;
                    if back.is_empty() { Err(format!("{received:?}")) } else { Ok(()) }
                })
                .await;
                assert_eq!(dead.receive(0).await.expect("it answers").iter().find(is_poison), None);
            }
            // ministack does not have this operation of SQS.
            Err(refusal) => {
                assert!(refusal.contains("has no StartMessageMoveTask"), "{refusal}");
                assert_eq!(environment.units.emulator().await, "localstack", "{refusal}");
            }
        }
    });
}
