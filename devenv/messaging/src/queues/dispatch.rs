use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;

use super::{describe, lifecycle, list, move_tasks, receive, send, settle, tags};
use crate::front::call::Call;
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;
use crate::store::writer::Store;

type Run = fn(&mut Transaction<'_>, &Call) -> Result<Value, ApiError>;

/// Runs an operation of SQS.
pub(crate) async fn run(store: &Store, call: &Arc<Call>, draining: watch::Receiver<bool>) -> Result<Value, ApiError> {
    let run: Run = match call.operation.name {
        "ReceiveMessage" => return receive::run(store, call, draining).await,
        "SendMessage" => send::one,
        "SendMessageBatch" => send::batch,
        "DeleteMessage" => settle::delete,
        "DeleteMessageBatch" => settle::delete_batch,
        "ChangeMessageVisibility" => settle::change_visibility,
        "ChangeMessageVisibilityBatch" => settle::change_visibility_batch,
        "CreateQueue" => lifecycle::create,
        "GetQueueUrl" => lifecycle::url,
        "DeleteQueue" => lifecycle::delete,
        "PurgeQueue" => lifecycle::purge,
        "ListQueues" => list::all,
        "ListDeadLetterSourceQueues" => list::dead_letter_sources,
        "GetQueueAttributes" => describe::attributes,
        "SetQueueAttributes" => lifecycle::set_attributes,
        "TagQueue" => tags::add,
        "UntagQueue" => tags::remove,
        "ListQueueTags" => tags::list,
        "StartMessageMoveTask" => move_tasks::start,
        "ListMessageMoveTasks" => move_tasks::list,
        "CancelMessageMoveTask" => move_tasks::cancel,
        other => return Err(ApiError::unknown_operation(other)),
    };
    let call = call.clone();
    store.run(move |transaction| run(transaction, &call)).await
}

/// Returns the result of an operation that has none.
#[expect(clippy::unnecessary_wraps, reason = "ends functions that can fail")]
pub(crate) fn nothing() -> Result<Value, ApiError> {
    Ok(Value::Object(serde_json::Map::new()))
}
