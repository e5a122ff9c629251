//! Mappings of queues of the embedded emulator.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use camino::Utf8PathBuf;
use devenv_emulator::{Data, Options};
use devenv_model::functions::EventSource;
use devenv_resources::function_host::settings::{HostSettings, HostedMapping};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::host::{Host, LIMIT, eventually, function};
use crate::runtime::{Act, Program};

/// An emulator in this process, with the queue `work` and its dead-letter queue `dead`.
struct Queues {
    _folder: tempfile::TempDir,
    data: Utf8PathBuf,
    url: String,
    client: reqwest::Client,
    task: JoinHandle<()>,
}

impl Drop for Queues {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Queues {
    async fn start(visibility: u32, receives: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = camino::Utf8Path::from_path(folder.path()).expect("UTF-8").to_owned();
        let file = folder.path().join("d.sqlite");
        let (listening, ready) = oneshot::channel();
        let task = tokio::spawn(async move {
            let messages = devenv_emulator::parse(
                ["--listen", "127.0.0.1:0", "--data", file.to_str().expect("UTF-8")].map(str::to_owned),
            );
            let options: Options = messages.expect("complete");
            assert!(matches!(options.data, Data::File(_)));
            devenv_emulator::run(
                &options,
                |address| {
                    let _ = listening.send(address);
                },
                std::future::pending(),
            )
            .await
            .expect("it serves");
        });
        let address = tokio::time::timeout(LIMIT, ready).await.expect("in time").expect("it listens");
        let client = reqwest::Client::builder().no_proxy().build().expect("no TLS");
        let queues = Self { _folder: folder, data, url: format!("http://{}", address.main), client, task };
        queues.call("CreateQueue", json!({ "QueueName": "dead" })).await;
        let redrive =
            json!({ "deadLetterTargetArn": "arn:aws:sqs:eu-west-1:000000000000:dead", "maxReceiveCount": receives });
        let attributes = json!({ "VisibilityTimeout": visibility.to_string(), "RedrivePolicy": redrive.to_string() });
        queues.call("CreateQueue", json!({ "QueueName": "work", "Attributes": attributes })).await;
        queues
    }

    async fn call(&self, operation: &str, input: Value) -> Value {
        let request = self.client.post(&self.url).header("content-type", "application/x-amz-json-1.0");
        let signature =
            "AWS4-HMAC-SHA256 Credential=devenv/20260101/eu-west-1/sqs/aws4_request, SignedHeaders=host, Signature=0";
        let request =
            request.header("x-amz-target", format!("AmazonSQS.{operation}")).header("authorization", signature);
        let answer = request.body(input.to_string()).send().await.expect("it answers");
        assert!(answer.status().is_success(), "{operation}: {}", answer.text().await.expect("a body"));
        serde_json::from_str(&answer.text().await.expect("a body")).unwrap_or(Value::Null)
    }

    fn queue(&self, name: &str) -> String {
        format!("{}/000000000000/{name}", self.url)
    }

    async fn send(&self, bodies: impl IntoIterator<Item = String>) {
        for body in bodies {
            self.call("SendMessage", json!({ "QueueUrl": self.queue("work"), "MessageBody": body })).await;
        }
    }

    /// The messages of a queue: visible, and in flight.
    async fn depth(&self, name: &str) -> (u64, u64) {
        let input = json!({ "QueueUrl": self.queue(name), "AttributeNames": ["All"] });
        let attributes = self.call("GetQueueAttributes", input).await["Attributes"].clone();
        let number = |key: &str| attributes[key].as_str().and_then(|text| text.parse().ok()).expect("a number");
        (number("ApproximateNumberOfMessages"), number("ApproximateNumberOfMessagesNotVisible"))
    }

