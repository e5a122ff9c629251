use devenv_fakes::Fault;
use devenv_releases::format::FormatError;
use devenv_releases::id::next_id;
use devenv_releases::pointer::Pointer;
use devenv_releases::record::{Kind, Outcome, Record, Step};

use super::{Client, ended, live, record, release};
use crate::error::Error;
use crate::ledger::Survey;
use crate::open_record;

async fn survey(client: &Client) -> Survey {
    client.ledger.survey().await.expect("readable")
}

/// What is live, by the name of its record.
async fn live_id(client: &Client) -> Option<String> {
    client.ledger.standing().await.expect("known").live.map(|live| live.id)
}

fn unchanged(id: &str) -> Record {
    ended(id, Some("r000001-aa"), Outcome::NothingChanged { cause: "declined".to_owned() })
}

#[tokio::test]
async fn what_is_live_does_not_depend_on_a_clock() {
    let client = Client::new();
    let mut ids: Vec<String> = Vec::new();
    // Each promoter's clock is behind the one before.
    for (number, off) in [900, 0, -900].into_iter().enumerate() {
        let promoter = client.another(off);
        let found = survey(&promoter).await;
        let id = next_id(found.ids(), "aa");
        let previous = found.standing.live.map(|live| live.id);
        assert_eq!(previous.as_ref(), ids.last(), "promotion {number}");
        promoter.write_record(&live(&id, previous.as_deref()));
        ids.push(id);
    }
    assert_eq!(live_id(&client).await.as_ref(), ids.last());
}

#[tokio::test]
async fn records_of_a_former_devenv_come_before_all_others() {
    let client = Client::new();
    let former = Record { version: 1, ..live("20261121T100000123Z-1a2b3c4d", None) };
    client.write_record(&former);
    let found = survey(&client).await;
    assert_eq!(found.standing.live, Some(former.clone()));
    assert_eq!(next_id(found.ids(), "aa"), "r000001-aa");
    client.write_record(&live("r000001-aa", Some(&former.id)));
    assert_eq!(live_id(&client).await.as_deref(), Some("r000001-aa"));
    let history = client.ledger.history(10).await.expect("readable");
    let history: Vec<String> = history.into_iter().map(|record| record.expect("whole").id).collect();
    assert_eq!(history, ["r000001-aa", "20261121T100000123Z-1a2b3c4d"]);
}

#[tokio::test]
async fn a_release_stays_live_however_many_fail_after_it() {
    let client = Client::new();
    client.ledger.point(&live("r000001-aa", None), &mut None).await.expect("written");
    for number in 2..1300 {
        client.write_record(&unchanged(&format!("r{number:06}-aa")));
    }
    assert_eq!(live_id(&client).await.as_deref(), Some("r000001-aa"));
}

#[tokio::test]
async fn a_look_back_that_finds_nothing_is_an_error_and_not_an_answer() {
    let client = Client::new();
    client.write_record(&live("20260101T000000000Z-00000000", None));
    for number in 0..1000 {
        client.write_record(&unchanged(&format!("20260202T000000000Z-{number:08}")));
    }
    let refused = client.ledger.standing().await.expect_err("it is further back");
    assert!(matches!(refused, Error::LookBack { records: 1000, .. }), "{refused}");
    client.objects.remove(super::BUCKET, "dev/releases/20260101T000000000Z-00000000/record.json");
    assert_eq!(live_id(&client).await, None, "there is nothing further back");
}

#[tokio::test]
async fn after_a_kill_between_record_and_pointer_the_newer_record_wins() {
    let client = Client::new();
    client.ledger.point(&live("r000001-aa", None), &mut None).await.expect("written");
    client.write_record(&live("r000002-bb", Some("r000001-aa")));
    client.write_record(&record("r000003-cc", Some("r000002-bb")));
    let found = survey(&client).await;
    assert_eq!(found.standing.live.as_ref().map(|live| live.id.as_str()), Some("r000002-bb"));
    assert_eq!(found.standing.unfinished.len(), 1);
}

