use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Above this many, names that nobody waits for are forgotten.
const REMEMBERED: usize = 1_000;

/// Wakes the long polls of a queue when it may have a message for them.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    by_queue: Mutex<HashMap<Arc<str>, Arc<Notify>>>,
}

impl Wakes {
    /// The bell of a queue. Enable a wait on it before looking for messages, so that none slips through between.
    pub(crate) fn bell(&self, queue: &str) -> Arc<Notify> {
        let mut by_queue = self.by_queue.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = by_queue.get(queue) {
            return bell.clone();
        }
        if by_queue.len() >= REMEMBERED {
            by_queue.retain(|_, bell| Arc::strong_count(bell) > 1);
        }
        let bell = Arc::new(Notify::new());
        by_queue.insert(queue.into(), bell.clone());
        bell
    }

    pub(crate) fn ring(&self, queue: &str) {
        if let Some(bell) = self.by_queue.lock().unwrap_or_else(PoisonError::into_inner).get(queue) {
            bell.notify_waiters();
        }
    }
}
