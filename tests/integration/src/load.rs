use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest_tls::Method;
use serde_json::Value;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{Answer, Environment, Service, eventually, order};

/// Clients that order at the same time.
const CLIENTS: usize = 8;

/// For a client that asks again until it is answered for good.
const PERSISTENCE: Duration = Duration::from_secs(40);

/// Between two attempts. Shorter than the `Retry-After` of a second: a test is not here to be kind.
const PAUSE: Duration = Duration::from_millis(30);

/// For the load to get on, when nothing is stopped.
const HEADWAY_LIMIT: Duration = Duration::from_secs(30);

/// How long a load or kill test goes on: once by default, or for `SOAK_SECONDS`.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    until: Option<Instant>,
}

impl Effort {
    /// # Panics
    /// When `SOAK_SECONDS` is no number.
    pub fn read() -> Self {
        let seconds = std::env::var("SOAK_SECONDS").ok().filter(|seconds| !seconds.is_empty()).map(|seconds| {
            seconds.parse().unwrap_or_else(|_| panic!("SOAK_SECONDS={seconds} is not a whole number of seconds"))
        });
        Self { until: seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds)) }
    }

    /// The short form does not wait for the reconciler; the long form leaves it whatever is not answered.
    pub fn patience(&self) -> Patience {
        if self.until.is_some() { Patience::GivesUp } else { Patience::Persists }
    }

    /// Between two orders of a client. Over a long time fewer are enough, and every one is counted in the end.
    fn pace(self) -> Duration {
        if self.until.is_some() { Duration::from_millis(50) } else { Duration::ZERO }
    }

    /// Whether there is time for one more round. `pause` lets the supervisor forget the last death, so that its
    /// back-off does not grow from round to round.
    pub async fn again(&self, pause: Duration) -> bool {
        let Some(until) = self.until else { return false };
        if Instant::now() + pause >= until {
            return false;
        }
        tokio::time::sleep(pause).await;
        true
    }
}

/// What a client does when it is not answered, or with 503 or 504.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Leaves the order to the reconciler and places the next.
    GivesUp,
    /// Asks again with the same idempotency key until it is answered for good.
    Persists,
}

/// What came of a load.
#[derive(Debug, Default)]
pub struct Tally {
    /// Answered with 201.
    pub confirmed: Vec<Uuid>,
    /// Answered with 400, not enough in stock.
    pub refused: usize,
    /// Named by a 503 or 504.
    pub unsettled: Vec<Uuid>,
    /// Requests without an answer.
    pub unanswered: usize,
    /// How often each status came, retries included.
    pub statuses: BTreeMap<u16, usize>,
    /// Answers that the contract does not have.
    pub improper: Vec<Answer>,
}

/// Clients that place orders until they are told to stop.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    confirmed: Arc<AtomicUsize>,
    outages: Arc<AtomicUsize>,
    clients: JoinSet<Tally>,
}

impl Load {
    /// Orders one item of each of these products in turn.
    pub fn start(environment: &Environment, products: &[(String, u64)], effort: Effort, patience: Patience) -> Self {
        let mut load =
            Self { stop: Arc::default(), confirmed: Arc::default(), outages: Arc::default(), clients: JoinSet::new() };
        for _ in 0..CLIENTS {
            let client = Client {
                api: environment.api.clone(),
                bodies: products.iter().map(|(product_id, _)| order(product_id, 1, &environment.customer())).collect(),
                pace: effort.pace(),
                patience,
                stop: load.stop.clone(),
                confirmed: load.confirmed.clone(),
                outages: load.outages.clone(),
                tally: Tally::default(),
            };
            load.clients.spawn(client.run());
        }
        load
    }

    /// Waits until this many more orders are confirmed.
    pub async fn headway(&self, orders: usize) {
        grows(&self.confirmed, orders, "more orders are confirmed").await;
    }

    /// Waits until this many more requests were not answered, or with 503 or 504.
    pub async fn trouble(&self, requests: usize) {
        grows(&self.outages, requests, "more requests meet the outage").await;
    }

