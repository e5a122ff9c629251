use std::collections::BTreeSet;
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use serde_json::{Value, json};

use crate::program::{AT_ONCE, DEADLINE, Emulator, answer, call, head, refused, text, try_call};

const ROUNDS: usize = 10;
/// Answered sends of a round, after which the emulator is killed.
const SENDS: usize = 150;

/// Calls SQS and returns the result of a call that succeeds.
fn sqs(connection: &mut BufReader<TcpStream>, operation: &str, parameters: &Value) -> Value {
    let (status, body) = call(connection, &format!("AmazonSQS.{operation}"), &parameters.to_string());
    assert_eq!(status, 200, "{operation} {parameters}: {body}");
    serde_json::from_str(&body).expect("an answer in JSON")
}

/// Calls SQS; `None` if the emulator was killed before it answered.
fn attempt(connection: &mut BufReader<TcpStream>, operation: &str, parameters: &Value) -> Option<Value> {
    let answered = try_call(connection, &format!("AmazonSQS.{operation}"), &parameters.to_string());
    let (status, body) = answered.ok()?;
    assert_eq!(status, 200, "{operation} {parameters}: {body}");
    Some(serde_json::from_str(&body).expect("an answer in JSON"))
}

#[test]
fn one_connection_serves_tables_and_queues() {
    let emulator = Emulator::start(&["--memory"]);
    let mut connection = emulator.connect();
    for _ in 0..3 {
        assert_eq!(call(&mut connection, "ListTables", "{}"), (200, r#"{"TableNames":[]}"#.to_owned()));
        let created = sqs(&mut connection, "CreateQueue", &json!({ "QueueName": "orders" }));
        assert_eq!(created["QueueUrl"], "http://localhost/000000000000/orders");
    }
}

const TWO_PORTS: [&str; 2] = ["--listen-messages", "127.0.0.1:0"];

#[test]
fn tables_have_a_port_of_their_own_and_the_other_one_serves_all() {
    let mut emulator = Emulator::start(&["--memory", TWO_PORTS[0], TWO_PORTS[1]]);
    let (mut tables, mut all) = (emulator.connect(), Emulator::connect_to(emulator.messages));
    for connection in [&mut tables, &mut all] {
        assert_eq!(call(connection, "ListTables", "{}"), (200, r#"{"TableNames":[]}"#.to_owned()));
    }
    let created = sqs(&mut all, "CreateQueue", &json!({ "QueueName": "orders" }));
    assert_eq!(created["QueueUrl"], "http://localhost/000000000000/orders");
    assert_eq!(call(&mut tables, "AmazonSQS.ListQueues", "{}").0, 400, "the tables' port has no queues");
    emulator.terminate();
    let (success, took) = emulator.ended();
    assert!(success && took < AT_ONCE, "{took:?}");
}

#[test]
fn both_ports_record_calls() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let calls = folder.path().join("calls");
    let emulator = Emulator::start(&["--memory", TWO_PORTS[0], TWO_PORTS[1], "--calls", text(&calls)]);
    assert_eq!(call(&mut emulator.connect(), "ListTables", "{}").0, 200);
    let mut all = Emulator::connect_to(emulator.messages);
    assert_eq!(call(&mut all, "NoOperation", "{}").0, 400, "dynoxide does not know it");
    sqs(&mut all, "ListQueues", &json!({}));
    let (status, refusal) = call(&mut emulator.connect(), "AmazonSQS.ListQueues", "{}");
    assert!(status == 400 && refusal.contains("tables alone"), "{status} {refusal}");
    let recorded = std::fs::read_to_string(&calls).expect("written");
    assert_eq!(recorded, "tester ListTables\ntester NoOperation\ntester sqs:ListQueues\n");
}

#[test]
fn messages_alone_pass_other_requests_on_to_another_emulator() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("messages.sqlite");
    let tables = Emulator::start(&["--memory", "--tables-only"]);
    let address = tables.address.to_string();
    let emulator = Emulator::start(&["--tables-at", &address, "--messages", text(&file)]);
    let mut connection = emulator.connect();
    sqs(&mut connection, "CreateQueue", &json!({ "QueueName": "orders" }));
    assert!(file.exists());
    assert_eq!(call(&mut connection, "ListTables", "{}"), (200, r#"{"TableNames":[]}"#.to_owned()));
    drop(tables);
    let (status, cause) = call(&mut connection, "ListTables", "{}");
    assert!(status == 502 && cause.contains(&address), "{status} {cause}");
    sqs(&mut connection, "ListQueues", &json!({}));
}

#[test]
fn a_web_page_cannot_reach_queues_and_topics() {
    let emulator = Emulator::start(&["--memory"]);
    let form = "Action=CreateQueue&QueueName=stolen&Version=2012-11-05";
    let post = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n",
        form.len()
    );
    let get = format!("GET /?{form} HTTP/1.1\r\nhost: localhost\r\n");
    let mut connection = emulator.connect();
    let mut send = |head: &str, page: &str, body: &str| {
        connection.get_mut().write_all(format!("{head}{page}\r\n{body}").as_bytes()).expect("open");
        answer(&mut connection).expect("answered")
    };
    for page in ["origin: http://evil.example\r\n", "Origin: null\r\n", "sec-fetch-site: cross-site\r\n"] {
        for (head, body) in [(&post, form), (&get, "")] {
            let (status, message) = send(head, page, body);
            assert_eq!(status, 403, "{message}");
            assert!(message.contains("web page"), "{message}");
        }
    }
    let (_, listed) = send(&get.replace("CreateQueue&QueueName=stolen", "ListQueues"), "", "");
    assert!(!listed.contains("stolen"), "{listed}");
    // A page whose own name leads here: the browser takes it for a call of the page's own site.
    for (head, body) in [(&post, form), (&get, "")] {
        let (status, message) = send(&head.replace("localhost", "evil.example:8000"), "", body);
        assert_eq!(status, 403, "{message}");
        assert!(message.contains("no such host"), "{message}");
    }
    let (_, listed) = send(&get.replace("CreateQueue&QueueName=stolen", "ListQueues"), "", "");
    assert!(!listed.contains("stolen"), "{listed}");
    // Visited by hand, as the address that confirms a subscription is.
    assert_eq!(send(&get, "sec-fetch-site: none\r\n", "").0, 200);
}

#[test]
fn the_sender_of_a_large_request_reads_why_it_is_refused() {
    let emulator = Emulator::start(&["--memory"]);
    let mut connection = emulator.connect();
    let large = "x".repeat(40 * 1024 * 1024);
    let (status, message) = try_call(&mut connection, "AmazonSQS.ListQueues", &large).expect("read to its end");
    assert!(status == 413 && message.contains("16777216"), "{status} {message}");
    sqs(&mut connection, "ListQueues", &json!({}));
}

#[test]
fn a_file_of_messages_is_made_when_it_is_first_needed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (file, messages) = (folder.path().join("data.sqlite"), folder.path().join("data.messages.sqlite"));
    let emulator = Emulator::start(&["--data", text(&file)]);
    let mut connection = emulator.connect();
    assert_eq!(call(&mut connection, "ListTables", "{}").0, 200);
    assert!(!messages.exists());
    sqs(&mut connection, "ListQueues", &json!({}));
    assert!(messages.exists());
    // A second emulator may not share it.
    let other = folder.path().join("other.sqlite");
    let (code, message) = refused(&["--listen", "127.0.0.1:0", "--data", text(&other), "--messages", text(&messages)]);
    assert_eq!(code, Some(1));
    assert!(message.contains(text(&messages)) && message.contains("another process"), "{message}");
}

#[test]
fn calls_of_queues_are_recorded_with_their_service() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let calls = folder.path().join("calls");
    let emulator = Emulator::start(&["--memory", "--calls", text(&calls)]);
    let mut connection = emulator.connect();
    assert_eq!(call(&mut connection, "ListTables", "{}").0, 200);
    sqs(&mut connection, "ListQueues", &json!({}));
    sqs(&mut connection, "ListQueues", &json!({}));
    let recorded = std::fs::read_to_string(&calls).expect("written");
    assert_eq!(recorded, "tester ListTables\ntester sqs:ListQueues\n");
}

#[test]
fn a_long_poll_does_not_hold_up_a_stop() {
    let mut emulator = Emulator::start(&["--memory"]);
    let mut connection = emulator.connect();
    let url = sqs(&mut connection, "CreateQueue", &json!({ "QueueName": "orders" }))["QueueUrl"].clone();
    let poll = json!({ "QueueUrl": url, "WaitTimeSeconds": 20 }).to_string();
    let request = format!("{}{poll}", head("AmazonSQS.ReceiveMessage", poll.len()));
    connection.get_mut().write_all(request.as_bytes()).expect("open");
    // The emulator must read the poll before the signal, or the connection would count as idle.
    let mut other = emulator.connect();
    (0..20).for_each(|_| drop(sqs(&mut other, "ListQueues", &json!({}))));
    emulator.terminate();
    let (success, took) = emulator.ended();
    assert!(success);
    assert!(took < AT_ONCE, "{took:?}");
    assert_eq!(answer(&mut connection).expect("answered before the end"), (200, "{}".to_owned()));
}

/// What the callers know of the messages of all rounds.
#[derive(Default)]
struct Ledger {
    sent: Mutex<BTreeSet<String>>,
    received: Mutex<BTreeSet<String>>,
    deleted: Mutex<BTreeSet<String>>,
}

fn note(set: &Mutex<BTreeSet<String>>, body: &str) -> usize {
    let mut set = set.lock().expect("no panic while it is locked");
    set.insert(body.to_owned());
    set.len()
}

impl Ledger {
    /// Sends until the emulator is killed.
    fn send(&self, mut connection: BufReader<TcpStream>, url: &Value, prefix: &str) {
        for number in 0.. {
            let body = format!("{prefix}-{number}");
            let message = json!({ "QueueUrl": url, "MessageBody": body });
            if attempt(&mut connection, "SendMessage", &message).is_none() {
                return;
            }
            note(&self.sent, &body);
        }
    }

    /// Receives and deletes until the emulator is killed or, with `until_empty`, the queue has nothing left.
    fn consume(&self, mut connection: BufReader<TcpStream>, url: &Value, until_empty: bool) {
        let wait = if until_empty { 3 } else { 0 };
        let request = json!({ "QueueUrl": url, "MaxNumberOfMessages": 5, "WaitTimeSeconds": wait });
        while let Some(answer) = attempt(&mut connection, "ReceiveMessage", &request) {
            let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
            if until_empty && messages.is_empty() {
                return;
            }
            for message in messages {
                let body = message["Body"].as_str().expect("a body");
                assert!(!self.deleted.lock().expect("no panic").contains(body), "{body} was deleted and returned");
                note(&self.received, body);
                let delete = json!({ "QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"] });
                if attempt(&mut connection, "DeleteMessage", &delete).is_none() {
                    return;
                }
                note(&self.deleted, body);
            }
        }
    }
}

