//! Queues, topics and subscriptions through the real command: `up`, `resources`, `seed`, `redrive`, `purge` and `reset`.

use std::ops::Deref;

use serde_json::{Value, json};

use crate::folder::{Folder, eventually, post};
use crate::project::Project;

const WORK: &str = r#"{
  "QueueName": "work",
  "Attributes": {
    "VisibilityTimeout": "60",
    "RedrivePolicy": "{\"deadLetterTargetArn\":\"arn:aws:sqs:::work-dead\",\"maxReceiveCount\":1}"
  }
}
"#;
const SUBSCRIPTION: &str = r#"{
  "TopicArn": "arn:aws:sns:::events",
  "Protocol": "sqs",
  "Endpoint": "arn:aws:sqs:::work",
  "Attributes": { "RawMessageDelivery": "true", "FilterPolicy": "{\"type\":[\"order.confirmed\"]}" }
}
"#;

/// Adds a queue with a dead-letter queue and two messages, a topic and a filtered subscription to a project.
pub(crate) fn add_messaging(project: &Folder) {
    let folders = "seeds = \"seeds\"\nqueues = \"queues\"\ntopics = \"topics\"\nsubscriptions = \"subscriptions\"\n";
    project.change("devenv.toml", "seeds = \"seeds\"\n", folders);
    project.write("queues/work.json", WORK);
    project.write("queues/work-dead.json", r#"{ "QueueName": "work-dead" }"#);
    project.write("topics/events.json", r#"{ "Name": "events" }"#);
    project.write("subscriptions/work-events.json", SUBSCRIPTION);
    project.write("seeds/work.json", r#"[{ "MessageBody": "one" }, { "MessageBody": "two" }]"#);
    let variables = "    environment:\n      WORK_URL: $${queue:work}\n      EVENTS_ARN: $${topic:events}\n";
    project.change("compose.yaml", "    stop_grace_period: 2s\n", &format!("    stop_grace_period: 2s\n{variables}"));
}

/// A project whose environment is up.
pub(crate) struct Messaging<'a, P: Deref<Target = Folder>> {
    pub(crate) project: &'a P,
    /// The arguments of every `up`.
    pub(crate) up: &'a [&'a str],
    /// The address of queues and topics on this machine.
    pub(crate) emulator: String,
    /// Whether the emulator moves dead letters back.
    pub(crate) redrives: bool,
}

impl<P: Deref<Target = Folder>> Messaging<'_, P> {
    fn post(&self, headers: &str, body: &str) -> String {
        post(&self.emulator, headers, body)
    }

    fn signed(service: &str) -> String {
        format!(
            "X-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=devenv/20260101/eu-west-1/{service}/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature=0\r\n"
        )
    }

    fn sqs(&self, operation: &str, mut input: Value) -> String {
        input["QueueUrl"] = format!("{}/000000000000/work", self.emulator.trim_end_matches('/')).into();
        let headers = format!(
            "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.{operation}\r\n{}",
            Self::signed("sqs")
        );
        self.post(&headers, &input.to_string())
    }

    fn publish(&self, kind: &str) {
        let headers = format!("Content-Type: application/x-www-form-urlencoded\r\n{}", Self::signed("sns"));
        let body = format!(
            "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A000000000000%3Aevents&Message=hello\
             &MessageAttributes.entry.1.Name=type&MessageAttributes.entry.1.Value.DataType=String\
             &MessageAttributes.entry.1.Value.StringValue={kind}"
        );
        self.post(&headers, &body);
    }

    fn resource(&self, name: &str) -> Value {
        let listed = self.project.json(&["resources"]);
        let all = listed["resources"].as_array().unwrap_or_else(|| panic!("{listed}")).clone();
        all.into_iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name} in {listed}"))
    }

    fn visible(&self, name: &str) -> u64 {
        self.resource(name)["messages"]["visible"].as_u64().expect("a queue")
    }

    fn up(&self) -> String {
        let ran = self.project.done(self.up);
        ran.err + &ran.out
    }

    /// What a person does with messages, from the seed to the reset.
    pub(crate) fn works(&self) {
        self.is_seeded();
        self.filters();
        self.moves_dead_letters_back();
        self.is_emptied_after_a_question();
        self.returns_to_its_seed();
        self.follows_its_files();
    }

    fn is_seeded(&self) {
        for (kind, name) in
            [("queue", "work"), ("queue", "work-dead"), ("topic", "events"), ("subscription", "work-events")]
        {
            let resource = self.resource(name);
            assert_eq!((&resource["kind"], &resource["state"]), (&kind.into(), &"present".into()), "{resource}");
        }
        assert_eq!((self.visible("work"), self.visible("work-dead")), (2, 0));
        assert!(self.up().contains("unchanged"), "a second up changes nothing");
        let table = self.project.done(&["resources"]).out;
        assert!(table.contains("subscription  work-events  present"), "{table}");
        let list = self.project.done(&["resources", "list", "--format", "json"]).out;
        assert!(serde_json::from_str::<Value>(&list).is_ok_and(|list| list.is_array()), "{list}");
    }

    fn filters(&self) {
        self.publish("order.rejected");
        self.publish("order.confirmed");
        eventually("the confirmed order alone is in the queue", || self.visible("work") == 3);
    }

    fn moves_dead_letters_back(&self) {
        // The second receive of a message is one too many, so the third request finds it dead.
        let receive = json!({ "MaxNumberOfMessages": 10, "VisibilityTimeout": 0 });
        eventually("every message is dead", || {
            self.sqs("ReceiveMessage", receive.clone());
            self.visible("work-dead") == 3
        });
        if !self.redrives {
            let refused = self.project.run(&["resources", "redrive", "work"]);
            assert_eq!(refused.code, 1, "{}", refused.err);
            for part in ["has no StartMessageMoveTask", "--emulator embedded"] {
                assert!(refused.err.contains(part), "{}", refused.err);
            }
            (0..3).for_each(|_| self.publish("order.confirmed"));
            return eventually("there are messages again", || self.visible("work") == 3);
        }
        let moved = self.project.json(&["resources", "redrive", "work"]);
        assert_eq!((&moved["moved"], &moved["dead_letter_queue"]), (&3.into(), &"work-dead".into()), "{moved}");
        eventually("the messages are back", || (self.visible("work"), self.visible("work-dead")) == (3, 0));
        let nothing = self.project.done(&["resources", "redrive", "work-dead"]);
        assert!(nothing.out.contains("work-dead holds no message to move"), "{}", nothing.out);
        let unknown = self.project.run(&["resources", "redrive", "works"]);
        assert_eq!(unknown.code, 2, "{}", unknown.err);
        assert!(unknown.err.contains("no file declares the queue works"), "{}", unknown.err);
    }

    fn is_emptied_after_a_question(&self) {
        let asked = self.project.run(&["resources", "purge", "work"]);
        assert_eq!(asked.code, 2, "nobody can answer");
        assert!(asked.err.contains("3 messages of work") && asked.err.contains("--yes"), "{}", asked.err);
        assert_eq!(self.visible("work"), 3);
        let purged = self.project.done(&["resources", "purge", "work", "--yes"]);
        assert!(purged.out.contains("deleted 3 messages of work"), "{}", purged.out);
        assert_eq!(self.visible("work"), 0);
    }

    fn returns_to_its_seed(&self) {
        let seeded = self.project.done(&["seed"]);
        assert!(seeded.out.contains("is there already"), "a queue that had its seed is left alone: {}", seeded.out);
        assert_eq!(self.visible("work"), 0);
        let reset = self.project.json(&["reset"]);
        assert_eq!(reset["put"]["queue work"], 2, "{reset}");
        assert_eq!(self.visible("work"), 2);
        self.publish("order.confirmed");
        eventually("the subscription is back too", || self.visible("work") == 3);
    }

    fn follows_its_files(&self) {
        self.project.change("queues/work.json", "\"60\"", "\"90\"");
        self.project.change("subscriptions/work-events.json", "order.confirmed", "stock.low");
        let shown = self.project.done(&["resources"]).out;
        assert!(shown.contains("queue work differs: VisibilityTimeout is 90 in the file, 60 in the queue"), "{shown}");
        let changed = self.up();
        assert!(!changed.contains("unchanged"), "{changed}");
        assert_eq!(self.resource("work")["state"], "present");
        assert_eq!(self.visible("work"), 3, "no message is lost");
        self.publish("stock.low");
        eventually("the new filter holds", || self.visible("work") == 4);
    }
}

