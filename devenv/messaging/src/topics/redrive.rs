use serde_json::{Map, Value};

use super::errors::invalid;
use super::identity;
use super::request::text;
use crate::front::error::ApiError;

/// The ARN of the queue in a subscription's redrive policy, `{"deadLetterTargetArn": ARN}`.
pub(super) fn target(policy: &str, topic_is_fifo: bool) -> Result<String, ApiError> {
    let wrong = |reason: &str| invalid(format!("RedrivePolicy: {reason}"));
    let members: Map<String, Value> = serde_json::from_str(policy).map_err(|_| wrong("failed to parse JSON."))?;
    if let Some(unknown) = members.keys().find(|key| *key != "deadLetterTargetArn") {
        return Err(wrong(&format!("there is no key {unknown}; deadLetterTargetArn is the only one")));
    }
    let arn =
        text(&members, "deadLetterTargetArn").ok_or_else(|| wrong("deadLetterTargetArn must be the ARN of a queue"))?;
    let name = identity::queue_name(arn, "RedrivePolicy: deadLetterTargetArn")?;
    if name.ends_with(identity::FIFO) && !topic_is_fifo {
        return Err(wrong("the dead-letter queue of a standard topic is a standard queue"));
    }
    Ok(arn.to_owned())
}