/// Sends and consumes until enough was sent, then kills the emulator.
fn round(file: &Path, number: usize, ledger: &Ledger) {
    let mut emulator = Emulator::start(&["--data", text(file)]);
    let mut connection = emulator.connect();
    let queue = json!({ "QueueName": "orders", "Attributes": { "VisibilityTimeout": "1" } });
    let url = sqs(&mut connection, "CreateQueue", &queue)["QueueUrl"].clone();
    let before = ledger.sent.lock().expect("no panic").len();
    let began = Instant::now();
    std::thread::scope(|scope| {
        for sender in 0..3 {
            let (connection, url) = (emulator.connect(), &url);
            scope.spawn(move || ledger.send(connection, url, &format!("{number}-{sender}")));
        }
        let (connection, url) = (emulator.connect(), &url);
        scope.spawn(move || ledger.consume(connection, url, false));
        while ledger.sent.lock().expect("no panic").len() < before + SENDS {
            assert!(began.elapsed() < DEADLINE, "the emulator does not answer");
            std::thread::yield_now();
        }
        emulator.child.kill().expect("the emulator still runs");
        emulator.child.wait().expect("a killed child can be waited for");
    });
}

#[test]
fn a_killed_emulator_loses_no_message_and_delivers_none_for_ever() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("data.sqlite");
    let ledger = Ledger::default();
    (0..ROUNDS).for_each(|number| round(&file, number, &ledger));

    let emulator = Emulator::start(&["--data", text(&file)]);
    let mut connection = emulator.connect();
    let url = sqs(&mut connection, "GetQueueUrl", &json!({ "QueueName": "orders" }))["QueueUrl"].clone();
    ledger.consume(emulator.connect(), &url, true);
    let (sent, received) =
        (ledger.sent.into_inner().expect("no panic"), ledger.received.into_inner().expect("no panic"));
    let lost: Vec<_> = sent.difference(&received).collect();
    assert!(lost.is_empty(), "{} of {} were lost: {lost:?}", lost.len(), sent.len());
    let counted = json!({ "QueueUrl": url, "AttributeNames": ["All"] });
    let attributes = sqs(&mut connection, "GetQueueAttributes", &counted)["Attributes"].clone();
    for name in ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] {
        assert_eq!(attributes[name], "0", "{attributes}");
    }
}