#[test]
fn messages_of_the_embedded_emulator_are_seeded_filtered_moved_purged_and_reset() {
    let project = Project::new();
    add_messaging(&project);
    let up = ["up", "-d"];
    project.done(&up);
    let tables = project.unit("emulator")["url"].as_str().expect("it has an address").to_owned();
    let emulator = address_of(&project.unit("emulator"));
    assert_ne!(tables, emulator);
    let told = project.done(&[
        "exec",
        "web",
        "--",
        "sh",
        "-c",
        "echo $WORK_URL $EVENTS_ARN $AWS_ENDPOINT_URL_SQS $AWS_ENDPOINT_URL_DYNAMODB $AWS_ENDPOINT_URL",
    ]);
    let expected = format!(
        "{emulator}/000000000000/work arn:aws:sns:eu-west-1:000000000000:events {emulator} {tables} {emulator}\n"
    );
    assert_eq!(told.out, expected);
    let variables = project.done(&["env"]).out;
    for (variable, address) in [("AWS_ENDPOINT_URL_SNS", &emulator), ("AWS_ENDPOINT_URL_DYNAMODB", &tables)] {
        assert!(
            variables.contains(&format!("{variable}={address}"))
                || variables.contains(&format!("{variable}='{address}'")),
            "{variables}"
        );
    }
    let status = project.done(&["status"]).out;
    assert!(status.contains(&tables) && status.contains(&emulator), "{status}");
    Messaging { project: &project, up: &up, emulator, redrives: true }.works();
    // The messages outlive the emulator.
    let before = project.json(&["resources"]);
    project.done(&["down"]);
    project.done(&up);
    assert_eq!(project.json(&["resources"])["resources"], before["resources"]);
}

