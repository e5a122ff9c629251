//! The function as a process behind the Runtime API, with a topic that fails on demand.

mod function;
mod runtime_api;

use std::collections::{BTreeMap, BTreeSet};

use order_testing::{Fault, Received, Topics, eventually};
use serde_json::{Value, json};

use function::{DEADLINE, Function, command};

/// A write that changed the stock of `product`.
fn sold(number: u64, product: &str, old: u64, new: u64) -> Value {
    let image = |stock: u64| json!({ "product_id": { "S": product }, "name": { "S": "A" }, "stock": { "N": stock.to_string() } });
    json!({
        "eventID": format!("e{number}"), "eventName": "MODIFY", "eventSource": "aws:dynamodb", "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_767_323_045, "StreamViewType": "NEW_AND_OLD_IMAGES",
            "SequenceNumber": sequence(number), "Keys": { "product_id": { "S": product } },
            "OldImage": image(old), "NewImage": image(new),
        },
    })
}

fn sequence(number: u64) -> String {
    format!("1000{number:017}")
}

fn batch(records: &[Value]) -> Value {
    json!({ "Records": records })
}

fn failures(answer: &Value) -> Vec<&str> {
    let failures = answer["batchItemFailures"].as_array().expect("a list");
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().expect("text")).collect()
}

/// Receives until there are `count` messages, and returns them all.
async fn received(topics: &Topics, count: usize) -> Vec<Received> {
    let mut all = Vec::new();
    while all.len() < count {
        all.extend(
            eventually("a message", DEADLINE, async || Some(topics.receive().await).filter(|some| !some.is_empty()))
                .await,
        );
    }
    all
}

#[tokio::test]
async fn a_crossing_is_published_and_other_writes_are_not() {
    let topics = Topics::start().await;
    let function = Function::start(&topics).await;
    let records = [sold(1, "A", 12, 11), sold(2, "A", 11, 9), sold(3, "A", 9, 8), sold(4, "B", 50, 49)];
    assert_eq!(failures(&function.invoke(batch(&records)).await), [""; 0]);
    let received = received(&topics, 1).await;
    assert_eq!(received.len(), 1);
    let mut body = received[0].body.clone();
    body.as_object_mut().expect("an object").remove("id").expect("an id");
    assert_eq!(
        body,
        json!({
            "type": "stock.low", "version": 1, "occurred_at": "2026-01-02T03:04:05.000000Z",
            "product_id": "A", "stock": 9, "threshold": 10,
        })
    );
    assert_eq!(received[0].attributes["type"], "stock.low");
    assert!(topics.receive().await.is_empty());
}

#[tokio::test]
async fn a_batch_again_has_the_same_ids() {
    let topics = Topics::start().await;
    let function = Function::start(&topics).await;
    let records: Vec<Value> = (1..=12).map(|number| sold(number, &format!("P{number}"), 10, 9)).collect();
    for _ in 0..2 {
        assert_eq!(failures(&function.invoke(batch(&records)).await), [""; 0]);
    }
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for received in received(&topics, 24).await {
        *counted.entry(received.body["id"].to_string()).or_default() += 1;
    }
    assert_eq!(counted.into_values().collect::<Vec<_>>(), [2; 12]);
}

#[tokio::test]
async fn the_answer_names_the_first_record_that_failed() {
    let topics = Topics::start().await;
    let function = Function::start(&topics).await;
    // Ten crossings are a message batch; each second write is one.
    let records: Vec<Value> =
        (1..=30).map(|number| sold(number, &format!("P{number}"), 10, if number % 2 == 0 { 9 } else { 10 })).collect();
    for (fault, first) in
        [(Fault::Refuse("InternalError"), 2), (Fault::SpoilEntry(3), 6), (Fault::Gateway, 2), (Fault::LoseAnswer, 2)]
    {
        topics.fail_next(fault);
        assert_eq!(failures(&function.invoke(batch(&records)).await), [sequence(first)]);
    }
    // Lambda hands over the first failed record and all after it.
    assert_eq!(failures(&function.invoke(batch(&records[1..])).await), [""; 0]);
    // Those before came more than once.
    let mut products = BTreeSet::new();
    while products.len() < 15 {
        products.extend(received(&topics, 1).await.iter().map(|one| one.body["product_id"].to_string()));
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_holds_up_no_other() {
    let topics = Topics::start().await;
    let function = Function::start(&topics).await;
    let mut bad = sold(1, "A", 10, 9);
    bad["dynamodb"]["NewImage"]["stock"] = json!({ "N": "many" });
    assert_eq!(failures(&function.invoke(batch(&[bad, sold(2, "B", 10, 9)])).await), [""; 0]);
    assert_eq!(received(&topics, 1).await[0].body["product_id"], "B");
}

#[tokio::test]
async fn what_is_no_batch_is_an_error_and_the_next_batch_is_handled() {
    let topics = Topics::start().await;
    let function = Function::start(&topics).await;
    let error = function.invoke(json!({ "Records": [{ "body": "of a queue" }] })).await;
    assert!(error["errorMessage"].as_str().is_some_and(|message| message.contains("dynamodb")), "{error}");
    assert_eq!(failures(&function.invoke(batch(&[sold(1, "A", 10, 9)])).await), [""; 0]);
    assert_eq!(received(&topics, 1).await.len(), 1);
}

#[test]
fn outside_of_lambda_it_ends_with_exit_64() {
    let output = command("127.0.0.1:9").env_remove("AWS_LAMBDA_RUNTIME_API").output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(64));
    let message = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(message.contains("AWS_LAMBDA_RUNTIME_API is not set"), "{message}");
    let output = command("127.0.0.1:9").arg("serve").output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(64));
}
