//! The consumer against a queue and figures in memory, in a time that passes at once.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use order_reporting::{
    ConsumerMetrics, Figures, Settlement,
    consume::{Condition, Delivery, Message, Pace, Queue, QueueError, ReadModel, consume},
    database::{Applied, StoreError},
};
use order_service::{Lifecycle, Metrics};
use tokio::time::Instant;
use uuid::Uuid;

use crate::orders::{messages, order};

struct Held {
    message: Message,
    visible: Instant,
    receives: u32,
}

#[derive(Default)]
struct QueueState {
    messages: Vec<Held>,
    calls: Vec<(&'static str, usize)>,
    /// The calls of an operation that still fail.
    failing: Vec<&'static str>,
}

#[derive(Clone, Default)]
struct FakeQueue(Arc<Mutex<QueueState>>);

impl FakeQueue {
    fn with(bodies: &[String]) -> Self {
        let queue = Self::default();
        queue.send(bodies);
        queue
    }

    fn state(&self) -> MutexGuard<'_, QueueState> {
        self.0.lock().expect("no panic while held")
    }

    fn send(&self, bodies: &[String]) {
        for body in bodies {
            let message = Message { id: Uuid::new_v4().to_string(), body: body.clone(), trace: None };
            self.state().messages.push(Held { message, visible: Instant::now(), receives: 0 });
        }
    }

    fn left(&self) -> Vec<String> {
        self.state().messages.iter().map(|held| held.message.body.clone()).collect()
    }

    fn receives(&self) -> Vec<u32> {
        self.state().messages.iter().map(|held| held.receives).collect()
    }

    fn begin(&self, operation: &'static str, messages: usize) -> Result<(), QueueError> {
        let mut state = self.state();
        state.calls.push((operation, messages));
        let Some(place) = state.failing.iter().position(|failing| *failing == operation) else { return Ok(()) };
        state.failing.swap_remove(place);
        Err(QueueError { operation, queue: "fake".into(), cause: "injected".into() })
    }

    fn calls(&self, operation: &str) -> usize {
        self.state().calls.iter().filter(|(name, _)| *name == operation).count()
    }
}

impl Queue for FakeQueue {
    async fn receive(&self, visibility: Duration) -> Result<Vec<Delivery>, QueueError> {
        self.begin("receive", 0)?;
        for _ in 0..2_000 {
            let now = Instant::now();
            let taken: Vec<Delivery> = self
                .state()
                .messages
                .iter_mut()
                .filter(|held| held.visible <= now)
                .take(10)
                .map(|held| {
                    held.visible = now + visibility;
                    held.receives += 1;
                    Delivery { message: held.message.clone(), handle: held.message.id.clone() }
                })
                .collect();
            if !taken.is_empty() {
                return Ok(taken);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(Vec::new())
    }

    async fn delete(&self, deliveries: &[&Delivery]) -> Result<usize, QueueError> {
        self.begin("delete", deliveries.len())?;
        let handles: BTreeSet<&str> = deliveries.iter().map(|delivery| delivery.handle.as_str()).collect();
        self.state().messages.retain(|held| !handles.contains(held.message.id.as_str()));
        Ok(0)
    }

    async fn keep(&self, deliveries: &[&Delivery], visibility: Duration) -> Result<usize, QueueError> {
        self.begin("keep", deliveries.len())?;
        for delivery in deliveries {
            let mut state = self.state();
            let held = state.messages.iter_mut().find(|held| held.message.id == delivery.handle);
            held.expect("a message of the queue").visible = Instant::now() + visibility;
        }
        Ok(0)
    }
}

#[derive(Default)]
struct ModelState {
    ids: BTreeSet<Uuid>,
    figures: Vec<Settlement>,
    batches: Vec<usize>,
    /// The attempts that still fail.
    outage: usize,
    /// The time that a batch takes.
    slow: Duration,
    refused_customer: Option<&'static str>,
}

#[derive(Clone, Default)]
struct FakeModel(Arc<Mutex<ModelState>>);

impl FakeModel {
    fn state(&self) -> MutexGuard<'_, ModelState> {
        self.0.lock().expect("no panic while held")
    }

    fn figures(&self) -> Figures {
        Figures::of(&self.state().figures)
    }

    fn fails(&self) -> Result<(), StoreError> {
        let mut state = self.state();
        state.outage = match state.outage {
            0 => return Ok(()),
            left => left - 1,
        };
        Err(StoreError::Unavailable("injected".into()))
    }
}

impl ReadModel for FakeModel {
    async fn apply(&self, batch: &[Settlement]) -> Result<Applied, StoreError> {
        let slow = self.state().slow;
        tokio::time::sleep(slow).await;
        self.fails()?;
        let mut state = self.state();
        state.batches.push(batch.len());
        let refused = state.refused_customer;
        if batch.iter().any(|event| Some(event.customer_id.as_str()) == refused) {
            return Err(StoreError::Refused("injected".into()));
        }
        let mut applied = Applied::default();
        for event in batch {
            if state.ids.insert(event.event_id) {
                applied.counted += 1;
                state.figures.push(event.clone());
            } else {
                applied.duplicates += 1;
            }
        }
        Ok(applied)
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.fails()
    }
}

/// A consumer of one batch at a time.
struct Running {
    queue: FakeQueue,
    model: FakeModel,
    metrics: Metrics,
    condition: Condition,
    lifecycle: Lifecycle,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    fn start(queue: FakeQueue, model: FakeModel) -> Self {
        let (metrics, condition, lifecycle) = (Metrics::new(), Condition::default(), Lifecycle::default());
        let own = ConsumerMetrics::register(&metrics);
        let pace = Pace { batches: 1, ..Pace::default() };
        let task = tokio::spawn(consume(queue.clone(), model.clone(), pace, own, condition.clone(), lifecycle.clone()));
        Self { queue, model, metrics, condition, lifecycle, task }
    }

