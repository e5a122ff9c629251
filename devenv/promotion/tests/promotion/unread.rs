//! A bucket that cannot be read or written: the lock is given back, and the rest is still shown.

use std::time::Duration;

use devenv_fakes::{Behaviour, Fault};
use devenv_ledger::Error as LedgerError;
use devenv_promotion::{CloudErrorKind, Error};

use crate::faulted::LOCK;
use crate::run::{Ended, Machine, error, on_paused_clock};
use crate::world::{BUCKET, World, digest};

const TIME: &str = "2026-11-21T10:00:00Z";

async fn released(world: &World, edition: u32) -> Ended {
    Machine::new(world, edition, TIME).promote().await
}

/// Another machine need not wait for a lease to end.
async fn another_may_begin(world: &World) {
    let began = tokio::time::Instant::now();
    let ended = Machine::new(&world.elsewhere(), 3, TIME).promote().await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

#[test]
fn a_run_that_cannot_read_the_records_or_begin_its_own_gives_the_lock_back() {
    for call in ["folders dev/releases", "put record.json"] {
        on_paused_clock(async {
            let world = World::new();
            assert_eq!(released(&world, 1).await.code(), Some(0));
            let machine = Machine::new(&world, 2, TIME);
            world.faults.on(call, 1, Fault::Refused(CloudErrorKind::Denied));
            let denied = error(machine.promote().await);
            assert!(matches!(&denied, Error::Cloud(error) if error.kind == CloudErrorKind::Denied), "{call}: {denied}");
            assert!(world.faults.all_happened(), "{call}");
            assert!(world.objects.content(BUCKET, LOCK).is_some(), "{call}: it was taken");
            another_may_begin(&world).await;
        });
    }
}

#[test]
fn a_rollback_to_a_release_that_failed_is_refused_and_gives_the_lock_back() {
    on_paused_clock(async {
        let world = World::new();
        assert_eq!(released(&world, 1).await.code(), Some(0));
        world.services.behaves(&digest(2), Behaviour::Crashes);
        assert_eq!(released(&world, 2).await.code(), Some(7));
        let failed = world.releases()[1].clone();
        let refused = error(Machine::new(&world, 2, TIME).roll_back_to(&failed).await);
        assert!(matches!(&refused, Error::NeverLive { id, .. } if *id == failed), "{refused}");
        another_may_begin(&world).await;
    });
}

#[test]
fn a_damaged_record_is_one_line_of_the_history_and_hides_no_other() {
    on_paused_clock(async {
        let world = World::new();
        for edition in 1..=3 {
            assert_eq!(released(&world, edition).await.code(), Some(0));
        }
        let ids = world.releases();
        let damaged = format!("dev/releases/{}/record.json", ids[1]);
        world.objects.overwrite(BUCKET, &damaged, "{");
        world.objects.remove(BUCKET, &format!("dev/releases/{}/record.json", ids[0]));
        let machine = Machine::new(&world, 3, TIME);
        let records = machine.records().await.expect("the bucket can be read");
        let [Ok(newest), Err(Error::Ledger(LedgerError::Unusable { key, .. }))] = &records[..] else {
            panic!("{records:?}")
        };
        assert_eq!((&newest.id, key), (&ids[2], &damaged));

        world.faults.on("get record.json", 1, Fault::Refused(CloudErrorKind::Denied));
        let denied = machine.records().await.expect_err("it may not read");
        assert!(matches!(&denied, Error::Cloud(error) if error.kind == CloudErrorKind::Denied), "{denied}");
    });
}
