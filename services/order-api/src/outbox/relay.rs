use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use order_domain::OrderId;
use order_service::topic::{Message, Topic, TopicCause, TopicError};

use super::{
    event::Unpublished,
    metrics::{EventMetrics, Outcome},
    table::MOST_REMOVED,
};
use crate::store::Store;

/// Publishes events, and removes the marks of published ones.
#[derive(Clone)]
pub(crate) struct Relay {
    topic: Topic,
    pub(super) store: Store,
    pub(super) metrics: EventMetrics,
    /// Whether the topic took events at the last attempt: every later failure is no news.
    answers: Arc<AtomicBool>,
}

/// The outcome of a batch.
#[derive(Debug)]
pub(super) struct Published {
    /// One a message: whether the topic has it.
    pub(super) taken: Vec<bool>,
    /// Whether the topic takes events at all.
    pub(super) topic_answers: bool,
}

impl Relay {
    pub(crate) fn new(topic: Topic, store: Store, metrics: EventMetrics) -> Self {
        Self { topic, store, metrics, answers: Arc::new(AtomicBool::new(true)) }
    }

    /// Publishes one batch.
    pub(super) async fn publish(&self, events: &[&Unpublished]) -> Published {
        let messages: Vec<&Message> = events.iter().map(|event| &event.message).collect();
        let published = match self.topic.publish(&messages).await {
            Ok(outcomes) => self.each(events, &outcomes),
            // One message may be at fault for the refusal of all: it must not hold up the others.
            Err(TopicError { cause: TopicCause::Messages(_), .. }) if events.len() > 1 => self.one_by_one(events).await,
            Err(error) => self.refused(events, &error),
        };
        let taken = published.taken.iter().filter(|taken| **taken).count();
        self.metrics.count(Outcome::Published, taken);
        self.metrics.count(Outcome::Failed, events.len() - taken);
        published
    }

    async fn one_by_one(&self, events: &[&Unpublished]) -> Published {
        let mut all = Published { taken: vec![false; events.len()], topic_answers: true };
        for (event, taken) in events.iter().zip(&mut all.taken) {
            match self.topic.publish(&[&event.message]).await {
                Ok(outcomes) => *taken = self.each(&[event], &outcomes).taken[0],
                Err(error) => {
                    all.topic_answers = self.refused(&[event], &error).topic_answers;
                    if !all.topic_answers {
                        break;
                    }
                }
            }
        }
        all
    }

    fn each(&self, events: &[&Unpublished], outcomes: &[Result<(), String>]) -> Published {
        if !self.answers.swap(true, Ordering::Relaxed) {
            tracing::info!("events are published again");
        }
        for (event, outcome) in events.iter().zip(outcomes) {
            if let Err(reason) = outcome {
                tracing::warn!(order_id = %event.order_id, reason, "the topic did not take an event");
            }
        }
        Published { taken: outcomes.iter().map(Result::is_ok).collect(), topic_answers: true }
    }

    fn refused(&self, events: &[&Unpublished], error: &TopicError) -> Published {
        let topic_answers = matches!(error.cause, TopicCause::Messages(_));
        if topic_answers {
            let order_id = events.first().map(|event| event.order_id.to_string());
            tracing::error!(order_id, %error, "the topic refuses an event");
        } else if self.answers.swap(false, Ordering::Relaxed) {
            tracing::warn!(%error, "events are not published; the sweeper repeats them. See docs/runbooks/unpublished.md");
        }
        Published { taken: vec![false; events.len()], topic_answers }
    }

    /// Removes the marks of published events. An event whose mark stays is published again.
    pub(super) async fn remove(&self, orders: &[OrderId]) {
        for orders in orders.chunks(MOST_REMOVED) {
            if let Err(error) = self.store.remove_marks(orders).await {
                tracing::warn!(%error, orders = orders.len(), "published events keep their marks and are published again");
            }
        }
    }
}
