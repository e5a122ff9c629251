use std::time::Duration;

use super::process::Message;

/// The largest number of messages of one call.
pub(crate) const MOST_MESSAGES: i32 = 10;

/// A message that this program has for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub message: Message,
    /// Names this delivery of the message to the queue.
    pub handle: String,
}

/// The reason for which the queue did not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation} of {queue}: {cause}")]
pub struct QueueError {
    pub operation: &'static str,
    pub queue: String,
    pub cause: String,
}

/// A queue of events.
pub trait Queue: Send + Sync + 'static {
    /// Waits for messages, and takes them for `visibility`: at most ten, or none after a while.
    fn receive(&self, visibility: Duration) -> impl Future<Output = Result<Vec<Delivery>, QueueError>> + Send;

    /// Deletes messages. Returns the number of those that the queue keeps.
    fn delete(&self, deliveries: &[&Delivery]) -> impl Future<Output = Result<usize, QueueError>> + Send;

    /// Keeps messages from others for `visibility` from now on. Returns the number of those for which that is impossible.
    fn keep(
        &self,
        deliveries: &[&Delivery],
        visibility: Duration,
    ) -> impl Future<Output = Result<usize, QueueError>> + Send;
}
