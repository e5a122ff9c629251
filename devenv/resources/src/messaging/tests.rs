//! The providers of queues, topics and subscriptions, and a redrive, on services in memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use devenv_model::functions::Functions;
use devenv_model::manifest::{Emulator, Manifest};
use devenv_model::messaging::{MessageSeed, Messaging, Queue, Subscription, Topic};
use devenv_model::observed::ObservedResource;
use devenv_model::resource::{ResourceId, ResourceKind};
use serde_json::{Value, json};

use super::fake::FakeMessaging;
use super::queue_service::{MoveState, MoveTask};
use super::queues::Queues;
use super::redrive::Redriven;
use super::subscriptions::Subscriptions;
use super::topics::Topics;
use crate::error::Error;
use crate::resources::Resources;

const REGION: &str = "eu-west-1";

fn queue(name: &str, dead_letter: Option<&str>) -> Queue {
    let mut definition = json!({ "QueueName": name, "Attributes": { "VisibilityTimeout": "60" } });
    if let Some(dead) = dead_letter {
        let policy = json!({ "deadLetterTargetArn": format!("arn:aws:sqs:::{dead}"), "maxReceiveCount": 5 });
        definition["Attributes"]["RedrivePolicy"] = policy.to_string().into();
    }
    let file = format!("queues/{name}.json").into();
    Queue { name: name.to_owned(), file, dead_letter: dead_letter.map(str::to_owned), definition }
}

/// A queue with two messages and a dead-letter queue, a topic, and a filtered subscription.
fn manifest() -> Manifest {
    let subscription = json!({
        "TopicArn": "arn:aws:sns:::events", "Protocol": "sqs", "Endpoint": "arn:aws:sqs:::work",
        "Attributes": { "FilterPolicy": "{\"type\":[\"order.confirmed\"]}" },
    });
    let messaging = Messaging {
        queues: vec![queue("work-dead", None), queue("work", Some("work-dead"))],
        topics: vec![Topic {
            name: "events".to_owned(),
            file: "topics/events.json".into(),
            definition: json!({ "Name": "events" }),
        }],
        subscriptions: vec![Subscription {
            name: "work-events".to_owned(),
            file: "subscriptions/work-events.json".into(),
            topic: "events".to_owned(),
            queue: "work".to_owned(),
            dead_letter: None,
            definition: subscription,
        }],
        seeds: vec![MessageSeed {
            queue: "work".to_owned(),
            file: "seeds/work.json".into(),
            messages: vec![json!({ "MessageBody": "a" }), json!({ "MessageBody": "b" })],
        }],
    };
    Manifest {
        name: "shop".to_owned(),
        root: "/shop".into(),
        services: BTreeMap::new(),
        uses_aws: true,
        emulator: Emulator::default(),
        tables: Vec::new(),
        seeds: Vec::new(),
        messaging,
        databases: Vec::new(),
        functions: Functions::default(),
        test: None,
        promote: BTreeMap::new(),
    }
}

fn queues(fake: &Arc<FakeMessaging>, manifest: &Manifest) -> Queues {
    Queues::new(fake.clone(), manifest, REGION)
}

fn resources(fake: &Arc<FakeMessaging>, manifest: &Manifest) -> Resources {
    Resources::new(vec![
        Arc::new(queues(fake, manifest)),
        Arc::new(Topics::new(fake.clone(), manifest, REGION)),
        Arc::new(Subscriptions::new(fake.clone(), manifest, REGION)),
    ])
}

fn work() -> ResourceId {
    ResourceId::new(ResourceKind::Queue, "work")
}

fn subscription() -> ResourceId {
    ResourceId::new(ResourceKind::Subscription, "work-events")
}

fn matching(absent_seeds: usize) -> ObservedResource {
    ObservedResource::Matching { absent_seeds }
}