    fn settings(&self, units: usize, more: &Value) -> HostSettings {
        let mut definition = json!({ "FunctionName": "api", "EventSourceArn": "arn:aws:sqs:::work" });
        definition.as_object_mut().expect("a mapping").extend(more.as_object().expect("a mapping").clone());
        let source = EventSource::Queue("work".to_owned());
        let (name, function_name) = ("api-work".to_owned(), "api".to_owned());
        HostSettings {
            queues: self.url.clone(),
            mappings: vec![HostedMapping { name, function: function_name, source, definition }],
            ..Host::settings(vec![function("api", 60, units)], self.data.join("host"))
        }
    }
}

fn bodies(events: &[Value]) -> Vec<String> {
    let records = events.iter().flat_map(|event| event["Records"].as_array().expect("records").clone());
    records.map(|record| record["body"].as_str().expect("text").to_owned()).collect()
}

#[tokio::test]
async fn handled_messages_are_deleted() {
    let queues = Queues::start(60, 5).await;
    queues.send((0..25).map(|number| number.to_string())).await;
    let host = Host::start(queues.settings(1, &json!({ "BatchSize": 5 }))).await;
    let program = Program::start(host.runtime(0, 0), |_| Act::Return(String::new()));
    eventually("the queue is empty", async || queues.depth("work").await == (0, 0)).await;
    let events = program.seen();
    assert!(events.iter().all(|event| (1..=5).contains(&event["Records"].as_array().expect("records").len())));
    assert_eq!(events[0]["Records"][0]["eventSourceARN"], "arn:aws:sqs:eu-west-1:000000000000:work");
    let mut seen = bodies(&events);
    seen.sort_by_key(|body| body.parse::<u32>().expect("a number"));
    assert_eq!(seen, (0..25).map(|number| number.to_string()).collect::<Vec<_>>(), "each once");
    let listed: Value = host.get("/2015-03-31/event-source-mappings/").await.json().await.expect("JSON");
    let mapping = &listed["EventSourceMappings"][0];
    assert_eq!((&mapping["State"], &mapping["LastProcessingResult"]), (&"Enabled".into(), &"OK".into()), "{mapping}");
}

#[tokio::test]
async fn a_poisoned_message_ends_among_the_dead_letters_and_the_others_are_handled() {
    // The good ones are deleted long before.
    let queues = Queues::start(2, 2).await;
    queues.send(["good-1", "poison", "good-2"].map(str::to_owned)).await;
    let more = json!({ "FunctionResponseTypes": ["ReportBatchItemFailures"] });
    let host = Host::start(queues.settings(1, &more)).await;
    let program = Program::start(host.runtime(0, 0), |event| {
        let records = event["Records"].as_array().expect("records").iter();
        let failed = records.filter(|record| record["body"] == "poison");
        let failed: Vec<Value> = failed.map(|record| json!({ "itemIdentifier": record["messageId"] })).collect();
        Act::Return(json!({ "batchItemFailures": failed }).to_string())
    });
    eventually("the poison is dead", async || queues.depth("dead").await.0 == 1).await;
    eventually("the queue is empty", async || queues.depth("work").await == (0, 0)).await;
    let mut counts = BTreeMap::<String, usize>::new();
    for body in bodies(&program.seen()) {
        *counts.entry(body).or_default() += 1;
    }
    assert_eq!(
        counts,
        [("good-1", 1), ("good-2", 1), ("poison", 2)].map(|(body, count)| (body.to_owned(), count)).into()
    );
}

#[tokio::test]
async fn without_reports_a_failed_batch_comes_again_as_a_whole() {
    let queues = Queues::start(1, 2).await;
    queues.send(["a", "b"].map(str::to_owned)).await;
    let host = Host::start(queues.settings(1, &json!({ "MaximumBatchingWindowInSeconds": 1 }))).await;
    let _program = Program::start(host.runtime(0, 0), |_| Act::Fail("always"));
    eventually("both are dead", async || queues.depth("dead").await.0 == 2).await;
}

#[tokio::test]
async fn what_no_filter_accepts_is_deleted_unseen() {
    let queues = Queues::start(60, 5).await;
    queues.send([r#"{"type":"order.rejected"}"#, r#"{"type":"order.confirmed"}"#, "text"].map(str::to_owned)).await;
    let pattern = json!({ "body": { "type": ["order.confirmed"] } }).to_string();
    let host =
        Host::start(queues.settings(1, &json!({ "FilterCriteria": { "Filters": [{ "Pattern": pattern }] } }))).await;
    let program = Program::start(host.runtime(0, 0), |_| Act::Return("null".to_owned()));
    eventually("the queue is empty", async || queues.depth("work").await == (0, 0)).await;
    assert_eq!(bodies(&program.seen()), [r#"{"type":"order.confirmed"}"#]);
}

#[tokio::test]
async fn a_window_fills_a_batch() {
    let queues = Queues::start(30, 5).await;
    let host = Host::start(queues.settings(1, &json!({ "BatchSize": 30, "MaximumBatchingWindowInSeconds": 20 }))).await;
    queues.send((0..30).map(|number| number.to_string())).await;
    let program = Program::start(host.runtime(0, 0), |_| Act::Return(String::new()));
    eventually("the queue is empty", async || queues.depth("work").await == (0, 0)).await;
    assert_eq!(program.seen().len(), 1, "one batch");
}

#[tokio::test]
async fn a_stop_during_a_window_gives_the_messages_back() {
    // Longer than the test: nothing comes back by itself.
    let queues = Queues::start(60, 5).await;
    queues.send((0..3).map(|number| number.to_string())).await;
    let host = Host::start(queues.settings(1, &json!({ "BatchSize": 30, "MaximumBatchingWindowInSeconds": 50 }))).await;
    let program = Program::echo(host.runtime(0, 0));
    eventually("the window has begun", async || queues.depth("work").await == (0, 3)).await;
    host.stop().await;
    assert_eq!(queues.depth("work").await, (3, 0));
    assert!(program.seen().is_empty());
}

#[tokio::test]
async fn the_order_of_a_group_is_kept() {
    let queues = Queues::start(60, 5).await;
    let attributes = json!({ "FifoQueue": "true", "VisibilityTimeout": "60" });
    queues.call("CreateQueue", json!({ "QueueName": "work.fifo", "Attributes": attributes })).await;
    for number in 0..20 {
        let input = json!({
            "QueueUrl": queues.queue("work.fifo"), "MessageBody": number.to_string(),
            "MessageGroupId": format!("g{}", number % 2), "MessageDeduplicationId": number.to_string(),
        });
        queues.call("SendMessage", input).await;
    }
    let mut settings = queues.settings(2, &json!({ "BatchSize": 3 }));
    settings.mappings[0].source = EventSource::Queue("work.fifo".to_owned());
    let host = Host::start(settings).await;
    let order: Arc<Mutex<Vec<u32>>> = Arc::default();
    let record = |order: &Arc<Mutex<Vec<u32>>>| {
        let order = Arc::clone(order);
        move |event: &Value| {
            let numbers =
                bodies(std::slice::from_ref(event)).into_iter().map(|body| body.parse::<u32>().expect("a number"));
            order.lock().expect("not poisoned").extend(numbers);
            Act::Return(String::new())
        }
    };
    let _programs = [0, 1].map(|unit| Program::start(host.runtime(0, unit), record(&order)));
    eventually("every message is handled", async || order.lock().expect("not poisoned").len() >= 20).await;
    for group in 0..2 {
        let seen: Vec<u32> =
            order.lock().expect("not poisoned").iter().copied().filter(|number| number % 2 == group).collect();
        assert_eq!(seen, (0..20).filter(|number| number % 2 == group).collect::<Vec<_>>());
    }
}

/// Rounds of kills under load: of a function's program, and of the host. Nothing is lost, and nothing dies of it.
#[tokio::test]
async fn kills_lose_no_message() {
    const MESSAGES: u32 = 200;
    let queues = Queues::start(1, 100).await;
    queues.send((0..MESSAGES).map(|number| number.to_string())).await;
    let handled: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let act = |handled: &Arc<Mutex<BTreeSet<String>>>| {
        let handled = Arc::clone(handled);
        move |event: &Value| {
            handled.lock().expect("not poisoned").extend(bodies(std::slice::from_ref(event)));
            Act::Return(String::new())
        }
    };
    for _ in 0..5 {
        let host = Host::start(queues.settings(2, &json!({ "BatchSize": 2 }))).await;
        let mut programs = [0, 1].map(|unit| Program::start(host.runtime(0, unit), act(&handled)));
        for unit in [0, 1, 0] {
            tokio::time::sleep(std::time::Duration::from_millis(15)).await;
            programs[unit] = Program::start(host.runtime(0, unit), act(&handled));
        }
    }
    let host = Host::start(queues.settings(2, &json!({}))).await;
    let _programs = [0, 1].map(|unit| Program::start(host.runtime(0, unit), act(&handled)));
    eventually("the queue is empty", async || queues.depth("work").await == (0, 0)).await;
    assert_eq!(handled.lock().expect("not poisoned").len(), MESSAGES as usize);
    assert_eq!(queues.depth("dead").await, (0, 0));
}
