//! A batch of messages from the queue or from Lambda: each of them is counted, is poisoned, or is left for later.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use order_service::Lifecycle;

use super::condition::Condition;
use crate::{
    database::{Applied, Store, StoreError},
    event::{Poison, Settlement},
    metrics::ConsumerMetrics,
};

/// A message with an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    pub id: String,
    pub body: String,
    /// The trace of the event's order.
    pub trace: Option<String>,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The figures have the event.
    Counted,
    /// The event cannot be counted. The queue's redrive policy moves the message to the dead letters.
    Poisoned,
    /// The database was not available.
    Left,
}

/// The figures, as the consumer uses them.
pub trait ReadModel: Send + Sync + 'static {
    /// Adds a batch of events in one transaction.
    fn apply(&self, batch: &[Settlement]) -> impl Future<Output = Result<Applied, StoreError>> + Send;

    /// Checks that events can be added.
    fn ready(&self) -> impl Future<Output = Result<(), StoreError>> + Send;
}

impl ReadModel for Store {
    async fn apply(&self, batch: &[Settlement]) -> Result<Applied, StoreError> {
        Store::apply(self, batch).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.answers().await.map_err(|failure| StoreError::Unavailable(failure.reason))
    }
}

/// How long a batch waits for a database that is not available.
#[derive(Debug, Clone)]
pub enum Patience {
    /// Until the process drains.
    UntilDrain(Lifecycle),
    /// For this many more attempts.
    Attempts(usize),
}

impl Patience {
    /// Waits before the next attempt. Returns `false` if there is none.
    pub(crate) async fn pause(&mut self, pauses: &mut ExponentialBackoff) -> bool {
        let pause = pauses.next().unwrap_or_default();
        match self {
            Self::UntilDrain(lifecycle) => tokio::select! {
                () = tokio::time::sleep(pause) => true,
                () = lifecycle.draining() => false,
            },
            Self::Attempts(0) => false,
            Self::Attempts(left) => {
                *left -= 1;
                tokio::time::sleep(pause).await;
                true
            }
        }
    }
}

/// The longest pause while the database is not available, without its jitter.
pub(crate) const DATABASE_PAUSE: Duration = Duration::from_secs(5);

/// The pauses between attempts. The first is short: after a deadlock or a restart of the server the next attempt succeeds.
pub(crate) fn pauses(longest: Duration) -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(longest)
        .without_max_times()
        .build()
}

/// The outcome of an attempt to store a batch.
enum Stored {
    Yes,
    Refused(String),
    No,
}

/// Counts the events of messages. All events that can be read are one transaction; if the database refuses an event, each has a
/// transaction of its own. The fates are in the sequence of the messages.
pub async fn process<M: ReadModel>(
    model: &M,
    messages: &[&Message],
    mut patience: Patience,
    metrics: &ConsumerMetrics,
    condition: &Condition,
) -> Vec<Fate> {
    let mut fates = vec![Fate::Poisoned; messages.len()];
    let mut events = Vec::with_capacity(messages.len());
    for (index, message) in messages.iter().enumerate() {
        match Settlement::read(&message.body) {
            Ok(event) => events.push((index, event)),
            Err(poison) => poisoned(message, &poison, metrics),
        }
    }
    let batch: Vec<Settlement> = events.iter().map(|(_, event)| event.clone()).collect();
    let whole = store(model, &batch, &mut patience, metrics, condition).await;
    for (index, event) in events {
        let stored = match &whole {
            Stored::Refused(_) if batch.len() > 1 => store(model, &[event], &mut patience, metrics, condition).await,
            Stored::Refused(cause) => Stored::Refused(cause.clone()),
            Stored::Yes => Stored::Yes,
            Stored::No => Stored::No,
        };
        fates[index] = match stored {
            Stored::Yes => Fate::Counted,
            Stored::No => Fate::Left,
            Stored::Refused(cause) => {
                poisoned(messages[index], &Poison::Refused(cause), metrics);
                Fate::Poisoned
            }
        };
    }
    fates
}

async fn store<M: ReadModel>(
    model: &M,
    batch: &[Settlement],
    patience: &mut Patience,
    metrics: &ConsumerMetrics,
    condition: &Condition,
) -> Stored {
    if batch.is_empty() {
        return Stored::Yes;
    }
    let mut pauses = pauses(DATABASE_PAUSE);
    loop {
        let error = match model.apply(batch).await {
            Ok(applied) => {
                condition.database(None);
                metrics.counted(&applied, batch);
                return Stored::Yes;
            }
            Err(StoreError::Refused(cause)) => {
                condition.database(None);
                return Stored::Refused(cause);
            }
            Err(error) => error,
        };
        tracing::warn!(%error, events = batch.len(), "cannot count events now");
        metrics.database_failed();
        condition.database(Some(error.to_string()));
        if !patience.pause(&mut pauses).await {
            return Stored::No;
        }
    }
}

fn poisoned(message: &Message, poison: &Poison, metrics: &ConsumerMetrics) {
    metrics.poisoned();
    tracing::error!(
        message_id = message.id,
        traceparent = message.trace,
        reason = %poison,
        "a message cannot be counted; it is left to the redrive policy of the queue"
    );
}