#[test]
fn requests_of_any_form_share_a_connection() {
    let emulator = Emulator::start(&["--memory"]);
    let mut connection = emulator.connect();
    assert_eq!(call(&mut connection, "ListTables", "{}").0, 200);
    sqs(&mut connection, "ListQueues", &json!({}));
    connection.get_mut().write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("open");
    let (status, body) = answer(&mut connection).expect("the database's answer");
    assert!(status == 200 && body.starts_with("healthy"), "{status} {body}");
    for operation in ["ListTables", "AmazonSQS.ListQueues"] {
        let chunked = head(operation, 0).replace("content-length: 0", "transfer-encoding: chunked");
        connection.get_mut().write_all(format!("{chunked}2\r\n{{}}\r\n0\r\n\r\n").as_bytes()).expect("open");
        assert_eq!(answer(&mut connection).expect("answered").0, 200, "{operation}");
    }
    assert_eq!(call(&mut connection, "ListTables", "{}").0, 200);
    sqs(&mut connection, "ListQueues", &json!({}));
}

#[test]
fn two_requests_at_once_are_answered_in_turn() {
    let emulator = Emulator::start(&["--memory"]);
    let mut connection = emulator.connect();
    let requests: String = ["AmazonSQS.ListQueues", "ListTables", "AmazonSQS.ListQueues"]
        .map(|operation| format!("{}{{}}", head(operation, 2)))
        .concat();
    connection.get_mut().write_all(requests.as_bytes()).expect("open");
    for body in ["{}", r#"{"TableNames":[]}"#, "{}"] {
        assert_eq!(answer(&mut connection).expect("an answer"), (200, body.to_owned()));
    }
}

#[test]
fn a_caller_that_closes_its_connection_gives_its_long_poll_up() {
    let emulator = Emulator::start(&["--memory"]);
    let mut connection = emulator.connect();
    let url = sqs(&mut connection, "CreateQueue", &json!({ "QueueName": "orders" }))["QueueUrl"].clone();
    let poll = json!({ "QueueUrl": url, "WaitTimeSeconds": 20 });
    let mut other = emulator.connect();
    let request = format!("{}{poll}", head("AmazonSQS.ReceiveMessage", poll.to_string().len()));
    other.get_mut().write_all(request.as_bytes()).expect("open");
    // The emulator must read the poll, and then its end.
    (0..20).for_each(|_| drop(sqs(&mut connection, "ListQueues", &json!({}))));
    drop(other);
    (0..20).for_each(|_| drop(sqs(&mut connection, "ListQueues", &json!({}))));
    sqs(&mut connection, "SendMessage", &json!({ "QueueUrl": url, "MessageBody": "one" }));
    let received = sqs(&mut connection, "ReceiveMessage", &json!({ "QueueUrl": url }));
    assert_eq!(received["Messages"][0]["Body"], "one");
}
