//! `StartMessageMoveTask` and its companions.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::errors;
use super::move_task::{CANCELLED, RUNNING};
use crate::front::call::Call;
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

const FASTEST: i64 = 500;
const MOST_RESULTS: i64 = 10;

pub(crate) fn start(transaction: &mut Transaction<'_>, call: &Call) -> Result<Value, ApiError> {
    let source = transaction.task_queue("SourceArn", call.text("SourceArn").unwrap_or_default())?;
    if transaction.sources_of(&source.name)?.is_empty() {
        return Err(ApiError::invalid_parameter("Source queue must be configured as a Dead Letter Queue."));
    }
    let per_second = call.integer("MaxNumberOfMessagesPerSecond");
    if let Some(wrong) = per_second.filter(|rate| !(1..=FASTEST).contains(rate)) {
        let reason = "Must be between 1 and 500, if provided.";
        return Err(ApiError::invalid_value("MaxNumberOfMessagesPerSecond", wrong, reason));
    }
    let destination = match call.text("DestinationArn") {
        None => None,
        Some(arn) => {
            let queue = transaction.task_queue("DestinationArn", arn)?;
            if queue.id == source.id {
                return Err(ApiError::invalid_parameter(
                    "Source queue arn and destination queue arn cannot be the same.",
                ));
            }
            if queue.settings.is_fifo != source.settings.is_fifo {
                return Err(ApiError::invalid_parameter(
                    "Source queue type and destination queue type must be the same.",
                ));
            }
            Some(queue.arn())
        }
    };
    if transaction.tasks_of(&source, 1)?.iter().any(|task| task.status == RUNNING) {
        return Err(ApiError::invalid_parameter(
            "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
        ));
    }
    let id = transaction.add_task(&source, destination.as_deref(), per_second)?;
    Ok(json!({ "TaskHandle": handle(id, &source.arn()) }))
}

pub(crate) fn list(transaction: &mut Transaction<'_>, call: &Call) -> Result<Value, ApiError> {
    let source = transaction.task_queue("SourceArn", call.text("SourceArn").unwrap_or_default())?;
    let most = call.integer("MaxResults").unwrap_or(1);
    if !(1..=MOST_RESULTS).contains(&most) {
        return Err(ApiError::invalid_value("MaxResults", most, "Must be between 1 and 10, if provided."));
    }
    let tasks = transaction.tasks_of(&source, most)?;
    let results: Vec<Value> = tasks.iter().map(|task| task.render(&handle(task.id, &task.source))).collect();
    Ok(json!({ "Results": results }))
}

pub(crate) fn cancel(transaction: &mut Transaction<'_>, call: &Call) -> Result<Value, ApiError> {
    let text = call.text("TaskHandle").unwrap_or_default();
    let absent = || errors::no_resource("The resource that you specified for the TaskHandle parameter doesn't exist.");
    let id = id(text).ok_or_else(|| ApiError::invalid_value("TaskHandle", text, "It is not a task handle."))?;
    let mut task = transaction.find_task(id)?.ok_or_else(absent)?;
    if task.status != RUNNING {
        return Err(errors::no_resource("Only active tasks can be cancelled."));
    }
    CANCELLED.clone_into(&mut task.status);
    transaction.save_task(&task)?;
    Ok(json!({ "ApproximateNumberOfMessagesMoved": task.moved }))
}

fn handle(id: i64, source: &str) -> String {
    STANDARD.encode(json!({ "taskId": id, "sourceArn": source }).to_string())
}

fn id(handle: &str) -> Option<i64> {
    let value: Value = serde_json::from_slice(&STANDARD.decode(handle).ok()?).ok()?;
    value.get("taskId")?.as_i64()
}