    /// Stops the clients, each after the order that it is placing.
    ///
    /// # Panics
    /// When an answer was not one of the contract.
    pub async fn stop(mut self) -> Tally {
        self.stop.store(true, Ordering::Relaxed);
        let mut whole = Tally::default();
        while let Some(tally) = self.clients.join_next().await {
            whole.add(tally.expect("a client of the load does not panic"));
        }
        assert!(
            whole.improper.is_empty(),
            "expected 201, 400 \"Insufficient inventory\", 503 with Retry-After or 504, got {} others, first {:?}",
            whole.improper.len(),
            whole.improper[0]
        );
        whole
    }
}

async fn grows(count: &AtomicUsize, by: usize, what: &str) {
    let start = count.load(Ordering::Relaxed);
    eventually(&format!("{by} {what}"), HEADWAY_LIMIT, async || {
        let grown = count.load(Ordering::Relaxed) - start;
        if grown >= by { Ok(()) } else { Err(format!("{grown} so far")) }
    })
    .await;
}

/// Asks until there is an answer for good, which any number of attempts with one key gives once.
///
/// # Panics
/// When there is none in time.
pub async fn persist(api: Service, body: Value, key: String) -> Answer {
    // A loop and not `eventually`, whose closure would tie a spawned task to one lifetime.
    let deadline = Instant::now() + PERSISTENCE;
    loop {
        let request = api.request(Method::POST, "/orders").header("idempotency-key", &key).json(&body);
        let answer = api.try_send(request).await;
        match answer {
            Ok(answer) if !is_outage(&answer) => return answer,
            other => {
                assert!(Instant::now() < deadline, "expected an answer for good within {PERSISTENCE:?}: {other:?}");
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn is_outage(answer: &Answer) -> bool {
    match answer.status {
        503 => answer.header("retry-after").is_some(),
        504 => true,
        _ => false,
    }
}

struct Client {
    api: Service,
    bodies: Vec<Value>,
    pace: Duration,
    patience: Patience,
    stop: Arc<AtomicBool>,
    confirmed: Arc<AtomicUsize>,
    outages: Arc<AtomicUsize>,
    tally: Tally,
}

impl Client {
    async fn run(mut self) -> Tally {
        let bodies = std::mem::take(&mut self.bodies);
        for body in bodies.iter().cycle() {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            self.place(body).await;
            if !self.pace.is_zero() {
                tokio::time::sleep(self.pace).await;
            }
        }
        self.tally
    }

    async fn place(&mut self, body: &Value) {
        let key = Uuid::new_v4().to_string();
        let deadline = Instant::now() + PERSISTENCE;
        while !self.attempt(body, &key).await && self.patience == Patience::Persists {
            assert!(Instant::now() < deadline, "expected an answer for good within {PERSISTENCE:?}");
        }
    }

    /// `true` when the order is answered for good.
    async fn attempt(&mut self, body: &Value, key: &str) -> bool {
        let request = self.api.request(Method::POST, "/orders").header("idempotency-key", key).json(body);
        let Ok(answer) = self.api.try_send(request).await else {
            self.tally.unanswered += 1;
            self.outage().await;
            return false;
        };
        *self.tally.statuses.entry(answer.status).or_default() += 1;
        if is_outage(&answer) {
            self.tally.unsettled.extend(answer.find_order_id());
            self.outage().await;
            return false;
        }
        match (answer.status, answer.find_order_id()) {
            (201, Some(order_id)) => {
                self.tally.confirmed.push(order_id);
                self.confirmed.fetch_add(1, Ordering::Relaxed);
            }
            _ if answer.failure() == (400, "Insufficient inventory") => self.tally.refused += 1,
            _ => self.tally.improper.push(answer),
        }
        true
    }

    async fn outage(&self) {
        self.outages.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(PAUSE).await;
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.confirmed.extend(other.confirmed);
        self.refused += other.refused;
        self.unsettled.extend(other.unsettled);
        self.unanswered += other.unanswered;
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.improper.extend(other.improper);
    }
}
