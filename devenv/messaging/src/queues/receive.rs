//! Receiving, with long polls that wait for a notice and never ask the store in vain.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::params;
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::queue::Queue;
use super::receipt::Receipt;
use super::received::{COLUMNS, Stored, Wanted};
use super::{attempts, deduplication, errors, name};
use crate::front::call::Call;
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;
use crate::store::writer::Store;

const MOST: i64 = 10;
const LONGEST_WAIT: i64 = 20;
/// Seconds.
const LONGEST_VISIBILITY: i64 = 43_200;
/// AWS's limit of messages in flight, in standard and in FIFO queues.
const MOST_IN_FLIGHT: usize = 120_000;

/// The checked parameters of a receive.
struct Request {
    url: String,
    most: usize,
    /// Milliseconds; `None` for the queue's own.
    visibility: Option<i64>,
    /// Milliseconds; `None` for the queue's own.
    wait: Option<i64>,
    attempt: Option<String>,
    wanted: Wanted,
}

/// The outcome of one look into the queue.
struct Look {
    messages: Vec<Value>,
    /// Milliseconds that the queue waits by itself.
    wait: i64,
    /// Milliseconds until the next message becomes visible, if one will.
    next: Option<i64>,
}

pub(crate) async fn run(
    store: &Store,
    call: &Arc<Call>,
    mut draining: watch::Receiver<bool>,
) -> Result<Value, ApiError> {
    let request = Arc::new(Request::read(call)?);
    let bell = store.wakes.bell(name::of_url(&request.url)?);
    let began = Instant::now();
    loop {
        // Enabled before the look: a message that is sent between the look and the wait rings too.
        let rung = bell.notified();
        tokio::pin!(rung);
        rung.as_mut().enable();
        let asked = request.clone();
        let look = store.run(move |transaction| look(transaction, &asked)).await?;
        let wait = milliseconds(request.wait.unwrap_or(look.wait));
        let left = wait.saturating_sub(began.elapsed());
        if !look.messages.is_empty() || left.is_zero() || *draining.borrow() {
            return Ok(answer(&look.messages));
        }
        let pause = look.next.map_or(left, |next| milliseconds(next).min(left));
        tokio::select! {
            () = rung => {}
            () = tokio::time::sleep(pause) => {}
            _ = draining.wait_for(|draining| *draining) => {}
        }
    }
}

fn milliseconds(count: i64) -> Duration {
    Duration::from_millis(u64::try_from(count).unwrap_or_default())
}

fn answer(messages: &[Value]) -> Value {
    if messages.is_empty() { Value::Object(Map::new()) } else { json!({ "Messages": messages }) }
}

impl Request {
    fn read(call: &Call) -> Result<Self, ApiError> {
        let within = |name: &str, least: i64, most: i64, reason: &str| match call.integer(name) {
            Some(value) if !(least..=most).contains(&value) => Err(ApiError::invalid_value(name, value, reason)),
            value => Ok(value),
        };
        let most = within("MaxNumberOfMessages", 1, MOST, "Must be between 1 and 10, if provided.")?;
        let reason = "Must be >= 0 and <= 43200, if provided.";
        let visibility = within("VisibilityTimeout", 0, LONGEST_VISIBILITY, reason)?;
        let wait = within("WaitTimeSeconds", 0, LONGEST_WAIT, "Must be >= 0 and <= 20, if provided.")?;
        let attempt = call.text("ReceiveRequestAttemptId").map(str::to_owned);
        if let Some(id) = attempt.as_deref().filter(|id| !deduplication::is_id(id)) {
            let reason = "It can only include alphanumeric and punctuation characters. 1 to 128 in length.";
            return Err(ApiError::invalid_value("ReceiveRequestAttemptId", id, reason));
        }
        Ok(Self {
            url: call.text("QueueUrl").unwrap_or_default().to_owned(),
            most: usize::try_from(most.unwrap_or(1)).unwrap_or(1),
            visibility: visibility.map(|seconds| seconds * 1_000),
            wait: wait.map(|seconds| seconds * 1_000),
            attempt,
            wanted: Wanted::of(call)?,
        })
    }
}

fn look(transaction: &mut Transaction<'_>, request: &Request) -> Result<Look, ApiError> {
    let queue = transaction.queue_at(&request.url)?;
    let visibility = request.visibility.unwrap_or(queue.settings.visibility_timeout);
    if let Some(id) = request.attempt.as_deref().filter(|_| !queue.settings.is_fifo) {
        return Err(errors::not_for_this_queue("ReceiveRequestAttemptId", id));
    }
    let received = match &request.attempt {
        Some(attempt) => attempts::receive(transaction, &queue, attempt, request.most, visibility)?,
        None => receive(transaction, &queue, request.most, visibility)?,
    };
    let next = if received.is_empty() { next_visible(transaction, &queue)? } else { None };
    let render = |stored: &Stored| request.wanted.render(stored, &receipt(&queue, stored).encode());
    Ok(Look { messages: received.iter().map(render).collect(), wait: queue.settings.receive_wait, next })
}

