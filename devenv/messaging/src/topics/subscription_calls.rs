use devenv_filters::{FilterPolicy, Scope};
use serde_json::{Map, Value, json};

use super::attributes::DELIVERY_POLICY;
use super::errors::{invalid, unsupported};
use super::identity::{ACCOUNT, topic_arn};
use super::redrive;
use super::request::{Request, text};
use super::subscription::Subscription;
use super::topic::Topic;
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

const PAGE: usize = 100;

/// The attributes of a subscription, checked. An attribute with an empty value is left out.
pub(super) fn checked(
    topic: &Topic,
    protocol: &str,
    given: &Map<String, Value>,
    prefix: &str,
) -> Result<Map<String, Value>, ApiError> {
    let mut kept = Map::new();
    for (name, value) in given {
        let value = value.as_str().unwrap_or_default();
        check(topic, protocol, name, value, prefix)?;
        // An empty policy filters nothing, so that SNS forgets it.
        let is_nothing = value.is_empty() || name == "FilterPolicy" && value.trim() == "{}";
        if !is_nothing {
            kept.insert(name.clone(), Value::String(value.to_owned()));
        }
    }
    if let Some(policy) = text(&kept, "FilterPolicy") {
        let scope = text(&kept, "FilterPolicyScope").and_then(Scope::named).unwrap_or_default();
        let policy = FilterPolicy::parse(policy, scope);
        policy.map_err(|error| invalid(format!("{prefix}FilterPolicy: {error}")))?;
    }
    Ok(kept)
}

fn check(topic: &Topic, protocol: &str, name: &str, value: &str, prefix: &str) -> Result<(), ApiError> {
    let wrong = |reason: &str| Err(invalid(format!("{prefix}{name}: {reason}")));
    match name {
        "FilterPolicy" => Ok(()),
        "FilterPolicyScope" if value.is_empty() || Scope::named(value).is_some() => Ok(()),
        "FilterPolicyScope" => {
            wrong(&format!("Invalid value [{value}]. Please use either MessageBody or MessageAttributes"))
        }
        "RawMessageDelivery" if matches!(value, "true" | "false") && matches!(protocol, "sqs" | "http") => Ok(()),
        "RawMessageDelivery" => wrong(&format!("Invalid value [{value}]. Must be true or false.")),
        "RedrivePolicy" if value.is_empty() => Ok(()),
        "RedrivePolicy" => redrive::target(value, topic.is_fifo).map(drop),
        "DeliveryPolicy" | "ReplayPolicy" | "SubscriptionRoleArn" => {
            Err(unsupported("AttributeName", name, "leave it out locally"))
        }
        _ => Err(invalid(format!("{prefix}AttributeName: a subscription has no attribute {name}"))),
    }
}

pub(super) fn get_attributes(transaction: &mut Transaction<'_>, request: &Request) -> Result<Value, ApiError> {
    let subscription = Subscription::of(transaction, request.required("SubscriptionArn")?)?;
    let mut all = Map::new();
    let mut put = |name: &str, value: &str| drop(all.insert(name.to_owned(), Value::from(value)));
    put("SubscriptionArn", &subscription.arn);
    put("TopicArn", &topic_of(&subscription));
    put("Protocol", &subscription.protocol);
    put("Endpoint", &subscription.endpoint);
    put("Owner", ACCOUNT);
    put("SubscriptionPrincipal", &format!("arn:aws:iam::{ACCOUNT}:root"));
    put("PendingConfirmation", if subscription.token.is_some() { "true" } else { "false" });
    put("ConfirmationWasAuthenticated", if subscription.protocol == "sqs" { "true" } else { "false" });
    put("RawMessageDelivery", "false");
    if subscription.protocol == "http" {
        put("EffectiveDeliveryPolicy", DELIVERY_POLICY);
    }
    if subscription.attribute("FilterPolicy").is_some() {
        put("FilterPolicyScope", subscription.scope().name());
    }
    all.extend(subscription.attributes);
    Ok(json!({ "Attributes": all }))
}

pub(super) fn set_attributes(transaction: &mut Transaction<'_>, request: &Request) -> Result<Value, ApiError> {
    let mut subscription = Subscription::of(transaction, request.required("SubscriptionArn")?)?;
    let topic = Topic::named(transaction, &subscription.topic)?.ok_or_else(|| super::errors::not_found("Topic"))?;
    let name = request.required("AttributeName")?;
    let mut all = subscription.attributes.clone();
    all.insert(name.to_owned(), Value::from(request.text("AttributeValue").unwrap_or_default()));
    subscription.attributes = checked(&topic, &subscription.protocol, &all, "")?;
    subscription.save(transaction)?;
    Ok(json!({}))
}

pub(super) fn list(transaction: &mut Transaction<'_>, request: &Request) -> Result<Value, ApiError> {
    page(transaction, request, None)
}

pub(super) fn list_by_topic(transaction: &mut Transaction<'_>, request: &Request) -> Result<Value, ApiError> {
    let topic = Topic::of(transaction, request.required("TopicArn")?, "TopicArn")?;
    page(transaction, request, Some(&topic.name))
}

fn page(transaction: &Transaction<'_>, request: &Request, topic: Option<&str>) -> Result<Value, ApiError> {
    // The token is the last id of the page before.
    let after = request.text("NextToken").unwrap_or("0").parse().map_err(|_| invalid("NextToken"))?;
    let mut found = Subscription::page(transaction, topic, after, PAGE + 1)?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let mut page = json!({ "Subscriptions": found.iter().map(listed).collect::<Vec<_>>() });
    if let Some(last) = found.last().filter(|_| more) {
        page["NextToken"] = json!(last.id.to_string());
    }
    Ok(page)
}

fn listed(subscription: &Subscription) -> Value {
    json!({
        "SubscriptionArn": if subscription.token.is_none() { subscription.arn.as_str() } else { "PendingConfirmation" },
        "Owner": ACCOUNT,
        "Protocol": subscription.protocol,
        "Endpoint": subscription.endpoint,
        "TopicArn": topic_of(subscription),
    })
}

/// The topic's ARN is the subscription's without its id.
fn topic_of(subscription: &Subscription) -> String {
    let arn = subscription.arn.rsplit_once(':').map(|(topic, _)| topic.to_owned());
    arn.unwrap_or_else(|| topic_arn("", &subscription.topic))
}
