//! SQS and SNS in memory, with faults.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::ready;
use serde_json::{Value, json};

use super::queue_service::{Attributes, MoveState, MoveTask, QueueService};
use super::topic_service::{Subscribed, TopicService};
use crate::error::Error;
use crate::provider::Answer;

#[derive(Debug, Default)]
pub(super) struct FakeMessaging(Mutex<State>);

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) queues: BTreeMap<String, FakeQueue>,
    pub(super) topics: BTreeMap<String, Attributes>,
    /// By topic and queue.
    pub(super) subscriptions: BTreeMap<(String, String), Attributes>,
    /// The calls that fail, such as `send work`, once for each entry.
    pub(super) fails: Vec<String>,
    pub(super) calls: Vec<String>,
}

#[derive(Debug, Default)]
pub(super) struct FakeQueue {
    pub(super) attributes: Attributes,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) messages: VecDeque<Value>,
    hidden: BTreeSet<usize>,
    /// Those of the tasks that were started.
    pub(super) destinations: Vec<Option<String>>,
    /// The looks at its task to come; the last one stays.
    pub(super) moves: VecDeque<MoveTask>,
}

impl FakeMessaging {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, call: String) -> Result<MutexGuard<'_, State>, Error> {
        let mut state = self.state();
        let fails = state.fails.iter().position(|known| *known == call);
        state.calls.push(call);
        match fails {
            Some(index) => {
                state.fails.remove(index);
                Err(refused("FakeException", "told to fail"))
            }
            None => Ok(state),
        }
    }

    fn on<T>(&self, operation: &str, queue: &str, work: impl FnOnce(&mut FakeQueue) -> T) -> Result<T, Error> {
        let mut state = self.call(format!("{operation} {queue}"))?;
        let held = state.queues.get_mut(queue);
        held.map(work).ok_or_else(|| refused("QueueDoesNotExist", queue))
    }
}

fn refused(kind: &str, message: &str) -> Error {
    Error::Refused { operation: "Fake", kind: kind.to_owned(), message: message.to_owned() }
}

fn attributes(definition: &Value) -> Attributes {
    serde_json::from_value(definition["Attributes"].clone()).unwrap_or_default()
}

fn name_in(arn: &Value) -> String {
    arn.as_str().and_then(|arn| arn.rsplit(':').next()).unwrap_or_default().to_owned()
}

impl QueueService for FakeMessaging {
    fn create<'a>(&'a self, definition: &'a Value) -> Answer<'a, ()> {
        let name = definition["QueueName"].as_str().unwrap_or_default().to_owned();
        let made = self.call(format!("create {name}")).and_then(|mut state| {
            let attributes = attributes(definition);
            if let Some(policy) = attributes.get("RedrivePolicy") {
                let policy: Value = serde_json::from_str(policy).expect("JSON");
                let arn = &policy["deadLetterTargetArn"];
                let is_complete = arn.as_str().is_some_and(|arn| !arn.contains("::"));
                if !is_complete || !state.queues.contains_key(&name_in(arn)) {
                    return Err(refused("InvalidParameterValue", "the dead-letter queue does not exist"));
                }
            }
            match state.queues.get(&name) {
                Some(there) if there.attributes != attributes => Err(refused("QueueNameExists", &name)),
                Some(_) => Ok(()),
                None => {
                    state.queues.insert(name, FakeQueue { attributes, ..FakeQueue::default() });
                    Ok(())
                }
            }
        });
        Box::pin(ready(made))
    }

    fn attributes<'a>(&'a self, queue: &'a str) -> Answer<'a, Option<Attributes>> {
        let found = self.call(format!("attributes {queue}")).map(|state| {
            let held = state.queues.get(queue)?;
            let mut attributes = held.attributes.clone();
            let visible = held.messages.len() - held.hidden.len();
            attributes.insert("ApproximateNumberOfMessages".to_owned(), visible.to_string());
            attributes.insert("ApproximateNumberOfMessagesNotVisible".to_owned(), held.hidden.len().to_string());
            Some(attributes)
        });
        Box::pin(ready(found))
    }

    fn set_attributes<'a>(&'a self, queue: &'a str, attributes: &'a Attributes) -> Answer<'a, ()> {
        let set = self.on("set", queue, |held| {
            for (name, value) in attributes {
                held.attributes.insert(name.clone(), value.clone());
            }
        });
        Box::pin(ready(set))
    }

    fn tags<'a>(&'a self, queue: &'a str) -> Answer<'a, BTreeMap<String, String>> {
        Box::pin(ready(self.on("tags", queue, |held| held.tags.clone())))
    }

    fn tag<'a>(&'a self, queue: &'a str, key: &'a str, value: &'a str) -> Answer<'a, ()> {
        let tagged = self.on("tag", queue, |held| {
            held.tags.insert(key.to_owned(), value.to_owned());
        });
        Box::pin(ready(tagged))
    }

    fn send<'a>(&'a self, queue: &'a str, message: &'a Value) -> Answer<'a, ()> {
        Box::pin(ready(self.on("send", queue, |held| held.messages.push_back(message.clone()))))
    }

    fn receive<'a>(&'a self, queue: &'a str, _seconds: u32) -> Answer<'a, Vec<Value>> {
        let received = self.on("receive", queue, |held| {
            let visible: Vec<usize> = (0..held.messages.len()).filter(|index| !held.hidden.contains(index)).collect();
            let some = visible.into_iter().take(10).map(|index| {
                held.hidden.insert(index);
                json!({ "Body": held.messages[index]["MessageBody"], "ReceiptHandle": index.to_string() })
            });
            some.collect::<Vec<Value>>()
        });
        Box::pin(ready(received))
    }

    fn release<'a>(&'a self, queue: &'a str, receipt: &'a str) -> Answer<'a, ()> {
        let released = self.on("release", queue, |held| {
            held.hidden.remove(&receipt.parse().expect("a receipt of this fake"));
        });
        Box::pin(ready(released))
    }

    fn delete<'a>(&'a self, queue: &'a str) -> Answer<'a, ()> {
        let deleted = self.call(format!("delete {queue}")).map(|mut state| {
            state.queues.remove(queue);
        });
        Box::pin(ready(deleted))
    }

    fn purge<'a>(&'a self, queue: &'a str) -> Answer<'a, ()> {
        let purged = self.on("purge", queue, |held| {
            held.messages.clear();
            held.hidden.clear();
        });
        Box::pin(ready(purged))
    }

    fn start_move<'a>(&'a self, dead_letter: &'a str, destination: Option<&'a str>) -> Answer<'a, ()> {
        let started = self.on("move", dead_letter, |held| held.destinations.push(destination.map(str::to_owned)));
        Box::pin(ready(started))
    }

    fn latest_move<'a>(&'a self, dead_letter: &'a str) -> Answer<'a, Option<MoveTask>> {
        let task = self.on("moves", dead_letter, |held| {
            let task = held.moves.front().cloned();
            if held.moves.len() > 1 {
                held.moves.pop_front();
            }
            if let Some(MoveTask { state: MoveState::Completed, .. }) = task {
                held.messages.clear();
            }
            task
        });
        Box::pin(ready(task))
    }
}

