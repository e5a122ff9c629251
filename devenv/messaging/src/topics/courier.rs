//! Takes messages to HTTP endpoints. A message stays in the store until it is answered or given up, so that a killed emulator
//! delivers it after its next start.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::{Connection, params};
use tokio::sync::{Notify, watch};

use super::fan_out;
use super::http::{self, Outcome};
use crate::front::error::ApiError;
use crate::queues::message::NewMessage;
use crate::store::transaction::Transaction;
use crate::store::writer::Store;

/// Requests under way at once.
const TOGETHER: usize = 16;
/// Milliseconds before each retry; SNS waits 20 s before each of three.
const RETRIES: [i64; 3] = [1_000, 5_000, 20_000];
/// After an error of the store.
const PAUSE: Duration = Duration::from_secs(1);

/// One for all clones of a store's handle. It works from the first delivery to the last, and again from the next.
#[derive(Debug, Default, Clone)]
pub(crate) struct Courier {
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The file may have deliveries.
    is_wanted: AtomicBool,
    is_working: AtomicBool,
    news: Notify,
}

/// A row of `deliveries`.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    id: i64,
    pub(super) subscription: String,
    pub(super) topic: String,
    pub(super) endpoint: String,
    pub(super) kind: String,
    pub(super) message_id: String,
    pub(super) is_raw: bool,
    pub(super) body: String,
    dead_letters: Option<String>,
    attempts: u32,
}

impl Courier {
    /// Notes that a call may have left deliveries.
    pub(crate) fn tell(&self) {
        self.state.is_wanted.store(true, Ordering::SeqCst);
        self.state.news.notify_one();
    }

    /// Starts the work if there may be some and nobody does it. It ends when `draining` turns true.
    pub(crate) fn work(&self, store: &Store, draining: watch::Receiver<bool>) {
        if !self.state.is_wanted.load(Ordering::SeqCst) || self.state.is_working.swap(true, Ordering::SeqCst) {
            return;
        }
        let (state, store, mut draining) = (self.state.clone(), store.clone(), draining);
        tokio::spawn(async move {
            loop {
                let is_draining = tokio::select! {
                    () = deliver(&state, &store) => false,
                    _ = draining.wait_for(|is_draining| *is_draining) => true,
                };
                state.is_working.store(false, Ordering::SeqCst);
                // News that came before the line above found this task at work, and relies on it.
                let is_wanted = state.is_wanted.load(Ordering::SeqCst) && !is_draining;
                if !is_wanted || state.is_working.swap(true, Ordering::SeqCst) {
                    return;
                }
            }
        });
    }
}

/// Whether there are deliveries that are not answered yet.
pub(crate) fn is_left(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM deliveries)", [], |row| row.get(0))
}

/// Works until nothing is left.
async fn deliver(state: &State, store: &Store) {
    loop {
        state.is_wanted.store(false, Ordering::SeqCst);
        let Ok((due, next)) = store.run(take).await else {
            state.is_wanted.store(true, Ordering::SeqCst);
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        if !due.is_empty() {
            all(store, due).await;
            continue;
        }
        let Some(wait) = next else {
            if state.is_wanted.load(Ordering::SeqCst) {
                continue;
            }
            return;
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = state.news.notified() => {}
        }
    }
}

/// The deliveries that are due, or the time until the next one.
fn take(transaction: &mut Transaction<'_>) -> Result<(Vec<Parcel>, Option<Duration>), ApiError> {
    let query = "SELECT id, subscription, topic, endpoint, kind, message_id, is_raw, body, dead_letters, attempts \
                 FROM deliveries WHERE due <= ?1 ORDER BY due, id";
    let mut statement = transaction.connection.prepare_cached(query)?;
    let found = statement.query_map([transaction.now], |row| {
        Ok(Parcel {
            id: row.get(0)?,
            subscription: row.get(1)?,
            topic: row.get(2)?,
            endpoint: row.get(3)?,
            kind: row.get(4)?,
            message_id: row.get(5)?,
            is_raw: row.get(6)?,
            body: row.get(7)?,
            dead_letters: row.get(8)?,
            attempts: row.get(9)?,
        })
    })?;
    let due: Vec<Parcel> = found.take(TOGETHER).collect::<Result<_, _>>()?;
    let mut statement = transaction.connection.prepare_cached("SELECT min(due) FROM deliveries")?;
    let next: Option<i64> = statement.query_row([], |row| row.get(0))?;
    let wait = next.map(|due| Duration::from_millis(u64::try_from(due - transaction.now).unwrap_or_default()));
    Ok((due, wait))
}

async fn all(store: &Store, due: Vec<Parcel>) {
    let mut under_way = tokio::task::JoinSet::new();
    for parcel in due {
        let store = store.clone();
        under_way.spawn(async move {
            let outcome = http::post(&parcel).await;
            // After an error of the store the parcel stays due, and goes out again.
            if store.run(move |transaction| settle(transaction, parcel, outcome)).await.is_err() {
                tokio::time::sleep(PAUSE).await;
            }
        });
    }
    while under_way.join_next().await.is_some() {}
}

/// Removes what was answered or is given up; keeps the rest for another attempt.
fn settle(transaction: &mut Transaction<'_>, parcel: Parcel, outcome: Outcome) -> Result<(), ApiError> {
    let wait = RETRIES.get(parcel.attempts as usize).filter(|_| outcome == Outcome::Passing);
    if let Some(wait) = wait {
        let update = "UPDATE deliveries SET attempts = attempts + 1, due = ?2 WHERE id = ?1";
        transaction.connection.prepare_cached(update)?.execute(params![parcel.id, transaction.now + wait])?;
        return Ok(());
    }
    let removed =
        transaction.connection.prepare_cached("DELETE FROM deliveries WHERE id = ?1")?.execute([parcel.id])?;
    match parcel.dead_letters {
        // Nothing was removed if the subscription has ended meanwhile.
        Some(queue) if outcome != Outcome::Taken && removed > 0 => {
            let message = NewMessage { body: parcel.body, ..NewMessage::default() };
            fan_out::to_queue(transaction, &queue, None, &message)
        }
        _ => Ok(()),
    }
}