#[tokio::test]
async fn what_is_made_and_seeded_is_observed_so() {
    let fake = Arc::new(FakeMessaging::default());
    let resources = resources(&fake, &manifest());
    assert_eq!(resources.observe().await.expect("answers"), BTreeMap::new());
    resources.ensure_all().await.expect("made");
    resources.ensure_all().await.expect("there already");
    let seen = resources.observe().await.expect("answers");
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|(id, seen)| *seen == matching(if *id == work() { 2 } else { 0 })), "{seen:?}");
    assert_eq!(resources.seed(&work()).await.expect("sent"), 2);
    assert_eq!(resources.seed(&work()).await.expect("left alone"), 0);
    assert_eq!(resources.observe().await.expect("answers")[&work()], matching(0));
    let listed = resources.list().await.expect("answers");
    let depth = listed.iter().find(|listed| listed.resource == work()).and_then(|listed| listed.depth);
    assert_eq!(depth.map(|depth| (depth.visible, depth.in_flight)), Some((2, 0)));
    // A look at the messages leaves them where they are.
    let bodies: Vec<Value> =
        resources.dump(&work(), 10).await.expect("read").iter().map(|message| message["Body"].clone()).collect();
    assert_eq!(bodies, ["a", "b"]);
    assert_eq!(resources.dump(&work(), 1).await.expect("read").len(), 1);
}

#[tokio::test]
async fn a_seeded_queue_that_was_emptied_is_left_alone_until_a_reset() {
    let fake = Arc::new(FakeMessaging::default());
    let resources = resources(&fake, &manifest());
    resources.ensure_all().await.expect("made");
    resources.seed(&work()).await.expect("sent");
    fake.state().queues.get_mut("work").expect("made").messages.clear();
    assert_eq!(resources.seed(&work()).await.expect("left alone"), 0);
    assert_eq!(resources.observe().await.expect("answers")[&work()], matching(0));
    resources.remove_all().await.expect("removed");
    let put = resources.make_all().await.expect("rebuilt");
    assert_eq!((put.len(), put[&work()]), (4, 2));
    assert_eq!(fake.state().queues["work"].messages.len(), 2);
    assert_eq!(fake.state().subscriptions.len(), 1);
}

#[tokio::test]
async fn a_changed_file_changes_what_is_there() {
    let fake = Arc::new(FakeMessaging::default());
    let before = manifest();
    resources(&fake, &before).ensure_all().await.expect("made");
    resources(&fake, &before).seed(&work()).await.expect("sent");
    let mut after = before.clone();
    after.messaging.queues[1].definition["Attributes"]["VisibilityTimeout"] = "90".into();
    let attributes = &mut after.messaging.queues[1].definition["Attributes"];
    attributes.as_object_mut().expect("a mapping").remove("RedrivePolicy");
    after.messaging.topics[0].definition["Attributes"] = json!({ "DisplayName": "Events" });
    after.messaging.subscriptions[0].definition["Attributes"] = json!({ "RawMessageDelivery": "true" });
    let resources = resources(&fake, &after);
    let seen = resources.observe().await.expect("answers");
    let ObservedResource::Changeable { differences, absent_seeds: 0 } = &seen[&work()] else { panic!("{seen:?}") };
    assert_eq!(differences.len(), 2);
    assert_eq!(differences[0], "VisibilityTimeout is 90 in the file, 60 in the queue");
    resources.ensure_all().await.expect("changed");
    let seen = resources.observe().await.expect("answers");
    assert!(seen.values().all(|seen| *seen == matching(0)), "{seen:?}");
    let state = fake.state();
    assert_eq!(state.queues["work"].messages.len(), 2, "no message is lost");
    assert_eq!(state.queues["work"].attributes["RedrivePolicy"], "");
    assert_eq!(state.topics["events"]["DisplayName"], "Events");
    let policy = &state.subscriptions[&("events".to_owned(), "work".to_owned())]["FilterPolicy"];
    assert_eq!(policy, "{}");
}

