use std::{
    collections::BTreeMap,
    fmt,
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

/// Number of clients that order at the same time.
const CLIENTS: usize = 8;

/// Time limit of a client that repeats its request until a final answer.
const PERSISTENCE: Duration = Duration::from_secs(40);

/// Pause between two attempts. Shorter than the `Retry-After` of a second: a test need not spare the service.
const PAUSE: Duration = Duration::from_millis(30);

/// Time limit for the load to progress while no unit is stopped.
const HEADWAY_LIMIT: Duration = Duration::from_mins(1);

/// Length of a load or kill test: one round by default, or `SOAK_SECONDS`, or `SOAK_ROUNDS`.
#[derive(Debug, Clone, Copy)]
pub enum Effort {
    Once,
    Until(Instant),
    /// Number of rounds that are left.
    Rounds(u64),
}

impl Effort {
    /// # Panics
    /// When a variable is no number, or both are set.
    pub fn read() -> Self {
        let number = |variable: &str, unit: &str| {
            let text = std::env::var(variable).ok().filter(|text| !text.is_empty())?;
            Some(text.parse::<u64>().unwrap_or_else(|_| panic!("{variable}={text} is not a whole number of {unit}")))
        };
        match (number("SOAK_SECONDS", "seconds"), number("SOAK_ROUNDS", "rounds")) {
            (None, None) => Self::Once,
            (Some(seconds), None) => Self::Until(Instant::now() + Duration::from_secs(seconds)),
            (None, Some(rounds)) => Self::Rounds(rounds),
            (Some(_), Some(_)) => panic!("SOAK_SECONDS and SOAK_ROUNDS are both set: expected one of them"),
        }
    }

    /// In a short test clients persist, rather than wait for the reconciler; in a long one they leave it every unanswered order.
    pub fn patience(&self) -> Patience {
        if self.is_long() { Patience::GivesUp } else { Patience::Persists }
    }

    /// Pause between two orders of a client. A long test needs fewer orders per second, and counts every one at its end.
    fn pace(self) -> Duration {
        if self.is_long() { Duration::from_millis(50) } else { Duration::ZERO }
    }

    /// Orders that must be confirmed before a kill, and again after it. Fewer suffice when there are many kills.
    pub fn headway(self) -> usize {
        if self.is_long() { 25 } else { 100 }
    }

    fn is_long(self) -> bool {
        !matches!(self, Self::Once)
    }

    /// Whether another round follows.
    pub fn again(&mut self) -> bool {
        match self {
            Self::Once => false,
            Self::Until(until) => Instant::now() < *until,
            Self::Rounds(left) => {
                *left = left.saturating_sub(1);
                *left > 0
            }
        }
    }
}

/// A client's reaction to 503, 504 or no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// The client leaves the order to the reconciler and places the next.
    GivesUp,
    /// The client repeats the request with the same idempotency key until a final answer.
    Persists,
}

/// The results of a load.
#[derive(Debug, Default)]
pub struct Tally {
    /// Orders answered with 201.
    pub confirmed: Vec<Uuid>,
    /// Number of orders answered with 400, not enough in stock.
    pub refused: usize,
    /// Orders named by a 503 or 504.
    pub unsettled: Vec<Uuid>,
    /// Number of requests without an answer.
    pub unanswered: usize,
    /// Number of answers by status, retries included.
    pub statuses: BTreeMap<u16, usize>,
    /// Answers that break the contract.
    pub improper: Vec<Answer>,
}

/// Clients that place orders until [`Load::stop`].
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
                bodies: products
                    .iter()
                    .map(|(product_id, _)| order(product_id, 1, &environment.customer_of(product_id)))
                    .collect(),
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

    /// Waits until this many more requests got no answer, or 503 or 504.
    pub async fn trouble(&self, requests: usize) {
        grows(&self.outages, requests, "more requests meet the outage").await;
    }

    /// Stops the clients, each after its current order.
    ///
    /// # Panics
    /// When an answer broke the contract.
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

pub(crate) async fn grows(count: &AtomicUsize, by: usize, what: &str) {
    let start = count.load(Ordering::Relaxed);
    eventually(&format!("{by} {what}"), HEADWAY_LIMIT, async || {
        let grown = count.load(Ordering::Relaxed) - start;
        if grown >= by { Ok(()) } else { Err(format!("{grown} so far")) }
    })
    .await;
}

/// Repeats a request until a final answer. Any number of attempts with one key gives the same one.
///
/// # Panics
/// When there is no final answer in time.
pub async fn persist(api: Service, body: Value, key: String) -> Answer {
    // A loop, not `eventually`: its closure would tie a spawned task to one lifetime.
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

    /// Returns `true` if the answer is final.
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

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} confirmed, {} refused, {} named by a 503 or 504, {} without an answer; statuses {:?}",
            self.confirmed.len(),
            self.refused,
            self.unsettled.len(),
            self.unanswered,
            self.statuses
        )
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
