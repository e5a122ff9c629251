use std::sync::{Arc, Mutex, PoisonError};

use order_service::HealthFailure;

/// What the consumer last saw of the database and of the queue.
#[derive(Debug, Clone, Default)]
pub struct Condition {
    database: Arc<Mutex<Option<String>>>,
    queue: Arc<Mutex<Option<String>>>,
}

impl Condition {
    pub(crate) fn database(&self, failure: Option<String>) {
        *self.database.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    pub(crate) fn queue(&self, failure: Option<String>) {
        *self.queue.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    /// Returns the failure that holds the consumer up, if any.
    pub fn check(&self) -> Result<(), HealthFailure> {
        for (dependency, failure) in [("database", &self.database), ("queue", &self.queue)] {
            if let Some(reason) = failure.lock().unwrap_or_else(PoisonError::into_inner).clone() {
                return Err(HealthFailure { dependency: dependency.to_owned(), reason });
            }
        }
        Ok(())
    }
}
