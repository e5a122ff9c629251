//! The way of a message to its subscriptions, within the transaction that publishes it: into a queue at once, to an HTTP
//! endpoint by way of the table `deliveries`.

use std::borrow::Cow;

use devenv_filters::FilterPolicy;
use rusqlite::params;
use serde_json::Map;
use uuid::Uuid;

use super::envelope::{self, Published};
use super::message::Message;
use super::redrive;
use super::request::Request;
use super::subscription::Subscription;
use super::topic::Topic;
use crate::front::error::{ApiError, Fault};
use crate::queues::message::NewMessage;
use crate::store::transaction::Transaction;

/// A request to an HTTP endpoint.
pub(super) struct Delivery<'a> {
    pub(super) subscription: &'a Subscription,
    pub(super) topic: &'a Topic,
    /// `x-amz-sns-message-type`.
    pub(super) kind: &'static str,
    pub(super) message_id: &'a str,
    pub(super) is_raw: bool,
    pub(super) body: &'a str,
    pub(super) dead_letters: Option<String>,
}

/// The subscriptions that get a topic's messages, each with its filter policy: read once for all messages of a call.
pub(super) struct Subscribers(Vec<(Subscription, Option<FilterPolicy>)>);

impl Subscribers {
    pub(super) fn of(transaction: &Transaction<'_>, topic: &Topic) -> Result<Self, ApiError> {
        let filtered = |subscription: Subscription| {
            let filter = subscription.filter()?;
            Ok((subscription, filter))
        };
        Ok(Self(
            Subscription::confirmed(transaction, topic)?.into_iter().map(filtered).collect::<Result<_, ApiError>>()?,
        ))
    }
}

pub(super) fn publish(
    transaction: &mut Transaction<'_>,
    request: &Request,
    (topic, subscribers): (&Topic, &Subscribers),
    message: &Message,
    deduplication: Option<&str>,
    published: &Published,
) -> Result<(), ApiError> {
    for (subscription, filter) in &subscribers.0 {
        if !message.passes(filter.as_ref(), &subscription.protocol) {
            continue;
        }
        let is_raw = subscription.is_raw();
        let body = if is_raw {
            message.body(&subscription.protocol).to_owned()
        } else {
            envelope::notification(request, topic, subscription, message, published)
        };
        let dead_letters = dead_letters(subscription, topic)?;
        if subscription.protocol == "http" {
            let (kind, message_id) = ("Notification", published.message_id.as_str());
            send(transaction, &Delivery { subscription, topic, kind, message_id, is_raw, body: &body, dead_letters })?;
            continue;
        }
        let queued = NewMessage {
            body,
            attributes: if is_raw { message.attributes.clone() } else { Map::new() },
            group: message.group.clone(),
            deduplication: deduplication.map(str::to_owned),
            ..NewMessage::default()
        };
        to_queue(transaction, &subscription.endpoint, dead_letters.as_deref(), &queued)?;
    }
    Ok(())
}

fn dead_letters(subscription: &Subscription, topic: &Topic) -> Result<Option<String>, ApiError> {
    subscription.attribute("RedrivePolicy").map(|policy| redrive::target(policy, topic.is_fifo)).transpose()
}

/// Puts a message into a queue. One that the queue does not take, or whose queue is gone, goes to the dead-letter queue; without
/// that it is lost, as in SNS.
pub(super) fn to_queue(
    transaction: &mut Transaction<'_>,
    queue: &str,
    dead_letters: Option<&str>,
    message: &NewMessage,
) -> Result<(), ApiError> {
    for arn in std::iter::once(queue).chain(dead_letters) {
        let Some(queue) = transaction.queue_by_arn(arn)? else { continue };
        let mut message = Cow::Borrowed(message);
        if !queue.settings.is_fifo && message.deduplication.is_some() {
            // A standard queue knows groups, but no ids.
            message.to_mut().deduplication = None;
        }
        match transaction.enqueue(&queue, &message) {
            Err(error) if error.fault == Fault::Sender => {}
            other => return other.map(drop),
        }
    }
    Ok(())
}

/// Asks an endpoint to confirm its subscription.
pub(super) fn ask(
    transaction: &Transaction<'_>,
    request: &Request,
    topic: &Topic,
    subscription: &Subscription,
    token: &str,
) -> Result<(), ApiError> {
    let message_id = Uuid::new_v4().to_string();
    let body = envelope::confirmation(request, topic, token, &message_id, transaction.now);
    let kind = "SubscriptionConfirmation";
    let asked =
        Delivery { subscription, topic, kind, message_id: &message_id, is_raw: false, body: &body, dead_letters: None };
    send(transaction, &asked)
}

fn send(transaction: &Transaction<'_>, delivery: &Delivery<'_>) -> Result<(), ApiError> {
    let insert = "INSERT INTO deliveries (subscription, topic, endpoint, kind, message_id, is_raw, body, dead_letters, due) \
                  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    transaction.connection.prepare_cached(insert)?.execute(params![
        delivery.subscription.arn,
        delivery.topic.arn,
        delivery.subscription.endpoint,
        delivery.kind,
        delivery.message_id,
        delivery.is_raw,
        delivery.body,
        delivery.dead_letters,
        transaction.now
    ])?;
    Ok(())
}
