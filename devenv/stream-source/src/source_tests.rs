use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::fake::FakeStreams;

fn settings(definition: &Value) -> StreamSettings {
    StreamSettings::of(definition)
}

async fn opened(fake: &Arc<FakeStreams>, definition: &Value, kept: Option<&Checkpoint>) -> StreamSource {
    let service = Arc::clone(fake) as Arc<dyn StreamService>;
    let kept = kept.map(Checkpoint::to_json);
    StreamSource::open(service, "stock", settings(definition), kept.as_deref()).await.expect("there is a stream")
}

fn numbers(batch: &Batch) -> Vec<u64> {
    batch.records.iter().map(|record| record.sequence_number.parse().expect("a number")).collect()
}

/// Handles batches until `count` records are handled, and returns their numbers by batch.
async fn handled(source: &mut StreamSource, count: usize) -> Vec<Vec<u64>> {
    let mut batches = Vec::new();
    while batches.iter().map(Vec::len).sum::<usize>() < count {
        let batch = source.next_batch().await.expect("no fault");
        source.settle(&batch, Verdict::Handled);
        batches.push(numbers(&batch));
    }
    batches
}

#[tokio::test(start_paused = true)]
async fn records_come_in_order_and_once() {
    let fake = Arc::new(FakeStreams::new("a"));
    fake.write(5);
    let mut source = opened(&fake, &json!({ "BatchSize": 2 }), None).await;
    assert_eq!(handled(&mut source, 5).await, [vec![1, 2], vec![3, 4], vec![5]]);
    fake.write(1);
    assert_eq!(handled(&mut source, 1).await, [[6]]);
    assert!(source.take_notices().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_not_settled_comes_again_after_a_kill() {
    let fake = Arc::new(FakeStreams::new("a"));
    fake.write(4);
    let definition = json!({ "BatchSize": 2 });
    let mut source = opened(&fake, &definition, None).await;
    handled(&mut source, 2).await;
    let kept = source.checkpoint();
    let lost = source.next_batch().await.expect("no fault");
    assert_eq!(numbers(&lost), [3, 4]);
    let mut source = opened(&fake, &definition, Some(&kept)).await;
    assert_eq!(handled(&mut source, 2).await, [[3, 4]]);
}

#[tokio::test(start_paused = true)]
async fn latest_begins_after_the_newest_record_and_stays_there_through_a_kill() {
    let fake = Arc::new(FakeStreams::new("a"));
    fake.write(3);
    let definition = json!({ "StartingPosition": "LATEST" });
    let source = opened(&fake, &definition, None).await;
    let kept = source.checkpoint();
    drop(source);
    fake.write(2);
    let mut source = opened(&fake, &definition, Some(&kept)).await;
    assert_eq!(handled(&mut source, 2).await, [[4, 5]]);
}

#[tokio::test(start_paused = true)]
async fn a_child_waits_for_its_parent() {
    let fake = Arc::new(FakeStreams::new("a"));
    fake.write(3);
    fake.split();
    fake.write(3);
    let mut source = opened(&fake, &json!({ "BatchSize": 2 }), None).await;
    assert_eq!(handled(&mut source, 6).await.concat(), [1, 2, 3, 4, 5, 6]);
    // A split while it is read.
    fake.split();
    fake.write(1);
    assert_eq!(handled(&mut source, 1).await, [[7]]);
    let kept = source.checkpoint();
    let mut source = opened(&fake, &json!({}), Some(&kept)).await;
    fake.write(1);
    assert_eq!(handled(&mut source, 1).await, [[8]]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_waits_for_more_records_within_its_window() {
    let fake = Arc::new(FakeStreams::new("a"));
    let mut source = opened(&fake, &json!({ "BatchSize": 3, "MaximumBatchingWindowInSeconds": 5 }), None).await;
    fake.write(1);
    let began = Instant::now();
    let later = Arc::clone(&fake);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        later.write(1);
    });
    assert_eq!(handled(&mut source, 2).await, [[1, 2]]);
    assert!((5..6).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    fake.write(3);
    let began = Instant::now();
    assert_eq!(handled(&mut source, 3).await, [[3, 4, 5]]);
    assert!(began.elapsed() < Duration::from_secs(1), "a full batch does not wait");
}

#[tokio::test(start_paused = true)]
async fn a_failed_batch_comes_again_and_nothing_overtakes_it() {
    let fake = Arc::new(FakeStreams::new("a"));
    fake.write(4);
    let mut source = opened(&fake, &json!({ "BatchSize": 3 }), None).await;
    let began = Instant::now();
    for _ in 0..3 {
        let batch = source.next_batch().await.expect("no fault");
        assert_eq!(numbers(&batch), [1, 2, 3]);
        source.settle(&batch, Verdict::Failed);
    }
    let batch = source.next_batch().await.expect("no fault");
    assert_eq!(began.elapsed().as_millis(), 100 + 200 + 400);
    source.settle(&batch, Verdict::FailedAt(2));
    assert_eq!(source.checkpoint().shards["s0"], Position::After("2".to_owned()));
    assert_eq!(handled(&mut source, 2).await, [[3, 4]]);
}

#[tokio::test(start_paused = true)]
async fn faults_lose_nothing_and_are_not_repeated_at_once() {
    let fake = Arc::new(FakeStreams::new("a"));
    let mut source = opened(&fake, &json!({}), None).await;
    fake.write(2);
    for _ in 0..3 {
        fake.fail(Fault::Passing("injected".to_owned()));
    }
    let began = Instant::now();
    for _ in 0..3 {
        source.next_batch().await.expect_err("injected");
    }
    fake.fail(Fault::Expired);
    assert_eq!(handled(&mut source, 2).await, [[1, 2]]);
    assert!(began.elapsed() >= Duration::from_millis(100 + 200 + 400), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn lost_records_are_noticed() {
    let fake = Arc::new(FakeStreams::new("a"));
    fake.write(1);
    let definition = json!({});
    let mut source = opened(&fake, &definition, None).await;
    handled(&mut source, 1).await;
    let kept = source.checkpoint();
    fake.write(3);
    fake.trim();
    fake.write(1);
    let mut source = opened(&fake, &definition, Some(&kept)).await;
    assert_eq!(handled(&mut source, 1).await, [[5]]);
    assert_eq!(source.take_notices(), [Notice::Trimmed { shard: "s0".to_owned() }]);
}

#[tokio::test(start_paused = true)]
async fn a_table_made_anew_has_its_stream_read_from_the_beginning() {
    let fake = Arc::new(FakeStreams::new("a"));
    fake.write(2);
    let definition = json!({ "StartingPosition": "LATEST" });
    let mut source = opened(&fake, &definition, None).await;
    let kept = source.checkpoint();
    fake.replace("b");
    fake.write(2);
    assert_eq!(handled(&mut source, 2).await, [[3, 4]]);
    assert_eq!(source.take_notices(), [Notice::OtherStream { stream: "b".to_owned() }]);
    assert_eq!(source.checkpoint().stream, "b");
    // Another run does not know what the first one has seen.
    let mut source = opened(&fake, &definition, Some(&kept)).await;
    fake.write(1);
    assert_eq!(handled(&mut source, 1).await, [[5]]);
}

#[tokio::test(start_paused = true)]
async fn an_idle_stream_is_looked_at_four_times_a_second() {
    let fake = Arc::new(FakeStreams::new("a"));
    let mut source = opened(&fake, &json!({}), None).await;
    let before = fake.requests();
    let limit = tokio::time::timeout(Duration::from_secs(10), source.next_batch()).await;
    limit.expect_err("no record");
    assert!((38..=44).contains(&(fake.requests() - before)), "{}", fake.requests() - before);
}

#[derive(Debug, Clone)]
enum Event {
    Write(u64),
    Split,
    Fault(bool),
    Settle(u8),
    Kill,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (1_u64..6).prop_map(Event::Write),
        Just(Event::Split),
        any::<bool>().prop_map(Event::Fault),
        (0_u8..4).prop_map(Event::Settle),
        Just(Event::Kill),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever fails, the records are handled in their order, none is left out, and only unsettled ones come again.
    #[test]
    fn every_record_is_handled_in_order(events in proptest::collection::vec(event(), 0..40), size in 1_u64..5) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("built");
        runtime.block_on(async {
            let fake = Arc::new(FakeStreams::new("a"));
            let definition = json!({ "BatchSize": size });
            let mut source = opened(&fake, &definition, None).await;
            let (mut done, mut written) = (0, 0);
            for event in events {
                match event {
                    Event::Write(count) => {
                        fake.write(count);
                        written += count;
                    }
                    Event::Split => fake.split(),
                    Event::Fault(expired) => {
                        fake.fail(if expired { Fault::Expired } else { Fault::Passing(String::new()) });
                    }
                    Event::Kill => {
                        let kept = source.checkpoint();
                        let service = Arc::clone(&fake) as Arc<dyn StreamService>;
                        let again = StreamSource::open(service, "stock", settings(&definition), Some(&kept.to_json())).await;
                        source = match again {
                            Ok(again) => again,
                            Err(_) => continue,
                        };
                    }
                    Event::Settle(answer) if done < written => {
                        let Ok(batch) = source.next_batch().await else { continue };
                        let count = u64::try_from(batch.records.len()).expect("few");
                        assert_eq!(numbers(&batch), (done + 1..=done + count).collect::<Vec<_>>());
                        let verdict = match answer {
                            0 => Verdict::Handled,
                            1 => Verdict::FailedAt(batch.records.len() / 2),
                            2 => Verdict::Failed,
                            _ => Verdict::Unseen,
                        };
                        done += u64::try_from(source.settle(&batch, verdict).advance).expect("few");
                    }
                    Event::Settle(_) => {}
                }
            }
            while done < written {
                let Ok(batch) = source.next_batch().await else { continue };
                assert_eq!(numbers(&batch)[0], done + 1);
                done += u64::try_from(source.settle(&batch, Verdict::Handled).advance).expect("few");
            }
        });
    }
}