    fn metric(&self, line: &str) -> bool {
        self.metrics.text().lines().any(|have| have == line)
    }

    /// Ends the consumer as SIGTERM does.
    async fn drain(self) {
        self.lifecycle.drain();
        self.task.await.expect("no panic");
    }
}

/// Lets `seconds` pass.
async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

fn events(customers: &[&str]) -> Vec<String> {
    let orders: Vec<_> = customers.iter().map(|customer| order("P1", customer, 2, Some(58))).collect();
    messages(&orders)
}

fn confirmed(figures: &Figures) -> u64 {
    figures.days.values().map(|tally| tally.confirmed_orders).sum()
}

#[tokio::test(start_paused = true)]
async fn duplicates_of_a_batch_and_of_an_earlier_one_count_once() {
    let bodies = events(&["C1", "C2"]);
    let running = Running::start(FakeQueue::with(&[bodies.clone(), bodies.clone()].concat()), FakeModel::default());
    pass(1).await;
    running.queue.send(&bodies);
    pass(1).await;
    assert_eq!(running.queue.left(), Vec::<String>::new());
    assert_eq!(confirmed(&running.model.figures()), 2);
    assert!(running.metric(r#"reporting_events_total{outcome="processed"} 2"#), "{}", running.metrics.text());
    assert!(running.metric(r#"reporting_events_total{outcome="duplicate"} 4"#));
    assert!(running.metrics.text().contains("reporting_newest_event_age_seconds "));
    running.drain().await;
}

#[tokio::test(start_paused = true)]
async fn messages_that_are_no_events_stay_for_the_redrive_policy() {
    let newer = events(&["C3"])[0].replace(r#""version":1"#, r#""version":2"#);
    let poison = ["no JSON".to_owned(), newer];
    let queue = FakeQueue::with(&[&events(&["C1"])[..], &poison, &events(&["C2"])].concat());
    let running = Running::start(queue, FakeModel::default());
    pass(200).await;
    assert_eq!(running.queue.left(), poison);
    assert_eq!(running.queue.receives(), [4, 4], "each comes again after its visibility timeout");
    assert_eq!(confirmed(&running.model.figures()), 2);
    assert_eq!(running.model.state().batches, [2], "the others were one transaction");
    assert!(running.metric(r#"reporting_events_total{outcome="poisoned"} 8"#), "{}", running.metrics.text());
    assert_eq!(running.condition.check(), Ok(()));
    running.drain().await;
}

#[tokio::test(start_paused = true)]
async fn an_event_that_the_database_refuses_is_alone() {
    let model = FakeModel::default();
    model.state().refused_customer = Some("C2");
    let bodies = events(&["C1", "C2", "C3"]);
    let running = Running::start(FakeQueue::with(&bodies), model);
    pass(1).await;
    assert_eq!(running.queue.left(), [bodies[1].clone()]);
    assert_eq!(running.model.state().batches, [3, 1, 1, 1]);
    assert_eq!(confirmed(&running.model.figures()), 2);
    running.drain().await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_costs_no_message_a_receive() {
    let model = FakeModel::default();
    let running = Running::start(FakeQueue::with(&events(&["C1", "C2"])), model.clone());
    pass(1).await;
    // Some seven minutes, since a pause takes five to ten seconds in the end.
    model.state().outage = 60;
    running.queue.send(&events(&["C3"]));
    pass(60).await;
    running.queue.send(&events(&["C4"]));
    pass(240).await;
    assert_eq!(running.queue.receives(), [1, 0], "a batch that waits keeps its messages, and takes no more");
    assert!(running.queue.calls("keep") >= 10);
    assert_eq!(running.condition.check().expect_err("an outage").dependency, "database");
    pass(600).await;
    assert_eq!(running.queue.left(), Vec::<String>::new());
    assert_eq!(confirmed(&running.model.figures()), 4);
    assert_eq!(running.condition.check(), Ok(()));
    running.drain().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_received_before_the_database_answers() {
    let model = FakeModel::default();
    model.state().outage = 5;
    let running = Running::start(FakeQueue::with(&events(&["C1"])), model);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(running.queue.calls("receive"), 0);
    assert!(running.condition.check().is_err());
    pass(20).await;
    assert_eq!(confirmed(&running.model.figures()), 1);
    running.drain().await;
}

#[tokio::test(start_paused = true)]
async fn messages_stay_with_a_slow_batch() {
    let model = FakeModel::default();
    model.state().slow = Duration::from_secs(150);
    let running = Running::start(FakeQueue::with(&events(&["C1", "C2"])), model);
    pass(149).await;
    assert_eq!(running.queue.receives(), [1, 1]);
    assert_eq!(running.queue.calls("keep"), 7, "every 20 seconds");
    pass(2).await;
    assert_eq!(running.queue.left(), Vec::<String>::new());
    running.drain().await;
}

#[tokio::test(start_paused = true)]
async fn a_drain_finishes_the_batch() {
    let model = FakeModel::default();
    model.state().slow = Duration::from_secs(5);
    let running = Running::start(FakeQueue::with(&events(&["C1"])), model.clone());
    let queue = running.queue.clone();
    pass(1).await;
    let idle = running.lifecycle.clone();
    running.drain().await;
    tokio::time::timeout(Duration::ZERO, idle.idle()).await.expect("no work is left");
    assert_eq!((confirmed(&model.figures()), queue.left().len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_drain_in_an_outage_returns_the_batch() {
    let model = FakeModel::default();
    let running = Running::start(FakeQueue::default(), model.clone());
    pass(1).await;
    model.state().outage = usize::MAX;
    running.queue.send(&events(&["C1"]));
    pass(30).await;
    let queue = running.queue.clone();
    let start = Instant::now();
    running.drain().await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    model.state().outage = 0;
    let other = Running::start(queue, model);
    pass(1).await;
    assert_eq!(other.queue.left(), Vec::<String>::new(), "another consumer need not wait for the visibility timeout");
    other.drain().await;
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_fails_is_asked_again() {
    let queue = FakeQueue::with(&events(&["C1"]));
    queue.state().failing = vec!["receive"; 6];
    let running = Running::start(queue, FakeModel::default());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(running.condition.check().expect_err("it fails").dependency, "queue");
    pass(30).await;
    assert_eq!(running.condition.check(), Ok(()));
    assert_eq!(running.queue.left(), Vec::<String>::new());
    assert!(running.metric("reporting_queue_failures_total 6"), "{}", running.metrics.text());
    running.drain().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_deletion_failed_is_a_duplicate() {
    let queue = FakeQueue::with(&events(&["C1"]));
    queue.state().failing = vec!["delete"];
    let running = Running::start(queue, FakeModel::default());
    pass(1).await;
    assert_eq!(running.queue.left().len(), 1);
    pass(70).await;
    assert_eq!(running.queue.left(), Vec::<String>::new());
    assert_eq!(confirmed(&running.model.figures()), 1);
    running.drain().await;
}
