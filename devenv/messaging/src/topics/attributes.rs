//! The attributes of topics: those that SNS knows, and their values.

use serde_json::{Map, Value, json};

use super::errors::{invalid, unsupported};
use super::identity::ACCOUNT;
use super::topic::Topic;
use crate::front::error::ApiError;

/// The names of operations whose deliveries SNS can report to CloudWatch. Kept without effect.
const FEEDBACK: [&str; 5] = ["HTTP", "Firehose", "Lambda", "Application", "SQS"];
const LONGEST_DISPLAY_NAME: usize = 100;

/// Checks an attribute that a call sets. An empty value removes the attribute.
pub(super) fn check(topic: &Topic, name: &str, value: &str) -> Result<(), ApiError> {
    let wrong = || Err(invalid(format!("Attributes Reason: {value:?} is no value of {name}")));
    match name {
        "DisplayName" if value.chars().count() > LONGEST_DISPLAY_NAME => wrong(),
        "Policy" if !value.is_empty() && !is_object(value) => Err(invalid("Policy Error: it is not a JSON object")),
        "DisplayName" | "Policy" | "KmsMasterKeyId" => Ok(()),
        "SignatureVersion" if matches!(value, "1" | "2") => Ok(()),
        "TracingConfig" if matches!(value, "PassThrough" | "Active") => Ok(()),
        "ContentBasedDeduplication" | "FifoThroughputScope" | "FifoTopic" if !topic.is_fifo && value != "false" => {
            Err(invalid(format!("Attributes Reason: {name} applies to FIFO topics only")))
        }
        "ContentBasedDeduplication" | "FifoTopic" if matches!(value, "true" | "false") => Ok(()),
        "FifoThroughputScope" if matches!(value, "Topic" | "MessageGroup") => Ok(()),
        "SignatureVersion" | "TracingConfig" | "ContentBasedDeduplication" | "FifoThroughputScope" | "FifoTopic" => {
            wrong()
        }
        "DeliveryPolicy" | "ArchivePolicy" | "DataProtectionPolicy" => {
            Err(unsupported("AttributeName", name, "leave it out locally"))
        }
        _ if is_feedback(name) => Ok(()),
        _ => Err(invalid(format!("AttributeName Reason: a topic has no attribute {name}"))),
    }
}

fn is_feedback(name: &str) -> bool {
    let kind = FEEDBACK.iter().find_map(|service| name.strip_prefix(service));
    matches!(kind, Some("SuccessFeedbackRoleArn" | "SuccessFeedbackSampleRate" | "FailureFeedbackRoleArn"))
}

fn is_object(text: &str) -> bool {
    serde_json::from_str::<Map<String, Value>>(text).is_ok()
}

/// The answer of `GetTopicAttributes`: what was set, what SNS computes, and its defaults.
pub(super) fn all(topic: &Topic, confirmed: i64, pending: i64) -> Map<String, Value> {
    let mut all = Map::new();
    let mut put = |name: &str, value: String| drop(all.insert(name.to_owned(), Value::String(value)));
    put("TopicArn", topic.arn.clone());
    put("Owner", ACCOUNT.to_owned());
    put("DisplayName", String::new());
    put("Policy", policy(&topic.arn));
    put("EffectiveDeliveryPolicy", DELIVERY_POLICY.to_owned());
    put("SubscriptionsConfirmed", confirmed.to_string());
    put("SubscriptionsPending", pending.to_string());
    put("SubscriptionsDeleted", topic.removed.to_string());
    if topic.is_fifo {
        put("FifoTopic", "true".to_owned());
        put("ContentBasedDeduplication", "false".to_owned());
        put("FifoThroughputScope", "Topic".to_owned());
    }
    all.extend(topic.attributes.clone());
    all
}

/// The policy of a new topic: its owner may do everything. Nothing checks it.
fn policy(arn: &str) -> String {
    let actions =
        ["GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic", "Subscribe"];
    let actions = actions.iter().chain(&["ListSubscriptionsByTopic", "Publish"]);
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": { "AWS": "*" },
            "Action": actions.map(|action| format!("SNS:{action}")).collect::<Vec<_>>(),
            "Resource": arn,
            "Condition": { "StringEquals": { "AWS:SourceOwner": ACCOUNT } },
        }],
    })
    .to_string()
}

/// The default of SNS: three retries, 20 s apart.
pub(super) const DELIVERY_POLICY: &str = r#"{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false}}"#;
