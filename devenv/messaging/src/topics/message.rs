use devenv_filters::{FilterPolicy, Scope, attribute_value};
use serde_json::{Map, Value};

use super::errors::{invalid, invalid_attribute};
use super::request::text;
use super::topic::Topic;
use crate::front::error::ApiError;
use crate::queues::message::check_attributes;

/// Bytes of a message with its attributes, and of a batch.
pub(super) const LARGEST: usize = 256 * 1024;
/// Characters; less than this.
const LONGEST_SUBJECT: usize = 100;
const LONGEST_ID: usize = 128;

/// A message to be published, checked.
pub(super) struct Message {
    /// What every protocol gets, unless it has a text of its own.
    default: String,
    /// The texts of `MessageStructure=json` by protocol.
    by_protocol: Map<String, Value>,
    pub(super) subject: Option<String>,
    /// From a name to `DataType` and `StringValue` or `BinaryValue` (base64).
    pub(super) attributes: Map<String, Value>,
    pub(super) group: Option<String>,
    pub(super) deduplication: Option<String>,
    /// Bytes.
    pub(super) size: usize,
}

impl Message {
    /// Reads the parameters of `Publish`, or an entry of `PublishBatch`.
    pub(super) fn read(parameters: &Map<String, Value>, topic: &Topic) -> Result<Self, ApiError> {
        let body = text(parameters, "Message").unwrap_or_default();
        if body.is_empty() {
            return Err(invalid("Empty message"));
        }
        let (default, by_protocol) = match text(parameters, "MessageStructure") {
            None => (body.to_owned(), Map::new()),
            Some("json") => by_protocol(body)?,
            Some(other) => return Err(invalid(format!("MessageStructure Reason: {other} is not json"))),
        };
        let subject = text(parameters, "Subject").map(subject).transpose()?;
        let attributes = parameters.get("MessageAttributes").and_then(Value::as_object).cloned().unwrap_or_default();
        let size = body.len() + attributes.iter().map(attribute).sum::<Result<usize, _>>()?;
        if size > LARGEST {
            return Err(invalid("Message too long"));
        }
        let (group, deduplication) = order(parameters, topic)?;
        Ok(Self { default, by_protocol, subject, attributes, group, deduplication, size })
    }

    pub(super) fn body(&self, protocol: &str) -> &str {
        text(&self.by_protocol, protocol).unwrap_or(&self.default)
    }

    pub(super) fn passes(&self, filter: Option<&FilterPolicy>, protocol: &str) -> bool {
        let Some(filter) = filter else { return true };
        match filter.scope() {
            Scope::MessageAttributes => filter.accepts(&self.filtered()),
            Scope::MessageBody => {
                let body = serde_json::from_str::<Map<String, Value>>(self.body(protocol));
                body.is_ok_and(|body| filter.accepts(&body))
            }
        }
    }

    /// The attributes as filter policies see them.
    fn filtered(&self) -> Map<String, Value> {
        let seen = |(name, value): (&String, &Value)| {
            let (kind, text) = (value.get("DataType")?.as_str()?, value.get("StringValue").and_then(Value::as_str));
            Some((name.clone(), attribute_value(kind, text?)?))
        };
        self.attributes.iter().filter_map(seen).collect()
    }
}

/// `{"default": TEXT, "sqs": TEXT, ...}`. What is no text is ignored.
fn by_protocol(body: &str) -> Result<(String, Map<String, Value>), ApiError> {
    let reason = |reason: &str| invalid(format!("Message Structure - {reason}"));
    let mut texts: Map<String, Value> =
        serde_json::from_str(body).map_err(|_| reason("JSON message body failed to parse"))?;
    texts.retain(|_, text| text.is_string());
    let default = text(&texts, "default").map(str::to_owned);
    Ok((default.ok_or_else(|| reason("No default entry in JSON message body"))?, texts))
}

fn subject(subject: &str) -> Result<String, ApiError> {
    let fits = (1..LONGEST_SUBJECT).contains(&subject.chars().count());
    if fits && !subject.chars().any(char::is_control) {
        return Ok(subject.to_owned());
    }
    Err(invalid("Subject"))
}

/// Checks an attribute by the rules of SQS, which are those of SNS. Returns its size in bytes.
fn attribute((name, value): (&String, &Value)) -> Result<usize, ApiError> {
    let one = Map::from_iter([(name.clone(), value.clone())]);
    check_attributes(&one).map_err(|error| invalid_attribute(error.message))?;
    let kind = value.get("DataType").and_then(Value::as_str).unwrap_or_default();
    let content = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
    let (content, encoded) = (content("StringValue"), content("BinaryValue"));
    if kind == "String.Array" && !serde_json::from_str::<Value>(content).is_ok_and(|value| value.is_array()) {
        return Err(invalid_attribute(format!(
            "The message attribute '{name}' with type 'String.Array' must be a JSON array."
        )));
    }
    let decoded = encoded.trim_end_matches('=').len() * 3 / 4;
    Ok(name.len() + kind.len() + content.len() + decoded)
}

/// The group and the deduplication id.
fn order(parameters: &Map<String, Value>, topic: &Topic) -> Result<(Option<String>, Option<String>), ApiError> {
    let get = |name: &str| -> Result<Option<String>, ApiError> {
        let Some(value) = text(parameters, name) else { return Ok(None) };
        let fits = (1..=LONGEST_ID).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Some(value.to_owned())) } else { Err(invalid(format!("{name} Reason: {value:?} is none"))) }
    };
    let (group, deduplication) = (get("MessageGroupId")?, get("MessageDeduplicationId")?);
    if topic.is_fifo && group.is_none() {
        return Err(invalid("The MessageGroupId parameter is required for FIFO topics"));
    }
    if topic.is_fifo && deduplication.is_none() && !topic.is_content_based() {
        let reason = "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly";
        return Err(invalid(reason));
    }
    if !topic.is_fifo && deduplication.is_some() {
        let reason = "The request includes MessageDeduplicationId parameter that is not valid for this topic type";
        return Err(invalid(format!("MessageDeduplicationId Reason: {reason}")));
    }
    Ok((group, deduplication))
}
