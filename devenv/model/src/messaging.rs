//! Queues, topics and subscriptions as their files describe them, and their names in an emulator.

use camino::Utf8PathBuf;
use serde_json::Value;

use crate::resource::{ResourceId, ResourceKind};

/// The account of every emulator.
pub const ACCOUNT: &str = "000000000000";
/// The services in whose ARNs a file leaves region and account empty.
const SERVICES: [&str; 2] = ["sqs", "sns"];
/// The keys whose values belong to a person: a text that looks like an ARN stays as it is there.
const VERBATIM: [&str; 3] = ["FilterPolicy", "Tags", "tags"];

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Messaging {
    /// The queues in the order of their creation: a dead-letter queue comes before the queues that name it.
    pub queues: Vec<Queue>,
    /// The topics in the order of their file names.
    pub topics: Vec<Topic>,
    /// The subscriptions in the order of their file names.
    pub subscriptions: Vec<Subscription>,
    /// The messages of queues in the order of their file names.
    pub seeds: Vec<MessageSeed>,
}

/// A queue file: the `CreateQueue` input. Its ARNs leave region and account empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    pub name: String,
    pub file: Utf8PathBuf,
    /// The name of its dead-letter queue.
    pub dead_letter: Option<String>,
    pub definition: Value,
}

/// A topic file: the `CreateTopic` input.
#[derive(Debug, Clone, PartialEq)]
pub struct Topic {
    pub name: String,
    pub file: Utf8PathBuf,
    pub definition: Value,
}

/// A subscription file: the `Subscribe` input. Its name is the file's stem.
#[derive(Debug, Clone, PartialEq)]
pub struct Subscription {
    pub name: String,
    pub file: Utf8PathBuf,
    pub topic: String,
    pub queue: String,
    /// The queue of the messages that the topic cannot deliver.
    pub dead_letter: Option<String>,
    pub definition: Value,
}

/// A seed file of a queue: `SendMessage` inputs without `QueueUrl`.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageSeed {
    pub queue: String,
    pub file: Utf8PathBuf,
    pub messages: Vec<Value>,
}

impl Messaging {
    pub fn is_empty(&self) -> bool {
        self.queues.is_empty() && self.topics.is_empty() && self.subscriptions.is_empty()
    }

    /// The queues, topics and subscriptions in the order of their creation.
    pub fn resources(&self) -> impl Iterator<Item = ResourceId> {
        let queues = self.queues.iter().map(|queue| ResourceId::new(ResourceKind::Queue, &queue.name));
        let topics = self.topics.iter().map(|topic| ResourceId::new(ResourceKind::Topic, &topic.name));
        let named = |subscription: &Subscription| ResourceId::new(ResourceKind::Subscription, &subscription.name);
        queues.chain(topics).chain(self.subscriptions.iter().map(named))
    }

    /// Each resource that needs others to exist before it, with those.
    pub fn needs(&self) -> impl Iterator<Item = (ResourceId, Vec<ResourceId>)> {
        let queues = self.queues.iter().map(|queue| (ResourceId::new(ResourceKind::Queue, &queue.name), queue.needs()));
        let subscriptions = self.subscriptions.iter().map(|subscription| {
            (ResourceId::new(ResourceKind::Subscription, &subscription.name), subscription.needs())
        });
        queues.chain(subscriptions).filter(|(_, needs)| !needs.is_empty())
    }

    /// The AWS services that an emulator must offer beside DynamoDB, by their names in endpoints.
    pub fn services(&self) -> Vec<&'static str> {
        let sqs = (!self.queues.is_empty()).then_some("sqs");
        let sns = (!self.topics.is_empty() || !self.subscriptions.is_empty()).then_some("sns");
        sqs.into_iter().chain(sns).collect()
    }
}

impl Queue {
    pub fn needs(&self) -> Vec<ResourceId> {
        self.dead_letter.iter().map(|name| ResourceId::new(ResourceKind::Queue, name)).collect()
    }
}

impl Subscription {
    pub fn needs(&self) -> Vec<ResourceId> {
        let queues = [&self.queue].into_iter().chain(&self.dead_letter);
        let queues = queues.map(|name| ResourceId::new(ResourceKind::Queue, name));
        queues.chain([ResourceId::new(ResourceKind::Topic, &self.topic)]).collect()
    }
}