#[tokio::test]
async fn the_scope_of_a_filter_changes_with_it_and_a_redrive_policy_is_removed() {
    let fake = Arc::new(FakeMessaging::default());
    let (flat, nested) = (manifest(), {
        let mut nested = manifest();
        nested.messaging.subscriptions[0].definition["Attributes"] = json!({
            "FilterPolicyScope": "MessageBody", "FilterPolicy": "{\"order\":{\"state\":[\"confirmed\"]}}",
            "RedrivePolicy": "{\"deadLetterTargetArn\":\"arn:aws:sqs:::work-dead\"}",
        });
        nested
    });
    for manifest in [&flat, &nested, &flat, &nested] {
        let resources = resources(&fake, manifest);
        resources.ensure_all().await.expect("changed");
        assert_eq!(resources.observe().await.expect("answers")[&subscription()], matching(0));
    }
    resources(&fake, &flat).ensure_all().await.expect("changed");
    let held = fake.state().subscriptions[&("events".to_owned(), "work".to_owned())].clone();
    assert_eq!(held["RedrivePolicy"], "");
}

#[tokio::test]
async fn a_subscription_made_in_another_region_is_the_same() {
    let fake = Arc::new(FakeMessaging::default());
    resources(&fake, &manifest()).ensure_all().await.expect("made");
    let elsewhere = Subscriptions::new(fake.clone(), &manifest(), "us-east-1");
    let seen = Resources::new(vec![Arc::new(elsewhere)]).observe().await.expect("answers");
    assert_eq!(seen[&subscription()], matching(0));
}

#[tokio::test]
async fn a_seed_that_broke_off_goes_on() {
    let fake = Arc::new(FakeMessaging::default());
    let resources = resources(&fake, &manifest());
    resources.ensure_all().await.expect("made");
    // One message was sent, and a consumer has taken it.
    fake.state().queues.get_mut("work").expect("made").tags.insert("devenv:seeded".to_owned(), "1".to_owned());
    assert_eq!(resources.observe().await.expect("answers")[&work()], matching(1));
    assert_eq!(resources.seed(&work()).await.expect("sent"), 1);
    assert_eq!(resources.seed(&work()).await.expect("left alone"), 0);
    let state = fake.state();
    assert_eq!(state.queues["work"].messages, [json!({ "MessageBody": "b" })]);
    assert_eq!(state.queues["work"].tags["devenv:seeded"], "true");
}

#[tokio::test]
async fn a_seed_whose_send_fails_is_whole_after_the_next() {
    let fake = Arc::new(FakeMessaging::default());
    let resources = resources(&fake, &manifest());
    resources.ensure_all().await.expect("made");
    fake.state().fails.push("send work".to_owned());
    resources.seed(&work()).await.expect_err("told to fail");
    assert_eq!(resources.seed(&work()).await.expect("sent"), 2);
    let bodies: Vec<Value> =
        fake.state().queues["work"].messages.iter().map(|message| message["MessageBody"].clone()).collect();
    assert_eq!(bodies, ["a", "b"]);
}

#[tokio::test]
async fn a_queue_without_a_record_that_holds_messages_is_left_alone() {
    let fake = Arc::new(FakeMessaging::default());
    let resources = resources(&fake, &manifest());
    resources.ensure_all().await.expect("made");
    fake.state().queues.get_mut("work").expect("made").messages.push_back(json!({ "MessageBody": "own" }));
    assert_eq!(resources.seed(&work()).await.expect("it holds messages"), 0);
    assert_eq!(fake.state().queues["work"].messages.len(), 1);
}

#[tokio::test]
async fn a_reset_removes_in_reverse_and_makes_in_order() {
    let fake = Arc::new(FakeMessaging::default());
    let resources = resources(&fake, &manifest());
    resources.ensure_all().await.expect("made");
    fake.state().calls.clear();
    resources.remove_all().await.expect("removed");
    resources.make_all().await.expect("rebuilt");
    let calls = fake.state().calls.clone();
    let at = |call: &str| calls.iter().position(|known| known == call).unwrap_or_else(|| panic!("{call}: {calls:?}"));
    assert!(at("unsubscribe events/work") < at("delete work"));
    assert!(at("delete work") < at("delete work-dead"));
    assert!(at("create work-dead") < at("create work"));
    assert!(at("create work") < at("subscribe work"));
    assert!(at("create work") < at("send work"));
    assert_eq!(resources.observe().await.expect("answers")[&subscription()], matching(0));
}

