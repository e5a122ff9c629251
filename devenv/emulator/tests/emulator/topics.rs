use std::collections::BTreeMap;
use std::io::{BufReader, Result, Write};
use std::net::TcpStream;
use std::path::Path;

use serde_json::{Value, json};

use crate::program::{Emulator, answer, call, text};

const ROUNDS: usize = 5;
/// Answered publications of a round, after which the emulator is killed.
const PUBLICATIONS: usize = 100;
const QUEUES: [&str; 2] = ["reporting", "audit"];

/// Calls SNS with a form. The parameters need no escapes.
fn sns(connection: &mut BufReader<TcpStream>, action: &str, parameters: &[(&str, &str)]) -> Result<String> {
    let parameters: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let form = format!("Action={action}&Version=2010-03-31&{}", parameters.join("&"));
    let request = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded; charset=utf-8\r\n\
         content-length: {}\r\n\r\n{form}",
        form.len()
    );
    connection.get_mut().write_all(request.as_bytes())?;
    let (status, body) = answer(connection)?;
    assert_eq!(status, 200, "{form}: {body}");
    Ok(body)
}

/// Publishes from two connections until the emulator is killed. Returns the number of each that was answered last.
fn round(file: &Path, number: usize) -> [usize; 2] {
    let mut emulator = Emulator::start(&["--data", text(file)]);
    let mut connection = emulator.connect();
    sns(&mut connection, "CreateTopic", &[("Name", "orders")]).expect("answered");
    for queue in QUEUES {
        assert_eq!(call(&mut connection, "AmazonSQS.CreateQueue", &json!({ "QueueName": queue }).to_string()).0, 200);
        let endpoint = format!("arn:aws:sqs:eu-west-1:000000000000:{queue}");
        let parameters = [("TopicArn", TOPIC), ("Protocol", "sqs"), ("Endpoint", endpoint.as_str()), RAW[0], RAW[1]];
        sns(&mut connection, "Subscribe", &parameters).expect("answered");
    }
    std::thread::scope(|scope| {
        let publishers = [0, 1].map(|publisher| {
            let mut connection = emulator.connect();
            scope.spawn(move || {
                let publish = |count: &usize| {
                    let message = format!("{number}-{publisher}-{count}");
                    sns(&mut connection, "Publish", &[("TopicArn", TOPIC), ("Message", &message)]).is_ok()
                };
                (0..).take_while(publish).take(PUBLICATIONS * 20).count()
            })
        });
        let mut own = emulator.connect();
        (0..PUBLICATIONS).for_each(|count| {
            let message = format!("{number}-own-{count}");
            sns(&mut own, "Publish", &[("TopicArn", TOPIC), ("Message", &message)]).expect("answered");
        });
        emulator.child.kill().expect("the emulator still runs");
        emulator.child.wait().expect("a killed child can be waited for");
        publishers.map(|publisher| publisher.join().expect("no panic"))
    })
}

const TOPIC: &str = "arn:aws:sns:eu-west-1:000000000000:orders";
const RAW: [(&str, &str); 2] = [("Attributes.entry.1.key", "RawMessageDelivery"), ("Attributes.entry.1.value", "true")];

/// All bodies of a queue, with the number of their copies.
fn bodies(connection: &mut BufReader<TcpStream>, queue: &str) -> BTreeMap<String, usize> {
    let url = format!("http://localhost/000000000000/{queue}");
    let receive = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10 }).to_string();
    let mut found = BTreeMap::new();
    loop {
        let (status, body) = call(connection, "AmazonSQS.ReceiveMessage", &receive);
        assert_eq!(status, 200, "{body}");
        let body: Value = serde_json::from_str(&body).expect("an answer in JSON");
        let Some(messages) = body["Messages"].as_array() else { return found };
        for message in messages {
            *found.entry(message["Body"].as_str().expect("a body").to_owned()).or_default() += 1;
        }
    }
}

#[test]
fn a_killed_emulator_has_published_to_all_queues_or_to_none() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("data.sqlite");
    let answered: Vec<[usize; 2]> = (0..ROUNDS).map(|number| round(&file, number)).collect();

    let emulator = Emulator::start(&["--data", text(&file)]);
    let mut connection = emulator.connect();
    let [reporting, audit] = QUEUES.map(|queue| bodies(&mut connection, queue));
    assert_eq!(reporting, audit, "a message is in one queue alone");
    assert!(reporting.values().all(|copies| *copies == 1), "{reporting:?}");
    for (number, publishers) in answered.iter().enumerate() {
        let own = (0..PUBLICATIONS).map(|count| format!("{number}-own-{count}"));
        let others = publishers
            .iter()
            .enumerate()
            .flat_map(|(publisher, count)| (0..*count).map(move |count| format!("{number}-{publisher}-{count}")));
        let lost: Vec<String> = own.chain(others).filter(|body| !reporting.contains_key(body)).collect();
        assert!(lost.is_empty(), "answered and lost: {lost:?}");
    }
}
