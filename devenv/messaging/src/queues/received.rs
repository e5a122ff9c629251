use rusqlite::Row;
use serde_json::{Map, Value, json};

use super::errors;
use super::message::{md5_of_attributes, md5_of_body};
use super::name::ACCOUNT;
use super::send::sequence_number;
use crate::front::call::Call;
use crate::front::error::ApiError;

/// The columns of a [`Stored`] message, in its order.
pub(crate) const COLUMNS: &str = "id, queue, visible_at, receives, sent, first_received, message_id, sequence, group_id, \
     deduplication_id, dead_letter_source, trace, attributes, body";

/// A message as it is stored.
pub(crate) struct Stored {
    pub(crate) row: i64,
    pub(crate) queue: i64,
    pub(crate) visible_at: i64,
    pub(crate) receives: i64,
    pub(crate) sent: i64,
    pub(crate) first_received: Option<i64>,
    pub(crate) message_id: String,
    pub(crate) sequence: Option<i64>,
    pub(crate) group: Option<String>,
    pub(crate) deduplication: Option<String>,
    /// The ARN of the queue that it is a dead letter of.
    pub(crate) dead_letter_source: Option<String>,
    pub(crate) trace: Option<String>,
    /// JSON.
    pub(crate) attributes: Option<String>,
    pub(crate) body: String,
}

impl Stored {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            row: row.get(0)?,
            queue: row.get(1)?,
            visible_at: row.get(2)?,
            receives: row.get(3)?,
            sent: row.get(4)?,
            first_received: row.get(5)?,
            message_id: row.get(6)?,
            sequence: row.get(7)?,
            group: row.get(8)?,
            deduplication: row.get(9)?,
            dead_letter_source: row.get(10)?,
            trace: row.get(11)?,
            attributes: row.get(12)?,
            body: row.get(13)?,
        })
    }
}

/// The names of the system attributes, in the order of the documentation.
const SYSTEM: [&str; 9] = [
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
];

/// The attributes that a receive asks for.
pub(crate) struct Wanted {
    system: Vec<&'static str>,
    /// Exact names, or prefixes that end with `.*`; `All` and `.*` are all.
    message: Vec<String>,
}

impl Wanted {
    pub(crate) fn of(call: &Call) -> Result<Self, ApiError> {
        let mut system = Vec::new();
        for name in call.texts("AttributeNames").chain(call.texts("MessageSystemAttributeNames")) {
            match SYSTEM.iter().find(|known| **known == name) {
                Some(known) => system.push(*known),
                None if name == "All" => system.extend(SYSTEM),
                None => return Err(errors::unknown_attribute(name)),
            }
        }
        Ok(Self { system, message: call.texts("MessageAttributeNames").map(str::to_owned).collect() })
    }

    fn wants(&self, name: &str) -> bool {
        self.message.iter().any(|wanted| match wanted.strip_suffix(".*") {
            Some("") => true,
            Some(prefix) => name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
            None => wanted == "All" || wanted == name,
        })
    }

    /// Renders a message that was just received with this handle.
    pub(crate) fn render(&self, stored: &Stored, handle: &str) -> Value {
        let mut message = json!({
            "MessageId": stored.message_id,
            "ReceiptHandle": handle,
            "MD5OfBody": md5_of_body(&stored.body),
            "Body": stored.body,
        });
        let system: Map<String, Value> =
            self.system.iter().filter_map(|name| Some(((*name).to_owned(), stored.system(name)?.into()))).collect();
        if !system.is_empty() {
            message["Attributes"] = system.into();
        }
        let attributes = stored.attributes.as_deref().filter(|_| !self.message.is_empty());
        let attributes = attributes.and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
        let mut attributes = attributes.unwrap_or_default();
        attributes.retain(|name, _| self.wants(name));
        if !attributes.is_empty() {
            message["MD5OfMessageAttributes"] = md5_of_attributes(&attributes).into();
            message["MessageAttributes"] = attributes.into();
        }
        message
    }
}

impl Stored {
    fn system(&self, name: &str) -> Option<String> {
        match name {
            "SenderId" => Some(ACCOUNT.to_owned()),
            "SentTimestamp" => Some(self.sent.to_string()),
            "ApproximateReceiveCount" => Some(self.receives.to_string()),
            "ApproximateFirstReceiveTimestamp" => self.first_received.map(|at| at.to_string()),
            "SequenceNumber" => self.sequence.map(sequence_number),
            "MessageDeduplicationId" => self.deduplication.clone(),
            "MessageGroupId" => self.group.clone(),
            "AWSTraceHeader" => self.trace.clone(),
            "DeadLetterQueueSourceArn" => self.dead_letter_source.clone(),
            _ => None,
        }
    }
}
