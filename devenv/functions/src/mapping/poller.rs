//! The work of a mapping of a queue: receive, filter, invoke, delete what did not fail.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::batch::{Message, event};
use super::filter::of_message;
use super::queue::{BATCH, Queue};
use super::settings::MappingSettings;
use super::state::MappingState;
use super::verdict::{Verdict, verdict};
use crate::function::Function;
use crate::invocation::{Invocation, PAYLOAD_LIMIT};

/// The longest wait that SQS allows for one request.
const LONG_POLL: Duration = Duration::from_secs(20);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The attempts to delete what was handled. Afterwards the messages come again.
const DELETES: u32 = 5;
/// The interval between two requests without a wait, while a batch's window is open for less than a second.
const LAST_LOOKS: Duration = Duration::from_millis(100);
/// Bytes of an event's records; a batch that reaches it is full.
const FULL: usize = PAYLOAD_LIMIT - 1024;

#[derive(Debug)]
pub(crate) struct QueuePoller {
    pub(crate) settings: MappingSettings,
    pub(crate) function: Arc<Function>,
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) queue_arn: String,
    pub(crate) region: String,
    pub(crate) state: Arc<MappingState>,
}

impl QueuePoller {
    /// As many workers as batches may be under way: more would hold messages that no unit can take.
    pub(crate) fn workers(&self) -> usize {
        let units = self.function.settings.units.len();
        self.settings.concurrency.map_or(units, |limit| limit.min(units))
    }

    /// Handles one batch after the other until `stop` turns true.
    pub(crate) async fn work(&self, mut stop: watch::Receiver<bool>) {
        let mut pause = FIRST_PAUSE;
        loop {
            // Outside of the future that `stop` drops.
            let mut messages = Vec::new();
            let gathered = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => None,
                // Messages received before a unit is there would wait invisibly.
                gathered = async { self.function.available().await; self.gather(&mut messages).await } => Some(gathered),
            };
            match gathered {
                // Without this, they would stay invisible until the queue's visibility timeout.
                None => return self.release(&receipts(messages.iter())).await,
                Some(Ok(())) => {
                    pause = FIRST_PAUSE;
                    self.handle(messages).await;
                }
                Some(Err(cause)) => {
                    self.problem(&format!("cannot receive: {cause}"));
                    tokio::select! {
                        _ = stop.wait_for(|stop| *stop) => return,
                        () = tokio::time::sleep(pause) => {}
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Adds the messages of one batch: until there are enough, or the window after the first has passed.
    async fn gather(&self, messages: &mut Vec<Message>) -> Result<(), String> {
        let size = self.settings.batch_size;
        messages.extend(self.receive(size, LONG_POLL).await?);
        let end = Instant::now() + self.settings.window;
        let mut bytes: usize = messages.iter().map(Message::size).sum();
        while !messages.is_empty() && messages.len() < size && bytes < FULL && Instant::now() < end {
            let left = end - Instant::now();
            // After an error, what is here already is handled.
            let Ok(more) = self.receive(size - messages.len(), left).await else { break };
            if more.is_empty() && left < Duration::from_secs(1) {
                tokio::time::sleep(left.min(LAST_LOOKS)).await;
            }
            bytes += more.iter().map(Message::size).sum::<usize>();
            messages.extend(more);
        }
        Ok(())
    }

    async fn receive(&self, count: usize, wait: Duration) -> Result<Vec<Message>, String> {
        let received = self.queue.receive(count.min(BATCH), wait).await?;
        Ok(received.iter().filter_map(|message| Message::of(message, &self.queue_arn, &self.region)).collect())
    }

    async fn handle(&self, messages: Vec<Message>) {
        let accepts = |message: &Message| self.settings.filters.accept(&of_message(&message.record));
        let (accepted, other): (Vec<_>, Vec<_>) = messages.into_iter().partition(accepts);
        self.delete(&receipts(other.iter())).await;
        for batch in events(&accepted) {
            self.invoke(batch).await;
        }
    }

    async fn invoke(&self, messages: &[Message]) {
        let ids: Vec<&str> = messages.iter().map(|message| message.id.as_str()).collect();
        let invocation = Invocation::new(event(messages).to_string().into());
        let outcome = self.function.invoke(invocation).await.outcome;
        let failed = match verdict(&outcome, self.settings.reports_failures, &ids) {
            Verdict::AllBut(failed) => failed,
            // They come again after the queue's visibility timeout, as in AWS, and end in its dead-letter queue.
            Verdict::None => return self.problem("the function failed"),
            Verdict::Unseen => {
                self.problem("no unit took the batch");
                return self.release(&receipts(messages.iter())).await;
            }
        };
        self.delete(&receipts(messages.iter().filter(|message| !failed.contains(&message.id)))).await;
        if failed.is_empty() {
            self.state.note("OK");
        } else {
            self.problem(&format!("the function could not handle {} of {} messages", failed.len(), messages.len()));
        }
    }

    async fn delete(&self, receipts: &[String]) {
        for some in receipts.chunks(BATCH) {
            let mut pause = FIRST_PAUSE;
            for attempt in 1..=DELETES {
                match self.queue.delete(some).await {
                    Ok(()) => break,
                    Err(cause) if attempt == DELETES => {
                        self.problem(&format!("cannot delete handled messages: {cause}"));
                    }
                    Err(_) => tokio::time::sleep(pause).await,
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }

    async fn release(&self, receipts: &[String]) {
        for some in receipts.chunks(BATCH) {
            // They become visible by themselves later.
            let _ = self.queue.release(some).await;
        }
    }

    fn problem(&self, text: &str) {
        self.state.problem(text);
    }
}

fn receipts<'m>(messages: impl Iterator<Item = &'m Message>) -> Vec<String> {
    messages.map(|message| message.receipt.clone()).collect()
}

/// Parts a batch so that each event is within Lambda's limit.
fn events(messages: &[Message]) -> Vec<&[Message]> {
    let mut parts = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (index, message) in messages.iter().enumerate() {
        let size = message.size() + 1;
        if bytes + size > FULL && index > start {
            parts.push(&messages[start..index]);
            (start, bytes) = (index, 0);
        }
        bytes += size;
    }
    if start < messages.len() {
        parts.push(&messages[start..]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_stays_within_the_limit() {
        let message = |bytes: usize| {
            let received = json!({ "MessageId": "m", "ReceiptHandle": "r", "Body": "x".repeat(bytes) });
            Message::of(&received, "arn", "region").expect("complete")
        };
        let megabyte = 1024 * 1024;
        let messages: Vec<Message> = (0..10).map(|_| message(megabyte)).collect();
        let sizes: Vec<usize> = events(&messages).iter().map(|part| part.len()).collect();
        assert_eq!(sizes, [5, 5]);
        assert!(events(&[]).is_empty());
        assert_eq!(events(&[message(1)]).len(), 1);
    }
}
