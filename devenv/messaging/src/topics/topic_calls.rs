use serde_json::{Map, Value, json};

use super::errors::{invalid, unsupported};
use super::request::{Request, text};
use super::topic::Topic;
use super::{attributes, identity, tags};
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

/// Topics of a page.
const PAGE: usize = 100;

pub(super) fn create_topic(transaction: &mut Transaction<'_>, request: &Request) -> Result<Value, ApiError> {
    let name = request.required("Name")?;
    if request.text("DataProtectionPolicy").is_some() {
        return Err(unsupported("DataProtectionPolicy", "data protection", "leave it out locally"));
    }
    let (given, tags) = (request.map("Attributes"), tags::read(request)?);
    let is_fifo = text(&given, "FifoTopic") == Some("true");
    identity::check_name(name, is_fifo)?;
    let arn = identity::topic_arn(&request.region, name);
    let mut topic =
        Topic { name: name.to_owned(), arn, is_fifo, attributes: Map::new(), tags, removed: 0, sequence: 0 };
    for (name, value) in &given {
        set(&mut topic, name, value.as_str().unwrap_or_default())?;
    }
    match Topic::named(transaction, name)? {
        Some(existing) => agree(&existing, &topic).map(|()| json!({ "TopicArn": existing.arn })),
        None => topic.save(transaction).map(|()| json!({ "TopicArn": topic.arn })),
    }
}

/// A second creation may leave attributes and tags out, but not change them.
fn agree(existing: &Topic, again: &Topic) -> Result<(), ApiError> {
    let current = attributes::all(existing, 0, 0);
    if again.attributes.iter().any(|(name, value)| current.get(name) != Some(value)) {
        return Err(invalid("Attributes Reason: Topic already exists with different attributes"));
    }
    if !again.tags.is_empty() && again.tags != existing.tags {
        return Err(invalid("Tags Reason: Topic already exists with different tags"));
    }
    Ok(())
}

fn set(topic: &mut Topic, name: &str, value: &str) -> Result<(), ApiError> {
    attributes::check(topic, name, value)?;
    if value.is_empty() {
        topic.attributes.remove(name);
    } else if !matches!((name, value), ("FifoTopic", "false")) {
        topic.attributes.insert(name.to_owned(), Value::String(value.to_owned()));
    }
    Ok(())
}

pub(super) fn delete_topic(transaction: &mut Transaction<'_>, request: &Request) -> Result<Value, ApiError> {
    let name = identity::topic_name(request.required("TopicArn")?, "TopicArn")?;
    for table in [
        "DELETE FROM topics WHERE name = ?1",
        "DELETE FROM deliveries WHERE subscription IN (SELECT arn FROM subscriptions WHERE topic = ?1)",
        "DELETE FROM subscriptions WHERE topic = ?1",
        "DELETE FROM published WHERE topic = ?1",
    ] {
        transaction.connection.prepare_cached(table)?.execute([name])?;
    }
    Ok(json!({}))
}

pub(super) fn list_topics(transaction: &mut Transaction<'_>, request: &Request) -> Result<Value, ApiError> {
    // The token is the last name of the page before.
    let after = request.text("NextToken").unwrap_or_default();
    let query = "SELECT name, arn FROM topics WHERE name > ?1 ORDER BY name";
    let mut statement = transaction.connection.prepare_cached(query)?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let found = statement.query_map([after], read)?;
    let mut found: Vec<(String, String)> = found.take(PAGE + 1).collect::<Result<_, _>>()?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let topics: Vec<Value> = found.iter().map(|(_, arn)| json!({ "TopicArn": arn })).collect();
    let mut page = json!({ "Topics": topics });
    if let Some((name, _)) = found.last().filter(|_| more) {
        page["NextToken"] = json!(name);
    }
    Ok(page)
}

pub(super) fn get_attributes(transaction: &mut Transaction<'_>, request: &Request) -> Result<Value, ApiError> {
    let topic = Topic::of(transaction, request.required("TopicArn")?, "TopicArn")?;
    let query = "SELECT count(*) - count(token), count(token) FROM subscriptions WHERE topic = ?1";
    let mut statement = transaction.connection.prepare_cached(query)?;
    let (confirmed, pending) = statement.query_row([&topic.name], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(json!({ "Attributes": attributes::all(&topic, confirmed, pending) }))
}

pub(super) fn set_attributes(transaction: &mut Transaction<'_>, request: &Request) -> Result<Value, ApiError> {
    let mut topic = Topic::of(transaction, request.required("TopicArn")?, "TopicArn")?;
    let name = request.required("AttributeName")?;
    if name == "FifoTopic" {
        return Err(invalid("AttributeName Reason: FifoTopic cannot be changed"));
    }
    set(&mut topic, name, request.text("AttributeValue").unwrap_or_default())?;
    topic.save(transaction)?;
    Ok(json!({}))
}
