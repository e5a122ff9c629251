use std::{convert::Infallible, sync::Arc, time::Duration};

use order_service::Lifecycle;
use tokio::{task::JoinSet, time::Instant};

use super::{
    condition::Condition,
    process::{DATABASE_PAUSE, Fate, Message, Patience, ReadModel, pauses, process},
    queue::{Delivery, Queue, QueueError},
};
use crate::metrics::ConsumerMetrics;

/// The longest pause after a failed receive, without its jitter.
const QUEUE_PAUSE: Duration = Duration::from_secs(1);

/// The limits of a consumer.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The number of batches at the same time.
    pub batches: usize,
    /// The time for which a batch's messages are kept from other consumers.
    pub visibility: Duration,
    /// The time after which it is extended, while the database is slow.
    pub extension: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { batches: 4, visibility: Duration::from_mins(1), extension: Duration::from_secs(20) }
    }
}

/// Takes events from the queue until the process drains.
pub async fn consume<Q: Queue, M: ReadModel>(
    queue: Q,
    model: M,
    pace: Pace,
    metrics: ConsumerMetrics,
    condition: Condition,
    lifecycle: Lifecycle,
) {
    let consumer = Arc::new(Consumer { queue, model, pace, metrics, condition, lifecycle });
    let mut workers = JoinSet::new();
    for _ in 0..pace.batches {
        workers.spawn(consumer.clone().work());
    }
    while let Some(ended) = workers.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "counting events panicked");
            tokio::time::sleep(Duration::from_secs(1)).await;
            workers.spawn(consumer.clone().work());
        }
    }
}

struct Consumer<Q, M> {
    queue: Q,
    model: M,
    pace: Pace,
    metrics: ConsumerMetrics,
    condition: Condition,
    lifecycle: Lifecycle,
}

impl<Q: Queue, M: ReadModel> Consumer<Q, M> {
    /// Takes one batch after the other. A batch that waits for the database keeps its worker, so that an outage takes no more
    /// messages from the queue: every receive counts towards the dead letters.
    async fn work(self: Arc<Self>) {
        self.await_database().await;
        let mut failures = pauses(QUEUE_PAUSE);
        while !self.lifecycle.is_draining() {
            let received = tokio::select! {
                received = self.queue.receive(self.pace.visibility) => received,
                () = self.lifecycle.draining() => return,
            };
            match received {
                Ok(deliveries) => {
                    self.condition.queue(None);
                    failures = pauses(QUEUE_PAUSE);
                    if !deliveries.is_empty() {
                        let _work = self.lifecycle.work();
                        self.batch(&deliveries).await;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot receive events");
                    self.metrics.queue_failed();
                    self.condition.queue(Some(error.to_string()));
                    Patience::UntilDrain(self.lifecycle.clone()).pause(&mut failures).await;
                }
            }
        }
    }

    async fn await_database(&self) {
        let (mut patience, mut failures) = (Patience::UntilDrain(self.lifecycle.clone()), pauses(DATABASE_PAUSE));
        while let Err(error) = self.model.ready().await {
            tracing::warn!(%error, "waiting for the database");
            self.condition.database(Some(error.to_string()));
            if !patience.pause(&mut failures).await {
                return;
            }
        }
        self.condition.database(None);
    }

    async fn batch(&self, deliveries: &[Delivery]) {
        let started = Instant::now();
        let _running = self.metrics.running();
        let messages: Vec<&Message> = deliveries.iter().map(|delivery| &delivery.message).collect();
        let patience = Patience::UntilDrain(self.lifecycle.clone());
        let fates = tokio::select! {
            fates = process(&self.model, &messages, patience, &self.metrics, &self.condition) => fates,
            never = self.extend(deliveries) => match never {},
        };
        let with = |fate: Fate| -> Vec<&Delivery> {
            deliveries.iter().zip(&fates).filter(|(_, of)| **of == fate).map(|(delivery, _)| delivery).collect()
        };
        let (counted, left) = (with(Fate::Counted), with(Fate::Left));
        if !counted.is_empty() {
            self.note("delete counted events", self.queue.delete(&counted).await);
        }
        if !left.is_empty() {
            // Another consumer need not wait for them.
            self.note("return events to the queue", self.queue.keep(&left, Duration::ZERO).await);
        }
        self.metrics.batch(started.elapsed());
    }

    /// Keeps the messages of a batch from other consumers while it is polled.
    async fn extend(&self, deliveries: &[Delivery]) -> Infallible {
        let all: Vec<&Delivery> = deliveries.iter().collect();
        loop {
            tokio::time::sleep(self.pace.extension).await;
            self.note("keep events from other consumers", self.queue.keep(&all, self.pace.visibility).await);
        }
    }

    /// Logs a failure after which messages come again: they are then counted as duplicates.
    fn note(&self, purpose: &'static str, done: Result<usize, QueueError>) {
        match done {
            Ok(0) => {}
            Ok(messages) => {
                self.metrics.queue_failed();
                tracing::warn!(messages, "cannot {purpose}; they come again");
            }
            Err(error) => {
                self.metrics.queue_failed();
                tracing::warn!(%error, "cannot {purpose}; they come again");
            }
        }
    }
}
