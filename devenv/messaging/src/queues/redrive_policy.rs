use serde_json::Value;

use super::errors;
use super::name;
use crate::front::error::ApiError;

const MOST_RECEIVES: i64 = 1_000;
const MOST_SOURCES: usize = 10;

/// `RedrivePolicy`: where messages go that were received too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RedrivePolicy {
    /// The dead-letter queue's name.
    pub(crate) target: String,
    /// Receives after which the next one moves the message.
    pub(crate) most_receives: i64,
}

/// `RedriveAllowPolicy`: whose dead letters a queue takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum RedriveAllowPolicy {
    #[default]
    AllowAll,
    DenyAll,
    /// The queues with these names.
    ByQueue(Vec<String>),
}

impl RedrivePolicy {
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let invalid = |reason: &str| ApiError::invalid_value("RedrivePolicy", text, reason);
        let value = object(text).ok_or_else(|| errors::invalid_attribute("RedrivePolicy"))?;
        let arn = value.get("deadLetterTargetArn").and_then(Value::as_str);
        let arn =
            arn.ok_or_else(|| invalid("Redrive policy does not contain mandatory attribute: deadLetterTargetArn."))?;
        let most = value.get("maxReceiveCount");
        let most =
            most.ok_or_else(|| invalid("Redrive policy does not contain mandatory attribute: maxReceiveCount."))?;
        let most = most.as_i64().or_else(|| most.as_str()?.parse().ok());
        let most_receives = most
            .filter(|most| (1..=MOST_RECEIVES).contains(most))
            .ok_or_else(|| invalid("Invalid value for maxReceiveCount: it must be an integer from 1 to 1000."))?;
        if let Some(unknown) = unknown(&value, &["deadLetterTargetArn", "maxReceiveCount"]) {
            return Err(invalid(&format!("Unknown attribute: {unknown}.")));
        }
        let target = name::of_arn(arn).ok_or_else(|| invalid("Invalid value for deadLetterTargetArn."))?;
        Ok(Self { target: target.to_owned(), most_receives })
    }
}

impl RedriveAllowPolicy {
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let invalid = |reason: &str| ApiError::invalid_value("RedriveAllowPolicy", text, reason);
        let value = object(text).ok_or_else(|| errors::invalid_attribute("RedriveAllowPolicy"))?;
        if let Some(unknown) = unknown(&value, &["redrivePermission", "sourceQueueArns"]) {
            return Err(invalid(&format!("Unknown attribute: {unknown}.")));
        }
        let sources = value.get("sourceQueueArns");
        match (value.get("redrivePermission").and_then(Value::as_str), sources) {
            (Some("allowAll"), None) => Ok(Self::AllowAll),
            (Some("denyAll"), None) => Ok(Self::DenyAll),
            (Some("byQueue"), Some(Value::Array(sources))) if (1..=MOST_SOURCES).contains(&sources.len()) => {
                let names = sources.iter().map(|arn| arn.as_str().and_then(name::of_arn).map(str::to_owned));
                let names: Option<Vec<String>> = names.collect();
                names.map(Self::ByQueue).ok_or_else(|| invalid("sourceQueueArns contains an invalid ARN."))
            }
            (Some("byQueue"), _) => Err(invalid("byQueue needs sourceQueueArns, a list of 1 to 10 ARNs.")),
            (Some("allowAll" | "denyAll"), Some(_)) => Err(invalid("sourceQueueArns is only allowed with byQueue.")),
            _ => Err(invalid("redrivePermission must be allowAll, denyAll or byQueue.")),
        }
    }

    pub(crate) fn allows(&self, source: &str) -> bool {
        match self {
            Self::AllowAll => true,
            Self::DenyAll => false,
            Self::ByQueue(names) => names.iter().any(|name| name == source),
        }
    }
}

fn object(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(Value::is_object)
}

fn unknown<'a>(value: &'a Value, known: &[&str]) -> Option<&'a String> {
    value.as_object()?.keys().find(|key| !known.contains(&key.as_str()))
}
