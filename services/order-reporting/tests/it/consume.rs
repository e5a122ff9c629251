use std::time::Duration;

use order_domain::Order;
use order_reporting::{
    ConsumerMetrics, Figures, QueueUrl,
    consume::{Condition, Pace, SqsQueue, consume},
};
use order_service::{Lifecycle, Metrics};
use order_testing::{Queues, aws_config, eventually};
use tokio::task::JoinHandle;

use crate::{
    orders::{messages, order},
    postgres::Postgres,
};

pub(crate) const MINUTE: Duration = Duration::from_mins(1);

/// A consumer in this process. Aborting its task is its death.
pub(crate) struct Consumer {
    pub(crate) task: JoinHandle<()>,
    pub(crate) lifecycle: Lifecycle,
    condition: Condition,
    metrics: Metrics,
}

impl Consumer {
    pub(crate) fn start(queues: &Queues, postgres: &Postgres) -> Self {
        // Short enough that a dead consumer's messages soon come again.
        let pace = Pace { batches: 2, visibility: Duration::from_secs(2), extension: Duration::from_millis(500) };
        let (metrics, lifecycle, condition) = (Metrics::new(), Lifecycle::default(), Condition::default());
        let aws = aws_config().into_builder().endpoint_url(queues.url()).build();
        let queue = SqsQueue::new(&aws, QueueUrl(queues.queue_url()));
        let own = ConsumerMetrics::register(&metrics);
        let task = tokio::spawn(consume(queue, postgres.store(3), pace, own, condition.clone(), lifecycle.clone()));
        Self { task, lifecycle, condition, metrics }
    }

    async fn drain(self) {
        self.lifecycle.drain();
        self.task.await.expect("no panic");
    }
}

/// Waits until the queue is empty, and compares the stored figures with the orders.
async fn settled(queues: &Queues, postgres: &Postgres, orders: &[Order]) {
    eventually("an empty queue", MINUTE, || async { (queues.left().await == 0).then_some(()) }).await;
    assert_eq!(postgres.figures().await, Figures::of_orders(orders));
}

fn many(count: u64) -> Vec<Order> {
    let one = |index: u64| {
        let (product, customer) = (format!("P{}", index % 3), format!("C{}", index % 7));
        order(&product, &customer, index + 1, (!index.is_multiple_of(4)).then_some(index * 10))
    };
    (0..count).map(one).collect()
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn two_consumers_count_every_event_once() {
    let (queues, postgres) = (Queues::start(100).await, Postgres::start().await);
    let orders = many(300);
    let bodies = messages(&orders);
    queues.send(&bodies).await;
    let consumers = [Consumer::start(&queues, &postgres), Consumer::start(&queues, &postgres)];
    queues.send(&bodies[..100]).await;
    settled(&queues, &postgres, &orders).await;
    for consumer in consumers {
        consumer.drain().await;
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_poisoned_message_ends_with_the_dead_letters() {
    let (queues, postgres) = (Queues::start(2).await, Postgres::start().await);
    postgres.execute("ALTER TABLE customer_days ADD CHECK (key <> 'refused')").await;
    let orders = many(8);
    let mut bodies = messages(&orders);
    bodies.insert(3, "no event".to_owned());
    bodies.extend(messages(&[order("P1", "refused", 1, Some(1))]));
    queues.send(&bodies).await;
    let consumer = Consumer::start(&queues, &postgres);
    eventually("two dead letters", MINUTE, || async { (queues.dead().await == 2).then_some(()) }).await;
    settled(&queues, &postgres, &orders).await;
    consumer.drain().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn an_outage_of_the_database_loses_nothing() {
    let (queues, mut postgres) = (Queues::start(3).await, Postgres::start().await);
    let orders = many(200);
    let bodies = messages(&orders);
    queues.send(&bodies[..60]).await;
    let consumer = Consumer::start(&queues, &postgres);
    eventually("a counted event", MINUTE, || async { (!postgres.figures().await.days.is_empty()).then_some(()) }).await;
    postgres.stop();
    queues.send(&bodies[60..]).await;
    eventually("an unhealthy consumer", MINUTE, || async { consumer.condition.check().err() }).await;
    // Longer than a message is invisible: its consumer must keep it.
    tokio::time::sleep(Duration::from_secs(5)).await;
    postgres.resume().await;
    settled(&queues, &postgres, &orders).await;
    assert_eq!(queues.dead().await, 0);
    assert_eq!(consumer.condition.check(), Ok(()));
    assert!(consumer.metrics.text().contains("reporting_database_failures_total"));
    consumer.drain().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_lock_that_lasts_holds_the_batch_and_nothing_more() {
    let (queues, postgres) = (Queues::start(2).await, Postgres::start().await);
    let orders = many(10);
    let mut client = postgres.client().await;
    let lock = client.transaction().await.expect("a transaction");
    lock.batch_execute("LOCK TABLE days IN ACCESS EXCLUSIVE MODE").await.expect("locked");
    queues.send(&messages(&orders)).await;
    let consumer = Consumer::start(&queues, &postgres);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!((queues.left().await, queues.dead().await), (10, 0));
    lock.rollback().await.expect("unlocked");
    settled(&queues, &postgres, &orders).await;
    consumer.drain().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn consumers_that_die_again_and_again_lose_and_repeat_nothing() {
    let (queues, postgres) = (Queues::start(100).await, Postgres::start().await);
    let orders = many(400);
    queues.send(&messages(&orders)).await;
    for life in 1..=12_u64 {
        let consumer = Consumer::start(&queues, &postgres);
        tokio::time::sleep(Duration::from_millis(7 * life)).await;
        consumer.task.abort();
    }
    let consumer = Consumer::start(&queues, &postgres);
    settled(&queues, &postgres, &orders).await;
    consumer.drain().await;
}
