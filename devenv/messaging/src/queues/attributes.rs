//! The attributes of queues: their ranges, their defaults, and their meaning for the queue.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::errors;
use super::redrive_policy::{RedriveAllowPolicy, RedrivePolicy};
use crate::front::error::ApiError;

/// AWS's present limit of a message, and of all messages of a batch together: 1 MiB.
pub(crate) const LARGEST_MESSAGE: i64 = 1_048_576;

/// The attributes of a queue that were set, by name.
pub(crate) type Attributes = BTreeMap<String, String>;

enum Kind {
    /// An integer from .. to ...
    Integer(i64, i64),
    Boolean,
    OneOf(&'static [&'static str]),
    Text,
    Json,
    RedrivePolicy,
    RedriveAllowPolicy,
}

struct Attribute {
    name: &'static str,
    kind: Kind,
    /// The value of a queue that does not set it; an attribute without one is absent.
    default: Option<&'static str>,
    fifo_only: bool,
}

const fn of_all(name: &'static str, kind: Kind, default: Option<&'static str>) -> Attribute {
    Attribute { name, kind, default, fifo_only: false }
}

const fn of_fifo(name: &'static str, kind: Kind, default: &'static str) -> Attribute {
    Attribute { name, kind, default: Some(default), fifo_only: true }
}

static SETTABLE: [Attribute; 15] = [
    of_all("DelaySeconds", Kind::Integer(0, 900), Some("0")),
    of_all("MaximumMessageSize", Kind::Integer(1_024, LARGEST_MESSAGE), Some("1048576")),
    of_all("MessageRetentionPeriod", Kind::Integer(60, 1_209_600), Some("345600")),
    of_all("Policy", Kind::Json, None),
    of_all("ReceiveMessageWaitTimeSeconds", Kind::Integer(0, 20), Some("0")),
    of_all("VisibilityTimeout", Kind::Integer(0, 43_200), Some("30")),
    of_all("RedrivePolicy", Kind::RedrivePolicy, None),
    of_all("RedriveAllowPolicy", Kind::RedriveAllowPolicy, None),
    of_all("KmsMasterKeyId", Kind::Text, None),
    of_all("KmsDataKeyReusePeriodSeconds", Kind::Integer(60, 86_400), None),
    of_all("SqsManagedSseEnabled", Kind::Boolean, Some("true")),
    of_fifo("FifoQueue", Kind::OneOf(&["true"]), "true"),
    of_fifo("ContentBasedDeduplication", Kind::Boolean, "false"),
    of_fifo("DeduplicationScope", Kind::OneOf(&["queue", "messageGroup"]), "queue"),
    of_fifo("FifoThroughputLimit", Kind::OneOf(&["perQueue", "perMessageGroupId"]), "perQueue"),
];

/// Attributes that SQS computes.
pub(crate) const COMPUTED: [&str; 6] = [
    "QueueArn",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
];

/// A queue's attributes by their meaning. Durations in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) is_fifo: bool,
    pub(crate) delay: i64,
    /// Bytes.
    pub(crate) largest_message: usize,
    pub(crate) retention: i64,
    pub(crate) receive_wait: i64,
    pub(crate) visibility_timeout: i64,
    pub(crate) redrive: Option<RedrivePolicy>,
    pub(crate) redrive_allow: RedriveAllowPolicy,
    pub(crate) deduplicates_content: bool,
    /// Whether equal deduplication ids of two groups are two messages.
    pub(crate) deduplicates_by_group: bool,
}

/// Adds `given` to the attributes of a queue, after checking each. An empty policy removes the policy.
pub(crate) fn change(attributes: &mut Attributes, given: &Map<String, Value>, is_fifo: bool) -> Result<(), ApiError> {
    for (name, value) in given {
        let text = value.as_str().unwrap_or_default();
        let attribute = SETTABLE.iter().find(|attribute| attribute.name == name);
        let attribute = attribute.ok_or_else(|| errors::unknown_attribute(name))?;
        if attribute.fifo_only && !is_fifo {
            return Err(errors::unknown_attribute(name));
        }
        let is_policy = matches!(attribute.kind, Kind::Json | Kind::RedrivePolicy | Kind::RedriveAllowPolicy);
        if text.is_empty() && (is_policy || matches!(attribute.kind, Kind::Text)) {
            attributes.remove(name);
            continue;
        }
        check(attribute, text)?;
        attributes.insert(name.clone(), text.to_owned());
    }
    // Throughput by group is what AWS offers where deduplication is by group too.
    let of = |name: &str| value(attributes, name, is_fifo).unwrap_or_default();
    if of("FifoThroughputLimit") == "perMessageGroupId" && of("DeduplicationScope") != "messageGroup" {
        return Err(ApiError::invalid_value(
            "FifoThroughputLimit",
            "perMessageGroupId",
            "DeduplicationScope must be messageGroup.",
        ));
    }
    Ok(())
}

fn check(attribute: &Attribute, text: &str) -> Result<(), ApiError> {
    let fits = match &attribute.kind {
        Kind::Integer(least, most) => text.parse().is_ok_and(|number: i64| (*least..=*most).contains(&number)),
        Kind::Boolean => matches!(text, "true" | "false"),
        Kind::OneOf(words) => words.contains(&text),
        Kind::Text => true,
        Kind::Json => serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object()),
        Kind::RedrivePolicy => return RedrivePolicy::parse(text).map(drop),
        Kind::RedriveAllowPolicy => return RedriveAllowPolicy::parse(text).map(drop),
    };
    if fits { Ok(()) } else { Err(errors::invalid_attribute(attribute.name)) }
}

/// The value of an attribute, the default included; `None` if the queue has none.
pub(crate) fn value<'a>(attributes: &'a Attributes, name: &str, is_fifo: bool) -> Option<&'a str> {
    attributes.get(name).map(String::as_str).or_else(|| {
        let attribute = SETTABLE.iter().find(|attribute| attribute.name == name)?;
        attribute.default.filter(|_| is_fifo || !attribute.fifo_only)
    })
}

/// The names of all attributes that can be set.
pub(crate) fn settable() -> impl Iterator<Item = &'static str> {
    SETTABLE.iter().map(|attribute| attribute.name)
}

impl Settings {
    /// The meaning of checked attributes.
    pub(crate) fn of(attributes: &Attributes, is_fifo: bool) -> Self {
        let text = |name: &str| value(attributes, name, is_fifo).unwrap_or_default();
        let number = |name: &str| text(name).parse::<i64>().unwrap_or_default();
        let milliseconds = |name: &str| number(name) * 1_000;
        let redrive = attributes.get("RedrivePolicy").and_then(|text| RedrivePolicy::parse(text).ok());
        let allow = attributes.get("RedriveAllowPolicy").and_then(|text| RedriveAllowPolicy::parse(text).ok());
        Self {
            is_fifo,
            delay: milliseconds("DelaySeconds"),
            largest_message: usize::try_from(number("MaximumMessageSize")).unwrap_or_default(),
            retention: milliseconds("MessageRetentionPeriod"),
            receive_wait: milliseconds("ReceiveMessageWaitTimeSeconds"),
            visibility_timeout: milliseconds("VisibilityTimeout"),
            redrive,
            redrive_allow: allow.unwrap_or_default(),
            deduplicates_content: text("ContentBasedDeduplication") == "true",
            deduplicates_by_group: text("DeduplicationScope") == "messageGroup",
        }
    }
}
