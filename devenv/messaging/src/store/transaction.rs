use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use rusqlite::Connection;

use crate::queues::queue::Queue;

/// Odd, so that its multiples repeat only after all numbers; the digits of the golden ratio keep them apart. With the six bits
/// that a UUID fixes, two can be equal only after 2^47 messages.
const ID_STEP: u128 = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835;

/// Queues and figures that the writer keeps between transactions; the store's one connection changes them, so they are current.
#[derive(Default)]
pub(crate) struct Cache {
    pub(crate) queues: HashMap<Arc<str>, Arc<Queue>>,
    /// By the queue's id: how many messages can surely still be received before the limit of messages in flight.
    pub(crate) budgets: HashMap<i64, usize>,
    /// The last sequence number given to a message of a FIFO queue; `None` until the first is given.
    pub(crate) last_sequence: Option<i64>,
    /// Whether a task that moves messages may be running.
    pub(crate) is_moving: bool,
    /// The last id given to a message, as a number.
    pub(crate) last_id: u128,
    /// When to search for expired messages again, in milliseconds since 1970.
    pub(crate) expiry_due: i64,
    /// The last row that the search for expired messages has seen.
    pub(crate) swept: i64,
}

/// One call's part of a transaction. Its changes are kept if the call returns `Ok`, and undone together if it returns an error.
pub(crate) struct Transaction<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) cache: &'a mut Cache,
    /// Milliseconds since 1970.
    pub(crate) now: i64,
    woken: &'a mut BTreeSet<Arc<str>>,
}

impl<'a> Transaction<'a> {
    pub(crate) fn new(
        connection: &'a Connection,
        cache: &'a mut Cache,
        now: i64,
        woken: &'a mut BTreeSet<Arc<str>>,
    ) -> Self {
        Self { connection, cache, now, woken }
    }

    /// An id for a message: one random number for each start, then steps that never meet. A random number for each message would
    /// be a call of the system for each.
    pub(crate) fn next_message_id(&mut self) -> String {
        if self.cache.last_id == 0 {
            self.cache.last_id = uuid::Uuid::new_v4().as_u128();
        }
        self.cache.last_id = self.cache.last_id.wrapping_add(ID_STEP);
        uuid::Builder::from_random_bytes(self.cache.last_id.to_be_bytes()).into_uuid().to_string()
    }

    /// Wakes the long polls of a queue after the commit.
    pub(crate) fn wake(&mut self, queue: &Arc<str>) {
        if !self.woken.contains(queue) {
            self.woken.insert(queue.clone());
        }
    }
}
