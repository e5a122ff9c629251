//! Events of settled orders: each reaches the topic at least once, whatever fails.

use std::{collections::HashMap, sync::Arc, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use order_api::{Pace, discovery::Discovery, sweep};
use order_domain::{OrderId, SHARDS, shard_name};
use order_service::{Lifecycle, topic::Topic};
use order_testing::{Emulator, Fault, IN_STOCK, Received, Running, Topics, aws_config, eventually};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::{Foreign, System, answer, order, process::command, processor, put_foreign, reconciler::EAGER};

const SOON: Duration = Duration::from_secs(10);

/// Starts order-api with this topic.
async fn publishing(topics: &Topics) -> System {
    let emulator = Emulator::start().await;
    let processor = processor(&emulator).await;
    let discovery = Discovery::fixed(processor.url.parse().expect("a URL"));
    let topic = Topic::new(&aws_config(), &topics.address());
    System::with(emulator, discovery, Some(processor), Some(topic)).await
}

/// Places an order and returns it.
async fn placed(system: &System) -> Value {
    let (status, order) = answer(system.post(&order(IN_STOCK, 1)).await).await;
    assert_eq!(status, StatusCode::CREATED, "{order}");
    order
}

/// Receives until each of these orders has an event. Returns all events by order.
async fn events(topics: &Topics, orders: &[Value]) -> HashMap<String, Vec<Received>> {
    let mut events: HashMap<String, Vec<Received>> = HashMap::new();
    let start = std::time::Instant::now();
    loop {
        for received in topics.receive().await {
            let id = received.body["order"]["order_id"].as_str().expect("an id").to_owned();
            events.entry(id).or_default().push(received);
        }
        let missing = orders.iter().filter(|order| !events.contains_key(order["order_id"].as_str().expect("an id")));
        match missing.count() {
            0 => return events,
            count => assert!(start.elapsed() < SOON, "{count} orders have no event"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn unpublished(emulator: &Emulator) -> usize {
    let scan = emulator.client.scan().table_name("orders").index_name("unpublished").send().await;
    scan.expect("the emulator answers").count().try_into().expect("a count")
}

async fn nothing_is_unpublished(emulator: &Emulator) {
    eventually("no unpublished event", SOON, async || (unpublished(emulator).await == 0).then_some(())).await;
}

fn metric<T: std::str::FromStr>(system: &System, series: &str) -> T {
    let text = system.metrics.text();
    let value = text.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok());
    value.unwrap_or_else(|| panic!("no {series} in {text}"))
}

fn sweeping(system: &System) -> tokio::task::JoinHandle<()> {
    tokio::spawn(sweep(system.api.clone(), EAGER, Lifecycle::default()))
}

#[tokio::test]
async fn a_settled_order_is_published_once_and_its_mark_removed() {
    let topics = Topics::start().await;
    let system = publishing(&topics).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = system.http.post(system.url("/orders")).json(&order(IN_STOCK, 2));
    let request = request.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let (status, confirmed) = answer(request.send().await.expect("an answer")).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(system.post(&order(IN_STOCK, 500)).await.status(), StatusCode::BAD_REQUEST);
    nothing_is_unpublished(&system.emulator).await;

    let events = topics.receive().await;
    assert_eq!(events.len(), 2);
    let kinds: Vec<&str> = events.iter().filter_map(|event| event.body["type"].as_str()).collect();
    assert_eq!(kinds, ["order.confirmed", "order.rejected"]);
    for event in &events {
        assert_eq!(event.attributes["type"], event.body["type"]);
        assert_eq!(event.body["occurred_at"], event.body["order"]["processed_at"]);
    }
    assert_eq!(events[0].body["order"], confirmed);
    assert!(events[0].attributes["traceparent"].as_str().is_some_and(|header| header.contains(trace)));
    assert_eq!(metric::<u64>(&system, "order_events_total{outcome=\"published\"}"), 2);
}

#[tokio::test]
async fn without_a_topic_nothing_is_marked() {
    let system = System::start().await;
    let order = placed(&system).await;
    let update = system.emulator.last_request("UpdateItem").expect("a settlement");
    assert!(!update.to_string().contains("unpublished"), "{update}");
    assert_eq!(system.get(&format!("/orders/{}", order["order_id"].as_str().expect("an id"))).await.1, order);
    assert!(!system.metrics.text().contains("order_events"), "no series of events");
}

#[tokio::test]
async fn whatever_happens_to_a_batch_every_event_arrives() {
    for fault in [
        Fault::LoseAnswer,
        Fault::Gateway,
        Fault::BreakOff,
        Fault::Refuse("Throttled"),
        Fault::Refuse("InternalError"),
        Fault::Refuse("InvalidParameter"),
        Fault::SpoilEntry(1),
    ] {
        let topics = Topics::start().await;
        let system = publishing(&topics).await;
        topics.fail_next(fault.clone());
        let orders = [placed(&system).await, placed(&system).await];
        let sweeper = sweeping(&system);
        let events = events(&topics, &orders).await;
        nothing_is_unpublished(&system.emulator).await;
        assert_eq!(topics.faults_left(), 0, "{fault:?}");
        for (order, events) in events {
            let ids: Vec<&Value> = events.iter().map(|event| &event.body).collect();
            assert!(ids.iter().all(|body| *body == ids[0]), "{fault:?}: every repetition is equal, {order}");
        }
        sweeper.abort();
    }
}

#[tokio::test]
async fn a_failed_entry_holds_up_no_other() {
    let topics = Topics::start().await;
    let system = publishing(&topics).await;
    // While the first batch is on its way, the second one grows.
    let held = Arc::new(Semaphore::new(0));
    topics.fail_next(Fault::Hold(held.clone()));
    topics.fail_next(Fault::SpoilEntry(2));
    let mut orders = Vec::new();
    for _ in 0..5 {
        orders.push(placed(&system).await);
    }
    held.add_permits(1);
    eventually("all events but one", SOON, async || {
        (metric::<u64>(&system, "order_events_total{outcome=\"published\"}") >= 4).then_some(())
    })
    .await;
    assert_eq!(metric::<u64>(&system, "order_events_total{outcome=\"failed\"}"), 1);
    eventually("only one mark", SOON, async || (unpublished(&system.emulator).await == 1).then_some(())).await;
    let sweeper = sweeping(&system);
    events(&topics, &orders).await;
    nothing_is_unpublished(&system.emulator).await;
    sweeper.abort();
}

#[tokio::test]
async fn an_absent_topic_holds_up_no_order_and_gets_every_event_later() {
    let topics = Topics::without_topic().await;
    let system = publishing(&topics).await;
    let sweeper = sweeping(&system);
    let mut orders = Vec::new();
    for _ in 0..25 {
        orders.push(placed(&system).await);
    }
    eventually("the gauge", SOON, async || (metric::<u64>(&system, "orders_unpublished ") == 25).then_some(())).await;
    assert!(metric::<f64>(&system, "orders_unpublished_oldest_seconds ") > 0.0);
    topics.create_topic().await;
    events(&topics, &orders).await;
    nothing_is_unpublished(&system.emulator).await;
    eventually("the gauge", SOON, async || (metric::<u64>(&system, "orders_unpublished ") == 0).then_some(())).await;
    sweeper.abort();
}

#[tokio::test]
async fn a_settlement_whose_answer_is_lost_is_published() {
    let topics = Topics::start().await;
    let system = publishing(&topics).await;
    system.emulator.fail_next("UpdateItem", Fault::LoseAnswer);
    let order = placed(&system).await;
    events(&topics, &[order]).await;
    nothing_is_unpublished(&system.emulator).await;
}

#[tokio::test]
async fn marks_go_one_by_one_when_their_transaction_is_cancelled() {
    let topics = Topics::start().await;
    let system = publishing(&topics).await;
    let held = Arc::new(Semaphore::new(0));
    topics.fail_next(Fault::Hold(held.clone()));
    let orders = [placed(&system).await, placed(&system).await, placed(&system).await];
    system.emulator.fail_next("TransactWriteItems", Fault::Cancel(vec!["None", "TransactionConflict", "None"]));
    held.add_permits(1);
    events(&topics, &orders).await;
    nothing_is_unpublished(&system.emulator).await;
    assert_eq!(system.emulator.faults_left(), 0);
    assert_eq!(topics.receive().await.len(), 0, "no event is published twice");
}

#[tokio::test]
async fn the_mark_of_an_order_that_has_gone_brings_no_order_back() {
    let topics = Topics::start().await;
    let system = publishing(&topics).await;
    let held = Arc::new(Semaphore::new(0));
    topics.fail_next(Fault::Hold(held.clone()));
    let orders = [placed(&system).await, placed(&system).await];
    let id = orders[1]["order_id"].as_str().expect("an id").to_owned();
    let delete =
        system.emulator.client.delete_item().table_name("orders").key("order_id", AttributeValue::S(id.clone()));
    delete.send().await.expect("deleted");
    held.add_permits(1);
    events(&topics, &orders).await;
    nothing_is_unpublished(&system.emulator).await;
    assert_eq!(system.get(&format!("/orders/{id}")).await.0, StatusCode::NOT_FOUND);
}

async fn put_settled(system: &System, order_id: &str, mark: AttributeValue, product: Option<&str>) {
    let (status, created_at, mark) = ("confirmed", "2020-01-01T00:00:00.000000Z", ("unpublished_shard", mark));
    put_foreign(system, Foreign { order_id, status, mark, created_at, product }).await;
}

#[tokio::test]
async fn unreadable_orders_and_unknown_shards_hide_no_other() {
    let topics = Topics::start().await;
    let system = publishing(&topics).await;
    let unknown = OrderId::generate().to_string();
    put_settled(&system, &unknown, AttributeValue::S("no shard".into()), Some(IN_STOCK)).await;
    for number in 0..SHARDS {
        let mark = || AttributeValue::S(shard_name(number));
        put_settled(&system, &format!("no id {number}"), mark(), Some(IN_STOCK)).await;
        put_settled(&system, &OrderId::generate().to_string(), mark(), None).await;
    }
    let good = OrderId::generate().to_string();
    put_settled(&system, &good, AttributeValue::S(shard_name(3)), Some(IN_STOCK)).await;
    let sweeper = sweeping(&system);
    events(&topics, &[json!({ "order_id": good })]).await;
    let left = 2 * usize::from(SHARDS) + 1;
    eventually("the others' marks", SOON, async || (unpublished(&system.emulator).await == left).then_some(())).await;
    assert_eq!(system.get(&format!("/orders/{unknown}")).await.0, StatusCode::OK, "a client reads it as any other");
    eventually("a round that counts them", SOON, async || {
        (metric::<u64>(&system, "order_skipped_total{reason=\"unreadable\"}") > 0).then_some(())
    })
    .await;
    sweeper.abort();
}

#[tokio::test]
async fn several_sweepers_publish_everything() {
    let topics = Topics::without_topic().await;
    let system = publishing(&topics).await;
    let mut orders = Vec::new();
    for _ in 0..30 {
        orders.push(placed(&system).await);
    }
    topics.create_topic().await;
    let sweepers: Vec<_> = (0..3).map(|_| sweeping(&system)).collect();
    events(&topics, &orders).await;
    nothing_is_unpublished(&system.emulator).await;
    sweepers.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_young_event_is_left_to_its_publisher() {
    let topics = Topics::without_topic().await;
    let system = publishing(&topics).await;
    placed(&system).await;
    topics.create_topic().await;
    let patient = Pace { age: Duration::from_mins(1), ..EAGER };
    let sweeper = tokio::spawn(sweep(system.api.clone(), patient, Lifecycle::default()));
    eventually("a round", SOON, async || (metric::<u64>(&system, "orders_unpublished ") == 1).then_some(())).await;
    assert_eq!(topics.receive().await.len(), 0);
    sweeper.abort();
}

/// An instance of the previous release writes as one without a topic does: it sets no mark and leaves marks alone.
#[tokio::test]
async fn an_older_instance_works_beside_a_newer_one() {
    let topics = Topics::start().await;
    let newer = publishing(&topics).await;
    topics.fail_next(Fault::Refuse("Throttled"));
    let marked = placed(&newer).await;
    eventually("a failed attempt", SOON, async || {
        (metric::<u64>(&newer, "order_events_total{outcome=\"failed\"}") == 1).then_some(())
    })
    .await;
    let path = format!("/orders/{}", marked["order_id"].as_str().expect("an id"));
    let processor = processor(&newer.emulator).await;
    let System { emulator, .. } = newer;
    let url = processor.url.clone();
    let older = System::over(emulator, &url, Some(processor)).await;
    assert_eq!(older.get(&path).await, (StatusCode::OK, marked.clone()), "the older instance reads a marked order");
    let unmarked = placed(&older).await;
    let System { emulator, .. } = older;
    let processor = crate::processor(&emulator).await;
    let discovery = Discovery::fixed(processor.url.parse().expect("a URL"));
    let topic = Topic::new(&aws_config(), &topics.address());
    let newer = System::with(emulator, discovery, Some(processor), Some(topic)).await;
    let path = format!("/orders/{}", unmarked["order_id"].as_str().expect("an id"));
    assert_eq!(
        newer.get(&path).await,
        (StatusCode::OK, unmarked.clone()),
        "the newer instance reads an unmarked order"
    );
    let sweeper = sweeping(&newer);
    let events = events(&topics, &[marked]).await;
    assert_eq!(events.len(), 1, "an order that an older instance settled has no event");
    nothing_is_unpublished(&newer.emulator).await;
    sweeper.abort();
}

fn binary(emulator: &Emulator, processor_url: &str, topics: &Topics) -> Running {
    let address = topics.address();
    Running::start(
        command()
            .env("AWS_ENDPOINT_URL_DYNAMODB", emulator.url())
            .env("ORDER_PROCESSOR_URL", processor_url)
            .env("AWS_ENDPOINT_URL_SNS", topics.url())
            .env("ORDER_EVENTS_TOPIC_ARN", address.arn.to_string()),
    )
}

async fn placed_at(running: &Running) -> Value {
    let url = format!("http://{}/orders", running.address);
    let response = reqwest::Client::new().post(url).json(&order(IN_STOCK, 1)).send().await.expect("an answer");
    let (status, order) = answer(response).await;
    assert_eq!(status, StatusCode::CREATED, "{order}");
    order
}

#[tokio::test]
async fn a_kill_between_settlement_and_publication_loses_no_event() {
    let topics = Topics::without_topic().await;
    let emulator = Emulator::start().await;
    let processor = processor(&emulator).await;
    let running = binary(&emulator, &processor.url, &topics);
    let order = placed_at(&running).await;
    assert_eq!(unpublished(&emulator).await, 1);
    drop(running);
    topics.create_topic().await;
    let _running = binary(&emulator, &processor.url, &topics);
    let events = events(&topics, std::slice::from_ref(&order)).await;
    assert_eq!(events.values().next().expect("an event")[0].body["order"], order);
    nothing_is_unpublished(&emulator).await;
}

/// The ids of all settled orders.
async fn settled(emulator: &Emulator) -> Vec<Value> {
    let mut pages = emulator.client.scan().table_name("orders").into_paginator().send();
    let mut settled = Vec::new();
    while let Some(page) = pages.next().await {
        for item in page.expect("the emulator answers").items() {
            if item["status"].as_s().is_ok_and(|status| status != "pending") {
                settled.push(json!({ "order_id": item["order_id"].as_s().expect("an id") }));
            }
        }
    }
    settled
}

#[tokio::test]
async fn kills_under_load_lose_no_event() {
    const CLIENTS: usize = 4;
    const KILLS: usize = 8;
    let topics = Topics::start().await;
    let emulator = Emulator::start().await;
    emulator.put_product(IN_STOCK, 29, 1_000_000).await;
    let processor = processor(&emulator).await;
    for kill in 0..KILLS {
        let running = binary(&emulator, &processor.url, &topics);
        let url = format!("http://{}/orders", running.address);
        let (answered, mut answers) = tokio::sync::mpsc::unbounded_channel();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (url, answered, http) = (url.clone(), answered.clone(), reqwest::Client::new());
                tokio::spawn(async move {
                    // The kill ends the loop: the connection breaks.
                    while http.post(&url).json(&order(IN_STOCK, 1)).send().await.is_ok() && answered.send(()).is_ok() {}
                })
            })
            .collect();
        // Each kill meets the publisher in another state.
        for _ in 0..10 + 7 * kill {
            answers.recv().await.expect("an answer");
        }
        drop(running);
        for client in clients {
            client.await.expect("no panic");
        }
    }
    let settled = settled(&emulator).await;
    assert!(settled.len() >= KILLS * 10, "{}", settled.len());
    let _running = binary(&emulator, &processor.url, &topics);
    let events = events(&topics, &settled).await;
    for events in events.values() {
        assert!(events.iter().all(|event| event.body == events[0].body), "every repetition is equal");
    }
}

#[tokio::test]
async fn a_drain_publishes_what_waits() {
    let topics = Topics::start().await;
    let emulator = Emulator::start().await;
    let processor = processor(&emulator).await;
    let running = binary(&emulator, &processor.url, &topics);
    let held = Arc::new(Semaphore::new(0));
    topics.fail_next(Fault::Hold(held.clone()));
    let mut orders = Vec::new();
    for _ in 0..5 {
        orders.push(placed_at(&running).await);
    }
    running.terminate();
    held.add_permits(1);
    let (code, log) = tokio::task::spawn_blocking(move || running.ended()).await.expect("no panic");
    assert_eq!(code, Some(0), "{log:?}");
    assert_eq!(unpublished(&emulator).await, 0);
    let events = events(&topics, &orders).await;
    assert!(events.values().all(|events| events.len() == 1));
}

#[test]
fn the_arn_of_no_topic_stops_the_start() {
    let output = command().env("ORDER_EVENTS_TOPIC_ARN", "order-events").output().expect("the binary runs");
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), message.contains("ORDER_EVENTS_TOPIC_ARN")), (Some(64), true), "{message}");
}