pub(crate) fn receipt(queue: &Queue, stored: &Stored) -> Receipt {
    let message_id = stored.message_id.clone();
    Receipt { queue: queue.id, row: stored.row, receives: stored.receives, message_id }
}

/// Takes up to `most` messages out of sight for `visibility` milliseconds.
pub(crate) fn receive(
    transaction: &mut Transaction<'_>,
    queue: &Queue,
    most: usize,
    visibility: i64,
) -> Result<Vec<Stored>, ApiError> {
    let most = most.min(transaction.in_flight_budget(queue)?);
    if most == 0 {
        // As AWS: a FIFO queue at its limit only has no message to give.
        return if queue.settings.is_fifo { Ok(Vec::new()) } else { Err(errors::over_limit(MOST_IN_FLIGHT)) };
    }
    let mut received = Vec::new();
    loop {
        let candidates = if queue.settings.is_fifo {
            of_groups(transaction, queue, most)?
        } else {
            visible(transaction, queue, most - received.len())?
        };
        let count = candidates.len();
        let before = received.len();
        for mut stored in candidates {
            if transaction.discard(queue, &stored)? {
                continue;
            }
            transaction.take(&mut stored, visibility)?;
            received.push(stored);
        }
        transaction.spend_budget(queue, received.len() - before);
        // Look again only where all that was found was expired or a dead letter.
        if count == 0 || received.len() == most || received.len() > before {
            return Ok(received);
        }
    }
}

fn visible(transaction: &Transaction<'_>, queue: &Queue, most: usize) -> Result<Vec<Stored>, ApiError> {
    let mut statement = transaction.connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM messages WHERE queue = ?1 AND visible_at <= ?2 ORDER BY visible_at LIMIT ?3"
    ))?;
    let found = statement.query_map(params![queue.id, transaction.now, most], Stored::read)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// The first messages of the groups that have none in flight, all of one group before those of the next.
fn of_groups(transaction: &Transaction<'_>, queue: &Queue, most: usize) -> Result<Vec<Stored>, ApiError> {
    let mut groups = transaction.connection.prepare_cached(
        "SELECT name FROM message_groups WHERE queue = ?1 AND available_at <= ?2 ORDER BY head LIMIT ?3",
    )?;
    let groups = groups.query_map(params![queue.id, transaction.now, most], |row| row.get::<_, String>(0))?;
    let mut statement = transaction.connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM messages WHERE queue = ?1 AND group_id = ?2 AND sequence IS NOT NULL ORDER BY id LIMIT ?3"
    ))?;
    let mut found = Vec::new();
    for group in groups {
        let first = statement.query_map(params![queue.id, group?, most - found.len()], Stored::read)?;
        for stored in first {
            let stored = stored?;
            // What follows a delayed message waits for it.
            if stored.visible_at > transaction.now {
                break;
            }
            found.push(stored);
        }
        if found.len() == most {
            break;
        }
    }
    Ok(found)
}

fn next_visible(transaction: &Transaction<'_>, queue: &Queue) -> Result<Option<i64>, ApiError> {
    let statement = if queue.settings.is_fifo {
        "SELECT MIN(available_at) FROM message_groups WHERE queue = ?1 AND available_at > ?2"
    } else {
        "SELECT MIN(visible_at) FROM messages WHERE queue = ?1 AND visible_at > ?2"
    };
    let mut statement = transaction.connection.prepare_cached(statement)?;
    let at: Option<i64> = statement.query_row(params![queue.id, transaction.now], |row| row.get(0))?;
    Ok(at.map(|at| at - transaction.now))
}

impl Transaction<'_> {
    /// Marks a message as received.
    fn take(&mut self, stored: &mut Stored, visibility: i64) -> Result<(), ApiError> {
        stored.receives += 1;
        stored.visible_at = self.now + visibility;
        stored.first_received = stored.first_received.or(Some(self.now));
        self.connection
            .prepare_cached(
                "UPDATE messages SET visible_at = ?2, is_received = 1, receives = ?3, first_received = ?4,
                 last_received = ?5 WHERE id = ?1",
            )?
            .execute(params![stored.row, stored.visible_at, stored.receives, stored.first_received, self.now])?;
        self.refresh_group_of(stored)
    }

    /// How many more messages can surely be received. Counting is slow where many are in flight, so the count is
    /// taken again only when the last one is used up.
    fn in_flight_budget(&mut self, queue: &Queue) -> Result<usize, ApiError> {
        if let Some(budget) = self.cache.budgets.get(&queue.id).filter(|budget| **budget > 0) {
            return Ok(*budget);
        }
        let mut statement = self
            .connection
            .prepare_cached("SELECT COUNT(*) FROM messages WHERE queue = ?1 AND visible_at > ?2 AND is_received = 1")?;
        let in_flight: usize = statement.query_row(params![queue.id, self.now], |row| row.get(0))?;
        let budget = MOST_IN_FLIGHT.saturating_sub(in_flight);
        self.cache.budgets.insert(queue.id, budget);
        Ok(budget)
    }

    fn spend_budget(&mut self, queue: &Queue, count: usize) {
        if let Some(budget) = self.cache.budgets.get_mut(&queue.id) {
            *budget = budget.saturating_sub(count);
        }
    }
}
