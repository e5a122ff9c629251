use order_service::topic::{MOST_MESSAGES, Message, Topic};

use crate::{
    batch::{Answer, Batch},
    crossing::crossing,
    event::message,
    record::Record,
};

/// Handles the batches of one function.
#[derive(Debug, Clone)]
pub struct Handler {
    topic: Topic,
    threshold: u64,
}

/// A message and the record that it is for.
struct Crossed {
    sequence_number: String,
    message: Message,
}

impl Handler {
    pub fn new(topic: Topic, threshold: u64) -> Self {
        Self { topic, threshold }
    }

    /// Publishes an event for each crossing, in the order of the records. Ends at the first message that the topic does not take.
    pub async fn handle(&self, batch: Batch) -> Answer {
        let crossed: Vec<Crossed> = batch.records.iter().filter_map(|record| self.crossed(record)).collect();
        for some in crossed.chunks(MOST_MESSAGES) {
            if let Some((first, reason)) = self.publish(some).await {
                tracing::warn!(
                    sequence_number = first,
                    reason,
                    "an event is not published; the batch comes again from this record on"
                );
                return Answer::failed_at(first);
            }
        }
        tracing::info!(records = batch.records.len(), published = crossed.len(), "a batch is done");
        Answer::done()
    }

    /// A record that cannot be read holds up no other: it would fail again and again until the stream loses it.
    fn crossed(&self, record: &Record) -> Option<Crossed> {
        let change = &record.dynamodb;
        let sequence_number = change.sequence_number.clone();
        let found = crossing(change, self.threshold)
            .inspect_err(|error| tracing::error!(sequence_number, %error, "a record is skipped"))
            .ok()??;
        let message = message(&found, change)
            .inspect_err(|error| tracing::error!(sequence_number, %error, "an event has no JSON form"))
            .ok()?;
        Some(Crossed { sequence_number, message })
    }

    /// Returns the sequence number of the first message that the topic may not have, and why.
    async fn publish<'a>(&self, some: &'a [Crossed]) -> Option<(&'a str, String)> {
        let messages: Vec<&Message> = some.iter().map(|crossed| &crossed.message).collect();
        match self.topic.publish(&messages).await {
            Err(error) => Some((&some[0].sequence_number, error.to_string())),
            Ok(outcomes) => some.iter().zip(outcomes).find_map(|(crossed, outcome)| {
                let reason = outcome.err()?;
                Some((crossed.sequence_number.as_str(), reason))
            }),
        }
    }
}
