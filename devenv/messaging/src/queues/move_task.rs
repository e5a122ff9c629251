use rusqlite::{OptionalExtension, Row, params};
use serde_json::{Value, json};

use super::name;
use super::queue::Queue;
use super::received::{COLUMNS, Stored};
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

/// Messages that one step moves.
const AT_ONCE: i64 = 100;

/// A task that moves the messages of a dead-letter queue. Each step is a transaction, so a task goes on after a crash.
#[derive(Debug, Clone)]
pub(crate) struct MoveTask {
    pub(crate) id: i64,
    /// ARNs.
    pub(crate) source: String,
    pub(crate) destination: Option<String>,
    pub(crate) per_second: Option<i64>,
    pub(crate) status: String,
    pub(crate) started: i64,
    pub(crate) to_move: i64,
    pub(crate) moved: i64,
    pub(crate) failure: Option<String>,
}

pub(crate) const RUNNING: &str = "RUNNING";
pub(crate) const COMPLETED: &str = "COMPLETED";
pub(crate) const CANCELLED: &str = "CANCELLED";
pub(crate) const FAILED: &str = "FAILED";

const TASK: &str = "id, source, destination, per_second, status, started, to_move, moved, failure";

impl MoveTask {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            source: row.get(1)?,
            destination: row.get(2)?,
            per_second: row.get(3)?,
            status: row.get(4)?,
            started: row.get(5)?,
            to_move: row.get(6)?,
            moved: row.get(7)?,
            failure: row.get(8)?,
        })
    }

    pub(crate) fn render(&self, handle: &str) -> Value {
        let mut task = json!({
            "Status": self.status,
            "SourceArn": self.source,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "StartedTimestamp": self.started,
        });
        if self.status == RUNNING {
            task["TaskHandle"] = handle.into();
        }
        for (name, value) in [
            ("DestinationArn", self.destination.clone().map(Value::from)),
            ("MaxNumberOfMessagesPerSecond", self.per_second.map(Value::from)),
            ("FailureReason", self.failure.clone().map(Value::from)),
        ] {
            if let Some(value) = value {
                task[name] = value;
            }
        }
        task
    }
}

/// Takes the next step of every task that runs.
pub(crate) fn step(transaction: &mut Transaction<'_>) -> Result<(), ApiError> {
    let mut statement =
        transaction.connection.prepare_cached(&format!("SELECT {TASK} FROM move_tasks WHERE status = 'RUNNING'"))?;
    let running: Vec<MoveTask> = statement.query_map([], MoveTask::read)?.collect::<rusqlite::Result<_>>()?;
    transaction.cache.is_moving = !running.is_empty();
    for mut task in running {
        advance(transaction, &mut task)?;
        transaction.save_task(&task)?;
    }
    Ok(())
}

fn advance(transaction: &mut Transaction<'_>, task: &mut MoveTask) -> Result<(), ApiError> {
    let Some(source) = transaction.queue_by_arn(&task.source)? else {
        task.fail("AWS.SimpleQueueService.NonExistentQueue");
        return Ok(());
    };
    let allowed = task.per_second.map_or(AT_ONCE, |rate| {
        let elapsed = (transaction.now - task.started).max(0);
        (rate * elapsed / 1_000 - task.moved).clamp(0, AT_ONCE)
    });
    // What came after the start stays: messages that return as dead letters would otherwise keep the task going for ever.
    let left = task.to_move - task.moved;
    let waiting =
        if left > 0 { next(transaction, &source, task, allowed.clamp(1, left.min(AT_ONCE)))? } else { Vec::new() };
    if waiting.is_empty() {
        return end(transaction, &source, task);
    }
    for stored in waiting.iter().take(usize::try_from(allowed).unwrap_or_default()) {
        let destination = task.destination.as_ref().or(stored.dead_letter_source.as_ref());
        let Some(destination) = destination else {
            task.fail("CouldNotDetermineMessageSource");
            return Ok(());
        };
        let Some(target) = transaction.queue_by_arn(destination)? else {
            task.fail("AWS.SimpleQueueService.NonExistentQueue");
            return Ok(());
        };
        if target.settings.is_fifo != source.settings.is_fifo {
            task.fail("DestinationQueueIsOfAnotherType");
            return Ok(());
        }
        transaction.revive(&source, &target, stored)?;
        task.moved += 1;
    }
    Ok(())
}