/// The port of queues and topics in an emulator's container, if tables have another one: the usual one of emulated queues.
pub const PORT: u16 = 9324;

/// The URL of a queue of the emulator at `emulator`, an address such as `http://127.0.0.1:9324`.
pub fn queue_url(emulator: &str, name: &str) -> String {
    format!("{}/{ACCOUNT}/{name}", emulator.trim_end_matches('/'))
}

pub fn queue_arn(region: &str, name: &str) -> String {
    format!("arn:aws:sqs:{region}:{ACCOUNT}:{name}")
}

pub fn topic_arn(region: &str, name: &str) -> String {
    format!("arn:aws:sns:{region}:{ACCOUNT}:{name}")
}

/// Fills in region and account in the ARNs of a definition that leave both empty, also in the JSON within its texts.
#[must_use]
pub fn completed(definition: &Value, region: &str) -> Value {
    match definition {
        Value::String(text) => Value::String(completed_text(text, region)),
        Value::Array(items) => items.iter().map(|item| completed(item, region)).collect(),
        Value::Object(entries) => {
            let fill = |(key, value): (&String, &Value)| {
                let value = if VERBATIM.contains(&key.as_str()) { value.clone() } else { completed(value, region) };
                (key.clone(), value)
            };
            Value::Object(entries.iter().map(fill).collect())
        }
        other => other.clone(),
    }
}

fn completed_text(text: &str, region: &str) -> String {
    let mut text = text.to_owned();
    for service in SERVICES {
        text = text.replace(&format!("arn:aws:{service}:::"), &format!("arn:aws:{service}:{region}:{ACCOUNT}:"));
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arns_without_region_and_account_are_completed_and_no_other_text() {
        let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:::dead","maxReceiveCount":5}"#;
        let file = json!({
            "TopicArn": "arn:aws:sns:::orders", "Endpoint": "arn:aws:sqs:us-east-1:111122223333:other",
            "Attributes": { "RedrivePolicy": policy, "FilterPolicy": "{\"arn\":[\"arn:aws:sqs:::x\"]}" }, "Number": 1,
        });
        let filled = completed(&file, "eu-west-1");
        assert_eq!(filled["TopicArn"], topic_arn("eu-west-1", "orders"));
        assert_eq!(filled["Endpoint"], file["Endpoint"]);
        let expected = r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:000000000000:dead","maxReceiveCount":5}"#;
        assert_eq!(filled["Attributes"]["RedrivePolicy"], expected);
        assert_eq!(filled["Attributes"]["FilterPolicy"], file["Attributes"]["FilterPolicy"]);
        assert_eq!(filled["Number"], 1);
    }

    #[test]
    fn a_subscription_needs_its_topic_and_its_queues() {
        let queue = |name: &str, dead_letter: Option<&str>| Queue {
            name: name.to_owned(),
            file: "q.json".into(),
            dead_letter: dead_letter.map(str::to_owned),
            definition: Value::Null,
        };
        let subscription = Subscription {
            name: "report".to_owned(),
            file: "report.json".into(),
            topic: "events".to_owned(),
            queue: "work".to_owned(),
            dead_letter: Some("dead".to_owned()),
            definition: Value::Null,
        };
        let topic = Topic { name: "events".to_owned(), file: "t.json".into(), definition: Value::Null };
        let messaging = Messaging {
            queues: vec![queue("dead", None), queue("work", Some("dead"))],
            topics: vec![topic],
            subscriptions: vec![subscription],
            seeds: Vec::new(),
        };
        let needs: Vec<String> = messaging
            .needs()
            .map(|(resource, needs)| {
                let needs: Vec<String> = needs.iter().map(ToString::to_string).collect();
                format!("{resource}: {}", needs.join(", "))
            })
            .collect();
        assert_eq!(needs, ["queue work: queue dead", "subscription report: queue work, queue dead, topic events"]);
        let order: Vec<String> = messaging.resources().map(|resource| resource.to_string()).collect();
        assert_eq!(order, ["queue dead", "queue work", "topic events", "subscription report"]);
        assert_eq!(messaging.services(), ["sqs", "sns"]);
    }
}
