use std::sync::Mutex;
use std::time::Duration;

use devenv_cloud::{CloudError, CloudErrorKind};
use devenv_fakes::Fault;
use devenv_releases::lease::Lease;
use tokio::time::{Instant, sleep};

use super::Client;
use crate::error::Error;
use crate::lease::HeldLease;

/// By a run in a folder.
async fn take(client: &Client, owner: &str, place: &str) -> Result<HeldLease, Error> {
    let now = client.ledger.clock.now().as_second();
    let lease = Lease::new(owner.to_owned(), place.to_owned(), format!("{owner}'s run"), now);
    HeldLease::take(&client.ledger, lease, |_| {}, std::future::pending()).await
}

fn promotion<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Error {
    match outcome {
        Err(error) => error,
        other => panic!("no error of a promotion: {other:?}"),
    }
}

async fn lost(lease: &HeldLease) -> String {
    match lease.hold().await {
        Err(Error::LockLost { owner, .. }) => owner,
        other => panic!("it is not lost: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_no_lost_lock() {
    for fault in [Fault::Lost, Fault::LostAndRetried] {
        let client = Client::new();
        client.faults.on("put lock", 1, fault.clone());
        let lease = take(&client, "ada", "1a").await.expect("it was written");
        client.faults.on("put lock", 1, fault.clone());
        sleep(Duration::from_secs(40)).await;
        lease.hold().await.expect("it was renewed");
        client.faults.on("put lock", 1, fault.clone());
        lease.release().await;
        assert!(client.faults.all_happened());
        assert!(client.content("lock").contains("\"until\":0"), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_loses_no_lock() {
    let client = Client::new();
    let throttled = Fault::RefusedFor(CloudErrorKind::Throttled, Duration::from_secs(10));
    client.faults.on("lock", 1, throttled.clone());
    let lease = take(&client, "ada", "1a").await.expect("it was tried again");
    sleep(Duration::from_secs(14)).await;
    client.faults.on("lock", 1, throttled);
    sleep(Duration::from_secs(30)).await;
    lease.hold().await.expect("it was renewed");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_hangs_loses_no_lock() {
    let client = Client::new();
    let lease = take(&client, "ada", "1a").await.expect("it is free");
    // A connection that a router has forgotten: nothing comes back until TCP gives up.
    client.faults.on("put lock", 1, Fault::Delayed(Duration::from_mins(10)));
    sleep(Duration::from_secs(14)).await;
    let refused = promotion(take(&client.another(0), "bob", "2b").await);
    assert!(matches!(&refused, Error::Locked { owner, .. } if owner == "ada"), "{refused}");
    lease.hold().await.expect("it is still ada's");
}

#[tokio::test(start_paused = true)]
async fn a_lock_of_a_holder_that_lives_is_refused_whatever_the_clocks_show() {
    for off in [-900, 0, 900] {
        let holder = Client::new();
        let held = take(&holder, "ada", "1a").await.expect("it is free");
        let began = Instant::now();
        let refused = promotion(take(&holder.another(off), "bob", "2b").await);
        assert!(matches!(&refused, Error::Locked { owner, .. } if owner == "ada"), "{refused}");
        assert!(began.elapsed() < Duration::from_secs(20), "as soon as it is renewed");
        held.hold().await.expect("it is still ada's");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lock_of_a_holder_that_died_is_taken_over_whatever_the_clocks_show() {
    for off in [-900, 0, 900] {
        let holder = Client::new();
        drop(take(&holder, "ada", "1a").await.expect("it is free"));
        let began = Instant::now();
        take(&holder.another(off), "bob", "2b").await.expect("nobody renews it");
        assert!((Lease::LASTS..Lease::LASTS * 2).contains(&began.elapsed()), "{off}: {:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_run_in_the_folder_of_one_that_died_and_after_one_that_ended_goes_on_at_once() {
    let client = Client::new();
    let began = Instant::now();
    drop(take(&client, "ada", "1a").await.expect("it is free"));
    let lease = take(&client, "ada", "1a").await.expect("nobody else works there");
    lease.release().await;
    take(&client, "bob", "2b").await.expect("it was given up");
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn waiting_is_said_and_can_be_interrupted() {
    let client = Client::new();
    drop(take(&client, "ada", "1a").await.expect("it is free"));
    let cancelled = tokio::sync::Notify::new();
    let said = Mutex::new(Vec::new());
    let lease = Lease::new("bob".to_owned(), "2b".to_owned(), "bob's run".to_owned(), 0);
    let taking = HeldLease::take(
        &client.ledger,
        lease,
        |line| {
            said.lock().expect("one thread").push(line);
            cancelled.notify_one();
        },
        cancelled.notified(),
    );
    assert!(matches!(taking.await, Err(Error::Cancelled)));
    let said = said.into_inner().expect("one thread");
    assert_eq!(said.len(), 1);
    assert!(
        said[0].starts_with("ada has held the lock since 2026-11-18") && said[0].contains("60 seconds"),
        "{said:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_slept_stops_when_somebody_took_over() {
    let client = Client::new();
    let slept = take(&client, "ada", "1a").await.expect("it is free");
    // Its timers stood still, so it has renewed nothing.
    client.clock.sleep(3600);
    let theirs = Lease::new("bob".to_owned(), "2b".to_owned(), "bob's run".to_owned(), 0);
    client.overwrite("lock", theirs.to_json());
    assert_eq!(lost(&slept).await, "bob");
    slept.release().await;
    assert!(client.content("lock").contains("bob's run"), "another's lock is not given up");
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_slept_goes_on_when_it_could_renew() {
    let client = Client::new();
    let slept = take(&client, "ada", "1a").await.expect("it is free");
    client.clock.sleep(3600);
    let before = client.faults.calls().len();
    client.faults.on_several("put lock", 1, 3, Fault::Refused(CloudErrorKind::Unreachable));
    slept.hold().await.expect("nobody took over");
    assert_eq!(client.faults.calls().len(), before + 4, "the network came back at the fourth try");
    client.clock.sleep(3600);
    client.faults.on_several("put lock", 1, 1000, Fault::Refused(CloudErrorKind::Unreachable));
    let refused = slept.hold().await.expect_err("it could not renew");
    assert!(matches!(refused, Error::Cloud(CloudError { kind: CloudErrorKind::Unreachable, .. })), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_was_removed_or_overwritten_is_lost() {
    let client = Client::new();
    let lease = take(&client, "ada", "1a").await.expect("it is free");
    client.objects.remove(super::BUCKET, "dev/releases/lock");
    sleep(Duration::from_secs(20)).await;
    assert_eq!(lost(&lease).await, "an unknown run that removed it");
    let lease = take(&client, "ada", "1a").await.expect("it is free");
    client.overwrite("lock", "damaged");
    sleep(Duration::from_secs(20)).await;
    assert_eq!(lost(&lease).await, "an unknown run");
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_cannot_be_read_is_refused_and_stays() {
    for content in ["{\"version\":2,\"holder\":\"bob\"}", "{\"version\":1", ""] {
        let client = Client::new();
        client.overwrite("lock", content);
        let refused = promotion(take(&client, "ada", "1a").await);
        assert!(matches!(refused, Error::Unusable { .. }), "{refused}");
        assert_eq!(client.content("lock"), content);
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_that_come_at_once_one_gets_it() {
    let client = Client::new();
    let other = client.another(0);
    let (one, two) = tokio::join!(take(&client, "ada", "1a"), take(&other, "bob", "2b"));
    let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
    won.expect("one gets it").hold().await.expect("and keeps it");
    assert!(matches!(promotion(lost), Error::Locked { .. }));
}