/// The next visible messages; those in flight stay, and without a destination those whose source is not known.
fn next(transaction: &Transaction<'_>, source: &Queue, task: &MoveTask, most: i64) -> Result<Vec<Stored>, ApiError> {
    let order = if source.settings.is_fifo { "id" } else { "visible_at" };
    let mut statement = transaction.connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM messages WHERE queue = ?1 AND visible_at <= ?2
         AND (?4 IS NOT NULL OR dead_letter_source IS NOT NULL) ORDER BY {order} LIMIT ?3"
    ))?;
    let found = statement.query_map(params![source.id, transaction.now, most, task.destination], Stored::read)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Ends a task that has nothing left to move. It fails if messages stay behind that no queue has sent here.
fn end(transaction: &Transaction<'_>, source: &Queue, task: &mut MoveTask) -> Result<(), ApiError> {
    let mut statement = transaction.connection.prepare_cached(
        "SELECT ?3 IS NULL AND EXISTS (SELECT 1 FROM messages WHERE queue = ?1 AND visible_at <= ?2
         AND dead_letter_source IS NULL)",
    )?;
    if statement.query_row(params![source.id, transaction.now, task.destination], |row| row.get(0))? {
        task.fail("CouldNotDetermineMessageSource");
    } else {
        COMPLETED.clone_into(&mut task.status);
    }
    Ok(())
}

impl MoveTask {
    fn fail(&mut self, reason: &str) {
        FAILED.clone_into(&mut self.status);
        self.failure = Some(reason.to_owned());
    }
}

impl Transaction<'_> {
    pub(crate) fn add_task(
        &mut self,
        source: &Queue,
        destination: Option<&str>,
        per_second: Option<i64>,
    ) -> Result<i64, ApiError> {
        self.connection
            .prepare_cached(
                "INSERT INTO move_tasks (source, destination, per_second, status, started, to_move, moved)
                 VALUES (?1, ?2, ?3, 'RUNNING', ?4, (SELECT COUNT(*) FROM messages
                 WHERE queue = ?5 AND visible_at <= ?4 AND (?2 IS NOT NULL OR dead_letter_source IS NOT NULL)), 0)",
            )?
            .execute(params![source.arn(), destination, per_second, self.now, source.id])?;
        self.cache.is_moving = true;
        Ok(self.connection.last_insert_rowid())
    }

    pub(crate) fn find_task(&mut self, id: i64) -> Result<Option<MoveTask>, ApiError> {
        let mut statement = self.connection.prepare_cached(&format!("SELECT {TASK} FROM move_tasks WHERE id = ?1"))?;
        Ok(statement.query_row([id], MoveTask::read).optional()?)
    }

    /// The latest tasks of a queue, the last one first.
    pub(crate) fn tasks_of(&mut self, source: &Queue, most: i64) -> Result<Vec<MoveTask>, ApiError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("SELECT {TASK} FROM move_tasks WHERE source = ?1 ORDER BY id DESC LIMIT ?2"))?;
        let tasks = statement.query_map(params![source.arn(), most], MoveTask::read)?;
        Ok(tasks.collect::<rusqlite::Result<_>>()?)
    }

    pub(crate) fn save_task(&mut self, task: &MoveTask) -> Result<(), ApiError> {
        self.connection
            .prepare_cached("UPDATE move_tasks SET status = ?2, moved = ?3, failure = ?4 WHERE id = ?1")?
            .execute(params![task.id, task.status, task.moved, task.failure])?;
        Ok(())
    }

    /// The queue of an ARN that a move task names.
    pub(crate) fn task_queue(&mut self, parameter: &str, arn: &str) -> Result<std::sync::Arc<Queue>, ApiError> {
        if name::of_arn(arn).is_none() {
            return Err(ApiError::invalid_value(parameter, arn, "It is not the ARN of a queue."));
        }
        let absent = format!("The resource that you specified for the {parameter} parameter doesn't exist.");
        self.queue_by_arn(arn)?.ok_or_else(|| super::errors::no_resource(&absent))
    }
}
