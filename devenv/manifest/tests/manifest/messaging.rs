//! Reads the files of queues, topics and subscriptions, and reports each mistake at its place.

use devenv_model::messaging::Messaging;
use proptest::prelude::*;

use crate::sources::Sources;

const WORK: &str = r#"{
  "QueueName": "work",
  "Attributes": {
    "VisibilityTimeout": "60",
    "RedrivePolicy": "{\"deadLetterTargetArn\":\"arn:aws:sqs:::work-dead\",\"maxReceiveCount\":5}"
  }
}
"#;
const DEAD: &str = r#"{
  "QueueName": "work-dead",
  "Attributes": { "MessageRetentionPeriod": "1209600" },
  "tags": { "team": "orders" }
}
"#;
const EVENTS: &str = r#"{ "Name": "events" }
"#;
const SUBSCRIPTION: &str = r#"{
  "TopicArn": "arn:aws:sns:::events",
  "Protocol": "sqs",
  "Endpoint": "arn:aws:sqs:::work",
  "Attributes": {
    "RawMessageDelivery": "true",
    "FilterPolicy": "{\"type\":[\"order.confirmed\",{\"prefix\":\"stock.\"}]}"
  }
}
"#;

fn named(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn good() -> Sources {
    let mut sources = Sources::good();
    let folders = "seeds = \"seeds\"\nqueues = \"queues\"\ntopics = \"topics\"\nsubscriptions = \"subscriptions\"\n";
    sources.settings = sources.settings.replace("seeds = \"seeds\"\n", folders);
    sources.queues = named(&[("work", WORK), ("work-dead", DEAD)]);
    sources.topics = named(&[("events", EVENTS)]);
    sources.subscriptions = named(&[("work-events", SUBSCRIPTION)]);
    sources.seeds.extend(named(&[("work", r#"[{ "MessageBody": "{\"id\":1}" }]"#)]));
    sources
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

fn queue(from: &str, to: &str) -> String {
    let mut sources = good();
    sources.queues[0].1 = replaced(WORK, from, to);
    sources.drawn()
}

fn dead(from: &str, to: &str) -> String {
    let mut sources = good();
    sources.queues[1].1 = replaced(DEAD, from, to);
    sources.drawn()
}

fn topic(text: &str) -> String {
    let mut sources = good();
    text.clone_into(&mut sources.topics[0].1);
    sources.drawn()
}

fn subscription(from: &str, to: &str) -> String {
    let mut sources = good();
    sources.subscriptions[0].1 = replaced(SUBSCRIPTION, from, to);
    sources.drawn()
}

fn seed(text: &str) -> String {
    let mut sources = good();
    text.clone_into(&mut sources.seeds[1].1);
    sources.drawn()
}

#[test]
fn a_dead_letter_queue_comes_before_the_queue_that_names_it() {
    let manifest = good().assemble().expect("no mistake");
    let names: Vec<String> = manifest.resources().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["table items", "queue work-dead", "queue work", "topic events", "subscription work-events"]);
    let Messaging { queues, subscriptions, seeds, .. } = &manifest.messaging;
    assert_eq!(queues[1].dead_letter.as_deref(), Some("work-dead"));
    // The file reaches the emulator as it is, but for its ARNs.
    assert_eq!(queues[1].definition, serde_json::from_str::<serde_json::Value>(WORK).expect("JSON"));
    assert_eq!((subscriptions[0].topic.as_str(), subscriptions[0].queue.as_str()), ("events", "work"));
    assert_eq!((seeds[0].queue.as_str(), seeds[0].messages.len()), ("work", 1));
    let seeded: Vec<String> = manifest.seeded().iter().map(|(id, count)| format!("{count} in {id}")).collect();
    assert_eq!(seeded, ["1 in table items", "1 in queue work"]);
}

#[test]
fn a_queue_that_shares_its_name_with_a_table_has_its_messages_in_a_file_of_their_own() {
    let mut sources = good();
    sources.queues.push(("items".to_owned(), r#"{ "QueueName": "items" }"#.to_owned()));
    sources.seeds.push(("items.messages".to_owned(), r#"[{ "MessageBody": "a" }]"#.to_owned()));
    let manifest = sources.assemble().expect("no mistake");
    let seeded: Vec<String> = manifest.seeded().iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!(seeded, ["table items", "queue work", "queue items"]);
}

#[test]
fn fifo_queues_and_topics_are_read() {
    let mut sources = good();
    let fifo = |text: &str| {
        text.replace("work-dead", "work-dead.fifo").replace("\"work\"", "\"work.fifo\"").replace(
            "\"Attributes\": {",
            "\"Attributes\": { \"FifoQueue\": \"true\", \"ContentBasedDeduplication\": \"true\",",
        )
    };
    sources.queues = named(&[("work", &fifo(WORK)), ("dead", &fifo(DEAD))]);
    sources.topics[0].1 = r#"{ "Name": "events.fifo", "Attributes": { "FifoTopic": "true" } }"#.to_owned();
    sources.subscriptions[0].1 =
        SUBSCRIPTION.replace("sns:::events", "sns:::events.fifo").replace("sqs:::work", "sqs:::work.fifo");
    sources.seeds[1] =
        ("work.fifo".to_owned(), r#"[{ "MessageBody": "a", "MessageGroupId": "customer-1" }]"#.to_owned());
    let manifest = sources.assemble().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(manifest.messaging.seeds[0].queue, "work.fifo");
}

#[test]
fn of_queues() {
    insta::assert_snapshot!("queue unknown key", queue("QueueName", "QueueNames"));
    insta::assert_snapshot!("queue unknown attribute", queue("VisibilityTimeout", "VisibilityTimeouts"));
    insta::assert_snapshot!("queue attribute range", queue("\"60\"", "\"43201\""));
    insta::assert_snapshot!("queue attribute number", queue("\"60\"", "60"));
    insta::assert_snapshot!("queue policy", queue("\"VisibilityTimeout\": \"60\"", "\"Policy\": \"{}\""));
    insta::assert_snapshot!("queue unknown dead letter queue", queue("work-dead", "work-deed"));
    insta::assert_snapshot!("queue full arn", queue("sqs:::work", "sqs:eu-west-1:111122223333:work"));
    insta::assert_snapshot!("queue own dead letter queue", queue("sqs:::work-dead", "sqs:::work"));
    insta::assert_snapshot!("queue receives", queue("\\\"maxReceiveCount\\\":5", "\\\"maxReceiveCount\\\":\\\"0\\\""));
    insta::assert_snapshot!("queue redrive key", queue("maxReceiveCount", "maxReceiveCounts"));
    insta::assert_snapshot!("queue redrive not json", queue("\\\"maxReceiveCount\\\":5}", "\\\"maxReceiveCount\\\":5"));
    insta::assert_snapshot!("queue fifo suffix", queue("\"work\"", "\"work.fifo\""));
    insta::assert_snapshot!("queue name", queue("\"work\"", "\"my work\""));
    insta::assert_snapshot!(
        "queue fifo without suffix",
        queue("\"VisibilityTimeout\": \"60\"", "\"FifoQueue\": \"true\", \"VisibilityTimeout\": \"60\"")
    );
    insta::assert_snapshot!(
        "queue of fifo only",
        queue("\"VisibilityTimeout\": \"60\"", "\"DeduplicationScope\": \"queue\"")
    );
    insta::assert_snapshot!("queue twice", dead("\"work-dead\"", "\"work\""));
    insta::assert_snapshot!(
        "queue dead letters not allowed",
        dead("\"1209600\"", r#""60", "RedriveAllowPolicy": "{\"redrivePermission\":\"denyAll\"}""#)
    );
    insta::assert_snapshot!(
        "queue cycle",
        dead(
            "\"1209600\"",
            r#""60", "RedrivePolicy": "{\"deadLetterTargetArn\":\"arn:aws:sqs:::work\",\"maxReceiveCount\":1}""#
        )
    );
}

#[test]
fn a_dead_letter_queue_of_another_type_is_refused() {
    let mut sources = good();
    sources.queues[0].1 = WORK.replace("work-dead", "work-dead.fifo");
    sources.queues[1].1 = DEAD
        .replace("work-dead", "work-dead.fifo")
        .replace("\"Attributes\": {", "\"Attributes\": { \"FifoQueue\": \"true\",");
    insta::assert_snapshot!("queue fifo mix", sources.drawn());
}

#[test]
fn of_topics() {
    insta::assert_snapshot!("topic unknown key", topic(r#"{ "TopicName": "events" }"#));
    insta::assert_snapshot!("topic name", topic(r#"{ "Name": "order events" }"#));
    insta::assert_snapshot!(
        "topic attributes",
        topic(r#"{ "Name": "events", "Attributes": { "ContentBasedDeduplication": "yes", "Policy": "{}" } }"#)
    );
    insta::assert_snapshot!("topic not a mapping", topic("[]"));
    let mut sources = good();
    sources.topics.push(("more".to_owned(), EVENTS.to_owned()));
    insta::assert_snapshot!("topic twice", sources.drawn());
}

#[test]
fn of_subscriptions() {
    insta::assert_snapshot!("subscription unknown topic", subscription("sns:::events", "sns:::event"));
    insta::assert_snapshot!("subscription unknown queue", subscription("sqs:::work", "sqs:::reporting"));
    insta::assert_snapshot!("subscription protocol", subscription("\"sqs\"", "\"email\""));
    insta::assert_snapshot!("subscription not an arn", subscription("arn:aws:sns:::events", "events"));
    insta::assert_snapshot!("subscription filter", subscription("prefix", "prefx"));
    insta::assert_snapshot!(
        "subscription filter of body",
        subscription(
            "{\\\"type\\\":[\\\"order.confirmed\\\",{\\\"prefix\\\":\\\"stock.\\\"}]}",
            "{\\\"order\\\":{\\\"id\\\":[1]}}"
        )
    );
    insta::assert_snapshot!(
        "subscription raw",
        subscription("\"RawMessageDelivery\": \"true\"", "\"RawMessageDelivery\": true")
    );
    let mut sources = good();
    sources.subscriptions.push(("again".to_owned(), SUBSCRIPTION.to_owned()));
    insta::assert_snapshot!("subscription twice", sources.drawn());
    let mut sources = good();
    sources
        .queues
        .push(("f".to_owned(), r#"{ "QueueName": "f.fifo", "Attributes": { "FifoQueue": "true" } }"#.to_owned()));
    sources.subscriptions[0].1 = SUBSCRIPTION.replace("sqs:::work", "sqs:::f.fifo");
    insta::assert_snapshot!("subscription fifo mix", sources.drawn());
}

#[test]
fn of_messages() {
    insta::assert_snapshot!("message unknown key", seed(r#"[{ "MessageBdy": "a" }]"#));
    insta::assert_snapshot!(
        "message values",
        seed(r#"[{ "MessageBody": { "id": 1 }, "DelaySeconds": 901, "MessageAttributes": { "type": "a" } }, 1]"#)
    );
    insta::assert_snapshot!(
        "message deduplication",
        seed(r#"[{ "MessageBody": "a", "MessageDeduplicationId": "1" }]"#)
    );
    let mut sources = good();
    sources.seeds[1].0 = "works".to_owned();
    insta::assert_snapshot!("message of no queue", sources.drawn());
}

#[test]
fn a_reference_to_a_queue_or_topic_is_checked_in_devenv_toml_and_in_the_compose_file() {
    let mut sources = good();
    sources.settings =
        sources.settings.replace("env = { ", "env = { QUEUE = \"${queue:work}\", TOPIC = \"${topic:event}\", ");
    sources.compose = sources.compose.replace(
        "    image: web:1\n",
        "    image: web:1\n    environment:\n      QUEUE: $${queue:works}\n      TOPIC: $${topic:events}\n      SHELL: $${HOME}\n",
    );
    insta::assert_snapshot!("reference to a queue or topic", sources.drawn());
}

proptest! {
    #[test]
    fn no_small_change_panics(
        file in 0_usize..4,
        at in 0_usize..300,
        remove in 0_usize..3,
        with in "[a-z0-9:,\\[\\]{}\"\\\\$. \n\té😀-]{0,3}",
    ) {
        let mut sources = good();
        let text = match file {
            0 => &mut sources.queues[0].1,
            1 => &mut sources.topics[0].1,
            2 => &mut sources.subscriptions[0].1,
            _ => &mut sources.seeds[1].1,
        };
        let at = at.min(text.len());
        let end = (at + remove).min(text.len());
        text.replace_range(at..end, &with);
        if let Err(error) = sources.assemble() {
            prop_assert!(error.problems.iter().all(|problem| problem.report().line > 0));
        }
    }
}
