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

/// Clients that order at the same time.
const CLIENTS: usize = 8;

/// For a client that asks again until it is answered for good.
const PERSISTENCE: Duration = Duration::from_secs(40);

/// Between two attempts. Shorter than the `Retry-After` of a second: a test is not here to be kind.
const PAUSE: Duration = Duration::from_millis(30);

/// For the load to get on, when nothing is stopped.
const HEADWAY_LIMIT: Duration = Duration::from_mins(1);

/// How long a load or kill test goes on: one round by default, or for `SOAK_SECONDS`, or for `SOAK_ROUNDS`.
#[derive(Debug, Clone, Copy)]
pub enum Effort {
    Once,
    Until(Instant),
    /// This many rounds are left.
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

    /// The short form does not wait for the reconciler; the long form leaves it whatever is not answered.
    pub fn patience(&self) -> Patience {
        if self.is_long() { Patience::GivesUp } else { Patience::Persists }
    }

    /// Between two orders of a client. Over a long time fewer are enough, and every one is counted in the end.
    fn pace(self) -> Duration {
        if self.is_long() { Duration::from_millis(50) } else { Duration::ZERO }
    }

    /// Orders to be confirmed before a kill, and again after it. Many kills meet enough of them anyway.
    pub fn headway(self) -> usize {
        if self.is_long() { 25 } else { 100 }
    }

    fn is_long(self) -> bool {
        !matches!(self, Self::Once)
    }

    /// Whether to make one more round, after this one.
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