#[tokio::test]
async fn a_record_whose_end_only_the_pointer_has_gets_it() {
    let client = Client::new();
    let killed = Record { step: Step::Smoking, ..record("r000002-bb", Some("r000001-aa")) };
    client.write_record(&killed);
    let ended = live("r000002-bb", Some("r000001-aa"));
    client.ledger.point(&ended, &mut None).await.expect("written");
    let found = survey(&client).await;
    assert_eq!((found.standing.live.as_ref(), found.standing.is_half_done), (Some(&ended), false));
    open_record::write_end(&client.ledger, &ended).await.expect("written");
    assert_eq!(Record::read(client.content("r000002-bb/record.json").as_bytes()), Ok(ended));
}

#[tokio::test(start_paused = true)]
async fn the_pointer_is_written_whatever_becomes_of_the_answers() {
    for fault in [Fault::Lost, Fault::LostAndRetried] {
        let client = Client::new();
        let mut etag = None;
        for id in ["r000001-aa", "r000002-bb"] {
            client.faults.on("put live", 1, fault.clone());
            client.ledger.point(&live(id, None), &mut etag).await.expect("written");
            assert_eq!(live_id(&client).await.as_deref(), Some(id), "{fault:?}");
        }
        // As after a write of which nothing was heard.
        client.ledger.point(&live("r000003-cc", None), &mut None).await.expect("written over an older one");
        client.ledger.point(&live("r000002-bb", None), &mut None).await.expect_err("there is a newer one");
        assert_eq!(live_id(&client).await.as_deref(), Some("r000003-cc"));
        assert!(client.faults.all_happened());
    }
}

#[tokio::test]
async fn a_pointer_of_a_newer_devenv_is_refused() {
    let client = Client::new();
    let pointer = String::from_utf8(Pointer::new(live("r000001-aa", None)).to_json()).expect("text");
    let refused = async |content: String| {
        client.overwrite("live", content);
        match client.ledger.standing().await {
            Err(Error::Unusable { error, key, .. }) if key == "dev/releases/live" => error,
            other => panic!("it is not refused: {other:?}"),
        }
    };
    let newer = pointer.replacen("\"version\": 1", "\"version\": 2", 1);
    assert_eq!(refused(newer).await, FormatError::Version { what: "live pointer", found: 2, known: 1 });
    let newer_record = pointer.replacen("\"version\": 2", "\"version\": 3", 1);
    assert_eq!(refused(newer_record).await, FormatError::Version { what: "live pointer", found: 3, known: 2 });
    assert!(matches!(refused(String::new()).await, FormatError::Unreadable { .. }));
}

#[tokio::test]
async fn a_rollback_of_a_former_devenv_leads_back_to_what_was_before_its_release() {
    let client = Client::new();
    let former = |record: Record| Record { version: 1, ..record };
    let (a, b, c, d) =
        ("20260101T000000000Z-a", "20260102T000000000Z-b", "20260103T000000000Z-c", "20260104T000000000Z-d");
    client.write_record(&former(live(a, None)));
    client.write_record(&former(live(b, Some(a))));
    client.write_record(&former(live(c, Some(b))));
    // It returned to b and, as it was written then, names what it left.
    let rollback = Record { kind: Kind::Rollback, release: release(b), ..live(d, Some(c)) };
    client.write_record(&former(rollback));
    let standing = client.ledger.standing().await.expect("known");
    assert_eq!(standing.way_back(), Some(&release(a)));
}

#[tokio::test]
async fn a_damaged_record_that_may_name_what_is_live_is_an_error() {
    let client = Client::new();
    client.ledger.point(&live("r000001-aa", None), &mut None).await.expect("written");
    client.overwrite("r000002-bb/record.json", "{");
    let refused = client.ledger.standing().await.expect_err("it may have ended live");
    assert!(
        refused.to_string().contains("cannot use the record dev/releases/r000002-bb/record.json: it is not a record")
    );
}
