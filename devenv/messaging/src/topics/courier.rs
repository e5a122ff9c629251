//! Takes messages to HTTP endpoints. A message stays in the store until it is answered or given up, so that a killed emulator
//! delivers it after its next start.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::{Connection, params};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use super::fan_out;
use super::http::{self, Outcome};
use crate::front::error::ApiError;
use crate::queues::message::NewMessage;
use crate::store::transaction::Transaction;
use crate::store::writer::Store;

/// Requests under way at once.
const TOGETHER: usize = 16;
/// Those of one subscription: an endpoint that hangs must leave room for the others.
const EACH: usize = 4;
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

/// The subscriptions of the deliveries under way, by the deliveries' ids.
type UnderWay = BTreeMap<i64, String>;

/// Works until nothing is left.
async fn deliver(state: &State, store: &Store) {
    let (mut tasks, mut under_way) = (JoinSet::new(), UnderWay::new());
    loop {
        state.is_wanted.store(false, Ordering::SeqCst);
        let busy = under_way.clone();
        let Ok((due, next)) = store.run(move |transaction| take(transaction, &busy)).await else {
            state.is_wanted.store(true, Ordering::SeqCst);
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        for parcel in due {
            under_way.insert(parcel.id, parcel.subscription.clone());
            tasks.spawn(carry(store.clone(), parcel));
        }
        if tasks.is_empty() && next.is_none() {
            if state.is_wanted.load(Ordering::SeqCst) {
                continue;
            }
            return;
        }
        tokio::select! {
            Some(ended) = tasks.join_next() => {
                if let Ok(id) = ended {
                    under_way.remove(&id);
                }
            }
            () = tokio::time::sleep(next.unwrap_or_default()), if next.is_some() => {}
            () = state.news.notified() => {}
        }
    }
}

/// The deliveries that are due and have room beside those under way, and the time until the next one is due.
fn take(transaction: &mut Transaction<'_>, under_way: &UnderWay) -> Result<(Vec<Parcel>, Option<Duration>), ApiError> {
    let mut due = Vec::new();
    for subscription in subscriptions(transaction.connection)? {
        let busy = under_way.values().filter(|other| **other == subscription).count();
        let first = first_of(transaction, &subscription)?.into_iter();
        due.extend(first.filter(|parcel| !under_way.contains_key(&parcel.id)).take(EACH.saturating_sub(busy)));
    }
    due.sort_by_key(|parcel| parcel.id);
    due.truncate(TOGETHER.saturating_sub(under_way.len()));
    let mut statement = transaction.connection.prepare_cached("SELECT min(due) FROM deliveries WHERE due > ?1")?;
    let next: Option<i64> = statement.query_row([transaction.now], |row| row.get(0))?;
    let wait = next.map(|due| Duration::from_millis(u64::try_from(due - transaction.now).unwrap_or_default()));
    Ok((due, wait))
}

/// The subscriptions with deliveries, by one step in the index for each.
fn subscriptions(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare_cached(
        "WITH RECURSIVE found (name) AS (
             SELECT min(subscription) FROM deliveries
             UNION ALL
             SELECT (SELECT min(subscription) FROM deliveries WHERE subscription > name) FROM found WHERE name IS NOT NULL
         ) SELECT name FROM found WHERE name IS NOT NULL",
    )?;
    let found = statement.query_map([], |row| row.get(0))?;
    found.collect()
}

/// The first deliveries of a subscription that are due.
fn first_of(transaction: &Transaction<'_>, subscription: &str) -> rusqlite::Result<Vec<Parcel>> {
    let query = "SELECT id, subscription, topic, endpoint, kind, message_id, is_raw, body, dead_letters, attempts \
                 FROM deliveries WHERE subscription = ?1 AND due <= ?2 ORDER BY due, id LIMIT ?3";
    let mut statement = transaction.connection.prepare_cached(query)?;
    let found = statement.query_map(params![subscription, transaction.now, EACH], |row| {
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
    found.collect()
}

/// Makes one delivery, and returns its id.
async fn carry(store: Store, parcel: Parcel) -> i64 {
    let id = parcel.id;
    let outcome = http::post(&parcel).await;
    // After an error of the store the parcel stays due, and goes out again.
    if store.run(move |transaction| settle(transaction, parcel, outcome)).await.is_err() {
        tokio::time::sleep(PAUSE).await;
    }
    id
}

/// Removes what was answered or is given up; keeps the rest for another attempt. The id alone may be that of a later row by now.
fn settle(transaction: &mut Transaction<'_>, parcel: Parcel, outcome: Outcome) -> Result<(), ApiError> {
    let wait = RETRIES.get(parcel.attempts as usize).filter(|_| outcome == Outcome::Passing);
    if let Some(wait) = wait {
        let update = "UPDATE deliveries SET attempts = attempts + 1, due = ?4 \
                      WHERE id = ?1 AND message_id = ?2 AND subscription = ?3";
        let values = params![parcel.id, parcel.message_id, parcel.subscription, transaction.now + wait];
        transaction.connection.prepare_cached(update)?.execute(values)?;
        return Ok(());
    }
    let delete = "DELETE FROM deliveries WHERE id = ?1 AND message_id = ?2 AND subscription = ?3";
    let values = params![parcel.id, parcel.message_id, parcel.subscription];
    let removed = transaction.connection.prepare_cached(delete)?.execute(values)?;
    match parcel.dead_letters {
        // Nothing was removed if the subscription has ended meanwhile.
        Some(queue) if outcome != Outcome::Taken && removed > 0 => {
            let message = NewMessage { body: parcel.body, ..NewMessage::default() };
            fan_out::to_queue(transaction, &queue, None, &message)
        }
        _ => Ok(()),
    }
}
