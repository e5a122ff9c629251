use std::sync::Arc;

use serde_json::Value;

use super::courier::{self, Courier};
use super::request::Request;
use super::{publish, subscribe, subscription_calls, tags, topic_calls};
use crate::front::call::Call;
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;
use crate::store::writer::Store;

type Run = fn(&mut Transaction<'_>, &Request) -> Result<Value, ApiError>;

/// Runs an operation of SNS as one transaction.
pub(crate) async fn run(store: &Store, courier: &Courier, call: &Arc<Call>) -> Result<Value, ApiError> {
    let name = call.operation.name;
    let run = find(name).ok_or_else(|| ApiError::unknown_operation(name))?;
    let request = Request(call.clone());
    let may_deliver = matches!(name, "Subscribe" | "Publish" | "PublishBatch");
    let work = move |transaction: &mut Transaction<'_>| {
        let result = run(transaction, &request)?;
        Ok((result, may_deliver && courier::is_left(transaction.connection)?))
    };
    let (result, has_deliveries) = store.run(work).await?;
    if has_deliveries {
        courier.tell();
    }
    Ok(result)
}

fn find(name: &str) -> Option<Run> {
    Some(match name {
        "CreateTopic" => topic_calls::create_topic,
        "DeleteTopic" => topic_calls::delete_topic,
        "ListTopics" => topic_calls::list_topics,
        "GetTopicAttributes" => topic_calls::get_attributes,
        "SetTopicAttributes" => topic_calls::set_attributes,
        "Subscribe" => subscribe::subscribe,
        "ConfirmSubscription" => subscribe::confirm,
        "Unsubscribe" => subscribe::unsubscribe,
        "GetSubscriptionAttributes" => subscription_calls::get_attributes,
        "SetSubscriptionAttributes" => subscription_calls::set_attributes,
        "ListSubscriptions" => subscription_calls::list,
        "ListSubscriptionsByTopic" => subscription_calls::list_by_topic,
        "Publish" => publish::publish,
        "PublishBatch" => publish::publish_batch,
        "TagResource" => tags::tag_resource,
        "UntagResource" => tags::untag_resource,
        "ListTagsForResource" => tags::list_tags,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_shapes_runs() {
        let missing: Vec<&str> = devenv_shapes::topics::OPERATIONS
            .iter()
            .map(|operation| operation.name)
            .filter(|name| find(name).is_none())
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
