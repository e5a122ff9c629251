use serde_json::{Map, Value, json};

use super::errors::{invalid, no_resource};
use super::identity;
use super::request::{Request, text};
use super::topic::Topic;
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

const MOST: usize = 50;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

pub(super) fn tag_resource(transaction: &mut Transaction<'_>, request: &Request) -> Result<Value, ApiError> {
    let mut topic = topic(transaction, request)?;
    topic.tags.extend(read(request)?);
    if topic.tags.len() > MOST {
        return Err(ApiError::sender(
            "TagLimitExceeded",
            format!("Could not complete request: tag quota of per resource exceeded, limit {MOST}"),
        ));
    }
    topic.save(transaction)?;
    Ok(json!({}))
}

pub(super) fn untag_resource(transaction: &mut Transaction<'_>, request: &Request) -> Result<Value, ApiError> {
    let mut topic = topic(transaction, request)?;
    for key in request.list("TagKeys").iter().filter_map(Value::as_str) {
        topic.tags.remove(key);
    }
    topic.save(transaction)?;
    Ok(json!({}))
}

pub(super) fn list_tags(transaction: &mut Transaction<'_>, request: &Request) -> Result<Value, ApiError> {
    let topic = topic(transaction, request)?;
    let tags = topic.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value }));
    Ok(json!({ "Tags": tags.collect::<Vec<_>>() }))
}

fn topic(transaction: &Transaction<'_>, request: &Request) -> Result<Topic, ApiError> {
    let name = identity::topic_name(request.required("ResourceArn")?, "ResourceArn")?;
    Topic::named(transaction, name)?.ok_or_else(no_resource)
}

/// The tags of a call, checked.
pub(super) fn read(request: &Request) -> Result<Map<String, Value>, ApiError> {
    let mut tags = Map::new();
    for tag in request.list("Tags").iter().filter_map(Value::as_object) {
        let (key, value) = (text(tag, "Key").unwrap_or_default(), text(tag, "Value").unwrap_or_default());
        let fits = (1..=LONGEST_KEY).contains(&key.chars().count()) && value.chars().count() <= LONGEST_VALUE;
        if !fits || key.starts_with("aws:") {
            return Err(invalid(format!("Tags Reason: {key:?} with {value:?} is no tag")));
        }
        if tags.insert(key.to_owned(), Value::String(value.to_owned())).is_some() {
            return Err(invalid(format!("Tags Reason: Duplicated keys are not allowed: {key}")));
        }
    }
    Ok(tags)
}