/// The address of queues and topics of a unit in a status.
pub(crate) fn address_of(unit: &Value) -> String {
    let port = unit["ports"]["9324"].as_u64().unwrap_or_else(|| panic!("it has a port of queues: {unit}"));
    format!("http://127.0.0.1:{port}")
}

#[test]
fn the_first_queue_of_a_running_project_gives_its_emulator_a_second_port() {
    let project = Project::new();
    project.done(&["up", "-d"]);
    assert!(project.unit("emulator")["ports"]["9324"].is_null(), "tables alone have one port");
    add_messaging(&project);
    project.done(&["up", "-d"]);
    address_of(&project.unit("emulator"));
    assert_eq!(
        project.json(&["resources"])["resources"].as_array().map(Vec::len),
        Some(5),
        "a table, two queues and the rest"
    );
}

#[test]
fn a_mistake_in_a_queue_file_is_drawn_at_its_place() {
    let project = Project::new();
    add_messaging(&project);
    project.change("queues/work.json", "sqs:::work-dead", "sqs:::work-deed");
    let ran = project.run(&["up", "--dry-run"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    for part in ["queues/work.json", "no file declares the queue work-deed", "did you mean work-dead?"] {
        assert!(ran.err.contains(part), "{}", ran.err);
    }
}

#[test]
fn a_plan_names_queues_topics_and_subscriptions_in_order() {
    let project = Project::new();
    add_messaging(&project);
    let plan = project.done(&["up", "--dry-run"]).out;
    let at = |step: &str| plan.find(step).unwrap_or_else(|| panic!("no {step} in {plan}"));
    assert!(at("ensure queue work-dead") < at("ensure queue work ("));
    assert!(at("ensure queue work (") < at("ensure subscription work-events"));
    assert!(at("ensure topic events") < at("ensure subscription work-events"));
}