fn task(state: MoveState, moved: u64) -> MoveTask {
    MoveTask { state, moved }
}

/// An environment with one dead letter, whose task is looked at in these states.
async fn with_task(looks: Vec<MoveTask>) -> (Arc<FakeMessaging>, Queues) {
    let fake = Arc::new(FakeMessaging::default());
    let manifest = manifest();
    resources(&fake, &manifest).ensure_all().await.expect("made");
    let mut state = fake.state();
    let dead = state.queues.get_mut("work-dead").expect("made");
    dead.messages.push_back(json!({ "MessageBody": "poison" }));
    dead.moves = VecDeque::from(looks);
    drop(state);
    let queues = queues(&fake, &manifest);
    (fake, queues)
}

#[tokio::test(start_paused = true)]
async fn a_redrive_follows_its_task_to_the_end() {
    let looks = vec![task(MoveState::Running, 0), task(MoveState::Running, 3), task(MoveState::Completed, 7)];
    let (fake, queues) = with_task(looks).await;
    let mut seen = Vec::new();
    let done = queues.redrive("work", |moved| seen.push(moved)).await.expect("moved");
    assert_eq!(done, Redriven { dead_letter: "work-dead".to_owned(), moved: 7 });
    assert_eq!(seen, [3]);
    let again = queues.redrive("work-dead", |_| ()).await.expect("nothing is left");
    assert_eq!(again.moved, 0);
    assert_eq!(fake.state().calls.iter().filter(|call| *call == "move work-dead").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_redrive_has_a_destination_if_the_queue_is_the_only_source() {
    for (named, shared, expected) in [("work", false, Some("work")), ("work", true, None), ("work-dead", false, None)] {
        let (fake, _) = with_task(vec![task(MoveState::Completed, 1)]).await;
        let mut manifest = manifest();
        if shared {
            manifest.messaging.queues.push(queue("other", Some("work-dead")));
        }
        queues(&fake, &manifest).redrive(named, |_| ()).await.expect("moved");
        assert_eq!(fake.state().queues["work-dead"].destinations, [expected.map(str::to_owned)], "{named} {shared}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_redrive_joins_a_task_that_runs() {
    let looks = vec![task(MoveState::Running, 1), task(MoveState::Completed, 2)];
    let (fake, queues) = with_task(looks).await;
    fake.state().fails.push("move work-dead".to_owned());
    assert_eq!(queues.redrive("work", |_| ()).await.expect("moved").moved, 2);
}

#[tokio::test(start_paused = true)]
async fn a_redrive_that_fails_or_stands_still_is_reported() {
    let (_, queues) = with_task(vec![task(MoveState::Ended { reason: "AccessDenied".to_owned() }, 4)]).await;
    let error = queues.redrive("work", |_| ()).await.expect_err("it failed");
    assert!(matches!(&error, Error::MoveFailed { moved: 4, .. }), "{error}");
    let (_, queues) = with_task(vec![task(MoveState::Running, 4)]).await;
    let error = queues.redrive("work", |_| ()).await.expect_err("it stands still");
    assert!(matches!(&error, Error::MoveStalled { moved: 4, .. }), "{error}");
    let mut lonely = manifest();
    lonely.messaging.queues = vec![queue("alone", None)];
    let queues = Queues::new(Arc::new(FakeMessaging::default()), &lonely, REGION);
    let error = queues.redrive("alone", |_| ()).await.expect_err("it has none");
    assert!(matches!(error, Error::NoDeadLetterQueue { .. }), "{error}");
    let error = queues.redrive("other", |_| ()).await.expect_err("it is not known");
    assert!(matches!(error, Error::UnknownQueue { .. }), "{error}");
}

#[tokio::test]
async fn a_purge_empties_the_queue() {
    let (fake, queues) = with_task(Vec::new()).await;
    assert_eq!(queues.depth("work-dead").await.expect("answers").total(), 1);
    queues.purge("work-dead").await.expect("purged");
    assert_eq!(queues.depth("work-dead").await.expect("answers").total(), 0);
    assert!(fake.state().queues.contains_key("work-dead"));
}