impl TopicService for FakeMessaging {
    fn create<'a>(&'a self, definition: &'a Value) -> Answer<'a, ()> {
        let name = definition["Name"].as_str().unwrap_or_default().to_owned();
        let made = self.call(format!("create {name}")).map(|mut state| {
            state.topics.entry(name).or_insert_with(|| attributes(definition));
        });
        Box::pin(ready(made))
    }

    fn attributes<'a>(&'a self, topic: &'a str) -> Answer<'a, Option<Attributes>> {
        let found = self.call(format!("attributes {topic}")).map(|state| state.topics.get(topic).cloned());
        Box::pin(ready(found))
    }

    fn set_attribute<'a>(&'a self, topic: &'a str, name: &'a str, value: &'a str) -> Answer<'a, ()> {
        let set = self.call(format!("set {topic}")).map(|mut state| {
            let held = state.topics.get_mut(topic).expect("it is there");
            held.insert(name.to_owned(), value.to_owned());
        });
        Box::pin(ready(set))
    }

    fn delete<'a>(&'a self, topic: &'a str) -> Answer<'a, ()> {
        let deleted = self.call(format!("delete {topic}")).map(|mut state| {
            state.topics.remove(topic);
            state.subscriptions.retain(|(of, _), _| of != topic);
        });
        Box::pin(ready(deleted))
    }

    fn subscribe<'a>(&'a self, definition: &'a Value) -> Answer<'a, ()> {
        let (topic, queue) = (name_in(&definition["TopicArn"]), name_in(&definition["Endpoint"]));
        let made = self.call(format!("subscribe {queue}")).and_then(|mut state| {
            if !state.topics.contains_key(&topic) || !state.queues.contains_key(&queue) {
                return Err(refused("NotFound", "topic or queue"));
            }
            state.subscriptions.insert((topic, queue), attributes(definition));
            Ok(())
        });
        Box::pin(ready(made))
    }

    fn subscriptions<'a>(&'a self, topic: &'a str) -> Answer<'a, Vec<Subscribed>> {
        let found = self.call(format!("subscriptions {topic}")).map(|state| {
            let of_topic = state.subscriptions.keys().filter(|(of, _)| of == topic);
            let listed = of_topic.map(|(topic, queue)| Subscribed {
                arn: format!("{topic}/{queue}"),
                protocol: "sqs".to_owned(),
                endpoint: devenv_model::messaging::queue_arn("eu-west-1", queue),
            });
            listed.collect::<Vec<Subscribed>>()
        });
        Box::pin(ready(found))
    }

    fn subscription_attributes<'a>(&'a self, arn: &'a str) -> Answer<'a, Option<Attributes>> {
        let found = self.call(format!("subscription {arn}")).map(|state| state.subscriptions.get(&key(arn)).cloned());
        Box::pin(ready(found))
    }

    fn set_subscription_attribute<'a>(&'a self, arn: &'a str, name: &'a str, value: &'a str) -> Answer<'a, ()> {
        let set = self.call(format!("set {arn}")).and_then(|mut state| {
            let held = state.subscriptions.get_mut(&key(arn)).expect("it is there");
            let mut changed = held.clone();
            changed.insert(name.to_owned(), value.to_owned());
            if is_nested(&changed) && changed.get("FilterPolicyScope").is_none_or(|scope| scope != "MessageBody") {
                return Err(refused("InvalidParameter", "FilterPolicy: a filter on attributes is not nested"));
            }
            *held = changed;
            Ok(())
        });
        Box::pin(ready(set))
    }

    fn unsubscribe<'a>(&'a self, arn: &'a str) -> Answer<'a, ()> {
        let removed = self.call(format!("unsubscribe {arn}")).map(|mut state| {
            state.subscriptions.remove(&key(arn));
        });
        Box::pin(ready(removed))
    }
}

fn is_nested(attributes: &Attributes) -> bool {
    let policy: Option<Value> = attributes.get("FilterPolicy").and_then(|text| serde_json::from_str(text).ok());
    policy.is_some_and(|policy| policy.as_object().is_some_and(|keys| keys.values().any(Value::is_object)))
}

fn key(arn: &str) -> (String, String) {
    let (topic, queue) = arn.split_once('/').expect("an ARN of this fake");
    (topic.to_owned(), queue.to_owned())
}
