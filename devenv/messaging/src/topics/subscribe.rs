use std::net::IpAddr;

use rusqlite::params;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use url::Url;
use uuid::Uuid;

use super::errors::{invalid, unsupported};
use super::request::Request;
use super::subscription::Subscription;
use super::topic::Topic;
use super::{fan_out, identity, subscription_calls};
use crate::front::error::ApiError;
use crate::store::transaction::Transaction;

/// What SNS delivers to besides `sqs` and `http`.
const ELSEWHERE: [&str; 7] = ["https", "email", "email-json", "sms", "application", "lambda", "firehose"];
const PENDING: &str = "pending confirmation";

pub(super) fn subscribe(transaction: &mut Transaction<'_>, request: &Request) -> Result<Value, ApiError> {
    let topic = Topic::of(transaction, request.required("TopicArn")?, "TopicArn")?;
    let protocol = request.required("Protocol")?;
    let endpoint = request.text("Endpoint").unwrap_or_default();
    check_endpoint(&topic, protocol, endpoint)?;
    let attributes = subscription_calls::checked(&topic, protocol, &request.map("Attributes"), "Attributes Reason: ")?;
    let subscription = match existing(transaction, &topic, protocol, endpoint)? {
        Some(existing) => repeated(transaction, request, &topic, same(existing, &attributes)?)?,
        None => added(transaction, request, &topic, protocol, endpoint, attributes)?,
    };
    let is_told = subscription.token.is_none() || request.flag("ReturnSubscriptionArn");
    Ok(json!({ "SubscriptionArn": if is_told { subscription.arn.as_str() } else { PENDING } }))
}

fn existing(
    transaction: &Transaction<'_>,
    topic: &Topic,
    protocol: &str,
    endpoint: &str,
) -> Result<Option<Subscription>, ApiError> {
    // A queue is the same one in every region.
    let any_region = match protocol {
        "sqs" => Some(format!(":{}:{}", identity::ACCOUNT, identity::queue_name(endpoint, "Endpoint")?)),
        _ => None,
    };
    let condition = "topic = ?1 AND protocol = ?2 AND (endpoint = ?3 OR substr(endpoint, -length(?4)) = ?4)";
    Subscription::find(transaction, condition, params![topic.name, protocol, endpoint, any_region])
}

/// A second call may leave the attributes out, but not change them.
fn same(existing: Subscription, attributes: &Map<String, Value>) -> Result<Subscription, ApiError> {
    if attributes.is_empty() || *attributes == existing.attributes {
        return Ok(existing);
    }
    Err(invalid("Attributes Reason: Subscription already exists with different attributes"))
}

/// A second call asks a pending endpoint again: the first time it may not have listened.
fn repeated(
    transaction: &Transaction<'_>,
    request: &Request,
    topic: &Topic,
    subscription: Subscription,
) -> Result<Subscription, ApiError> {
    if let Some(token) = &subscription.token {
        fan_out::ask(transaction, request, topic, &subscription, token)?;
    }
    Ok(subscription)
}

fn added(
    transaction: &mut Transaction<'_>,
    request: &Request,
    topic: &Topic,
    protocol: &str,
    endpoint: &str,
    attributes: Map<String, Value>,
) -> Result<Subscription, ApiError> {
    let arn = format!("{}:{}", topic.arn, Uuid::new_v4());
    // An HTTP endpoint has to confirm that it wants the messages; a queue of the same account does not.
    let token = (protocol == "http").then(|| token_of(&arn));
    let subscription = Subscription {
        id: 0,
        arn,
        topic: topic.name.clone(),
        protocol: protocol.to_owned(),
        endpoint: endpoint.to_owned(),
        attributes,
        token,
    };
    subscription.save(transaction)?;
    if let Some(token) = &subscription.token {
        fan_out::ask(transaction, request, topic, &subscription, token)?;
    }
    Ok(subscription)
}

/// The token that confirms a subscription. It follows from the ARN, so that a repeated confirmation is known as one.
fn token_of(arn: &str) -> String {
    format!("{:x}", Sha256::digest(format!("confirm {arn}")))
}

