//! The JSON around a message for subscribers without raw delivery. There is no signature: nothing here could make one that
//! proves anything.

use serde_json::{Value, json};

use super::message::Message;
use super::request::Request;
use super::subscription::Subscription;
use super::topic::Topic;

/// The id, the time and, in FIFO topics, the sequence number of a published message.
pub(super) struct Published {
    pub(super) message_id: String,
    pub(super) sequence: Option<String>,
    /// Milliseconds since 1970.
    pub(super) at: i64,
}

pub(super) fn notification(
    request: &Request,
    topic: &Topic,
    subscription: &Subscription,
    message: &Message,
    published: &Published,
) -> String {
    let mut envelope = json!({
        "Type": "Notification",
        "MessageId": published.message_id,
        "TopicArn": topic.arn,
        "Message": message.body(&subscription.protocol),
        "Timestamp": timestamp(published.at),
        "SignatureVersion": topic.attribute("SignatureVersion").unwrap_or("1"),
        "UnsubscribeURL": unsubscribe_url(request, &subscription.arn),
    });
    if let Some(subject) = &message.subject {
        envelope["Subject"] = json!(subject);
    }
    if let Some(sequence) = &published.sequence {
        envelope["SequenceNumber"] = json!(sequence);
    }
    if !message.attributes.is_empty() {
        envelope["MessageAttributes"] = Value::Object(message.attributes.iter().map(attribute).collect());
    }
    envelope.to_string()
}

fn attribute((name, value): (&String, &Value)) -> (String, Value) {
    let text = value.get("StringValue").or_else(|| value.get("BinaryValue"));
    (name.clone(), json!({ "Type": value.get("DataType"), "Value": text }))
}

/// The request by which SNS asks an endpoint for its consent.
pub(super) fn confirmation(request: &Request, topic: &Topic, token: &str, message_id: &str, at: i64) -> String {
    let url = url(request, "ConfirmSubscription", &[("TopicArn", &topic.arn), ("Token", token)]);
    let arn = &topic.arn;
    let text = format!(
        "You have chosen to subscribe to the topic {arn}.\nTo confirm the subscription, visit the SubscribeURL included in this message."
    );
    json!({
        "Type": "SubscriptionConfirmation",
        "MessageId": message_id,
        "Token": token,
        "TopicArn": arn,
        "Message": text,
        "SubscribeURL": url,
        "Timestamp": timestamp(at),
        "SignatureVersion": "1",
    })
    .to_string()
}

fn unsubscribe_url(request: &Request, arn: &str) -> String {
    url(request, "Unsubscribe", &[("SubscriptionArn", arn)])
}

fn url(request: &Request, action: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("Action", action).extend_pairs(parameters).append_pair("Version", "2010-03-31");
    format!("{}/?{}", request.base, query.finish())
}

/// `2026-11-29T16:30:00.123Z`.
fn timestamp(milliseconds: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_in_the_calendar() {
        for (milliseconds, expected) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_799_999, "2000-02-29T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (1_796_056_200_123, "2026-11-30T16:30:00.123Z"),
        ] {
            assert_eq!(timestamp(milliseconds), expected);
        }
    }
}
