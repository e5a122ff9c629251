use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use order_service::HealthFailure;
use tokio::time::Instant;

/// The time for which a failed call of the queue counts: longer than the pause before the next one. A call that waits for messages
/// tells nothing for 20 seconds.
const QUEUE_FAILURE: Duration = Duration::from_secs(3);

/// What the consumer last saw of the database and of the queue.
#[derive(Debug, Clone, Default)]
pub struct Condition {
    database: Arc<Mutex<Option<String>>>,
    queue: Arc<Mutex<Option<(Instant, String)>>>,
}

impl Condition {
    pub(crate) fn database(&self, failure: Option<String>) {
        *self.database.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    pub(crate) fn queue(&self, failure: Option<String>) {
        *self.queue.lock().unwrap_or_else(PoisonError::into_inner) = failure.map(|reason| (Instant::now(), reason));
    }

    /// Returns the failure that holds the consumer up, if any.
    pub fn check(&self) -> Result<(), HealthFailure> {
        let failed = |dependency: &str, reason: &str| {
            Err(HealthFailure { dependency: dependency.to_owned(), reason: reason.to_owned() })
        };
        if let Some(reason) = &*self.database.lock().unwrap_or_else(PoisonError::into_inner) {
            return failed("database", reason);
        }
        match &*self.queue.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((at, reason)) if at.elapsed() < QUEUE_FAILURE => failed("queue", reason),
            _ => Ok(()),
        }
    }
}