fn check_endpoint(topic: &Topic, protocol: &str, endpoint: &str) -> Result<(), ApiError> {
    match protocol {
        "sqs" => {
            let queue = identity::queue_name(endpoint, "Endpoint")?;
            if queue.ends_with(identity::FIFO) && !topic.is_fifo {
                let reason = "FIFO SQS Queues can not be subscribed to standard SNS topics";
                return Err(invalid(format!("Endpoint Reason: {reason}")));
            }
            Ok(())
        }
        "http" if topic.is_fifo => Err(invalid("Protocol Reason: FIFO topics deliver to queues only")),
        "http" => check_url(endpoint),
        other if ELSEWHERE.contains(&other) => Err(unsupported("Protocol", other, "use sqs, or http to this machine")),
        other => Err(invalid(format!("Protocol Reason: Amazon SNS does not support this protocol string: {other}"))),
    }
}

/// Accepts URLs of this machine alone.
fn check_url(endpoint: &str) -> Result<(), ApiError> {
    let rest =
        endpoint.strip_prefix("http://").ok_or_else(|| invalid("Endpoint Reason: it must begin with http://"))?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let is_here = host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    let is_plain = endpoint.bytes().all(|byte| byte.is_ascii_graphic()) && !authority.contains('@');
    if is_here && is_plain {
        return match Url::parse(endpoint) {
            Ok(_) => Ok(()),
            Err(error) => Err(invalid(format!("Endpoint Reason: it is not a URL: {error}"))),
        };
    }
    Err(unsupported("Endpoint", "addresses beyond this machine", "use 127.0.0.1, [::1] or localhost"))
}

pub(super) fn confirm(transaction: &mut Transaction<'_>, request: &Request) -> Result<Value, ApiError> {
    let topic = Topic::of(transaction, request.required("TopicArn")?, "TopicArn")?;
    let token = request.required("Token")?;
    let found = Subscription::find(transaction, "topic = ?1 AND token = ?2", [topic.name.as_str(), token])?;
    let subscription = match found {
        Some(mut pending) => {
            pending.token = None;
            pending.save(transaction)?;
            pending
        }
        None => {
            let mut confirmed = Subscription::confirmed(transaction, &topic)?.into_iter();
            let was_asked = |one: &Subscription| one.protocol == "http" && token_of(&one.arn) == token;
            confirmed.find(was_asked).ok_or_else(|| invalid("Token"))?
        }
    };
    Ok(json!({ "SubscriptionArn": subscription.arn }))
}

/// Removes a subscription. As in SNS, one that is gone is no error.
pub(super) fn unsubscribe(transaction: &mut Transaction<'_>, request: &Request) -> Result<Value, ApiError> {
    let arn = request.required("SubscriptionArn")?;
    identity::check_subscription_arn(arn)?;
    if let Some(subscription) = Subscription::find(transaction, "arn = ?1", [arn])? {
        let connection = transaction.connection;
        connection.prepare_cached("DELETE FROM subscriptions WHERE id = ?1")?.execute([subscription.id])?;
        connection.prepare_cached("DELETE FROM deliveries WHERE subscription = ?1")?.execute([arn])?;
        let count = "UPDATE topics SET removed = removed + 1 WHERE name = ?1";
        connection.prepare_cached(count)?.execute(params![subscription.topic])?;
    }
    Ok(json!({}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine() {
        for url in ["http://127.0.0.1:8000/x", "http://127.9.9.9", "http://[::1]:1/", "http://localhost:9?a=b"] {
            check_url(url).expect(url);
        }
        let elsewhere = [
            "https://127.0.0.1/",
            "http://example.com/",
            "http://127.0.0.1@example.com/",
            "http://127.0.0.1.example.com",
            "http://10.0.0.1/",
            "http://",
            "http://127.0.0.1/a b",
            "http://127.0.0.1:99999/",
            "http://127.0.0.1:port/",
            "127.0.0.1",
        ];
        for url in elsewhere {
            check_url(url).expect_err(url);
        }
    }
}
