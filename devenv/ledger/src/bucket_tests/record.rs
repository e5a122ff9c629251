use std::time::Duration;

use devenv_cloud::{CloudErrorKind, Condition};
use devenv_fakes::Fault;
use devenv_releases::record::{Outcome, Record, Step};

use super::{Client, record};
use crate::error::Error;
use crate::open_record::{self, OpenRecord};

async fn begun(client: &Client) -> OpenRecord {
    OpenRecord::begin(&client.ledger, record("r000001-aa", None)).await.expect("it is written")
}

fn written(client: &Client) -> Record {
    Record::read(client.content("r000001-aa/record.json").as_bytes()).expect("whole")
}

#[tokio::test(start_paused = true)]
async fn a_record_is_written_whatever_becomes_of_the_answers() {
    let throttled = Fault::RefusedFor(CloudErrorKind::Throttled, Duration::from_secs(10));
    for fault in [Fault::Lost, Fault::LostAndRetried, throttled] {
        for call in 1..=4 {
            let client = Client::new();
            client.faults.on("put record.json", call, fault.clone());
            let mut open = begun(&client).await;
            open.advance(Step::Planned).await.expect("written");
            open.reach(Step::Waiting).await.expect("written");
            open.end(Outcome::Live).await.expect("written");
            assert!(client.faults.all_happened() && written(&client).is_live(), "{fault:?} at write {call}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_after_one_of_which_nothing_was_heard_is_no_conflict() {
    let client = Client::new();
    let mut open = begun(&client).await;
    // It is applied, and then nothing answers for a minute.
    client.faults.on("put record.json", 1, Fault::Lost);
    client.faults.on("record.json", 2, Fault::RefusedFor(CloudErrorKind::Unreachable, Duration::from_mins(1)));
    open.reach(Step::Waiting).await.expect_err("nobody knows");
    assert_eq!(open.record.step, Step::Waiting, "it is so, written or not");
    tokio::time::sleep(Duration::from_mins(1)).await;
    open.end(Outcome::Live).await.expect("only this run writes it");
    assert!(written(&client).is_live());
}

#[tokio::test(start_paused = true)]
async fn a_step_that_could_not_be_written_is_not_taken() {
    let client = Client::new();
    let mut open = begun(&client).await;
    client.faults.on("put record.json", 1, Fault::Refused(CloudErrorKind::Denied));
    open.advance(Step::Applying).await.expect_err("denied");
    assert_eq!(open.record.step, Step::Began);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_somebody_ended_stays_ended() {
    let client = Client::new();
    let mut open = begun(&client).await;
    let by = "r000002-bb".to_owned();
    open_record::close(&client.another(0).ledger, "r000001-aa", Outcome::Superseded { by }).await.expect("written");
    let refused = open.end(Outcome::Live).await.expect_err("another one has taken over");
    assert!(matches!(&refused, Error::LockLost { owner, .. } if owner == "the promotion r000002-bb"), "{refused}");
    assert!(!written(&client).is_live());
}

#[tokio::test(start_paused = true)]
async fn a_file_is_kept_once() {
    for fault in [Fault::Lost, Fault::LostAndRetried] {
        let client = Client::new();
        client.faults.on("put evidence", 1, fault);
        client.ledger.keep("r000001-aa", "evidence", b"green".to_vec()).await.expect("it is there");
        let other = client.ledger.keep("r000001-aa", "evidence", b"red".to_vec()).await.expect_err("it is another");
        assert_eq!(other.kind, CloudErrorKind::Conflict);
        assert_eq!(client.content("r000001-aa/evidence"), "green");
    }
}

#[tokio::test(start_paused = true)]
async fn a_conflict_where_the_condition_holds_is_tried_again() {
    let client = Client::new();
    // S3 answers so to the second of two writes at once, also when the first one fails.
    client.faults.on("put lock", 1, Fault::Refused(CloudErrorKind::Conflict));
    client.ledger.put("dev/releases/lock", b"mine".to_vec(), Condition::Absent).await.expect("nothing is there");
    assert_eq!(client.content("lock"), "mine");
}
