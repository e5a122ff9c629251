//! What is written of a promotion, where it cannot be written, and where rollbacks go by it.

use devenv_fakes::{Behaviour, Fault};
use devenv_ledger::Error as LedgerError;
use devenv_promotion::{CloudErrorKind, Error};

use crate::faulted::LOCK;
use crate::run::{Machine, error, on_paused_clock};
use crate::world::{BUCKET, World, digest};

const TIME: &str = "2026-11-21T10:00:00Z";
const ALWAYS: usize = 10_000;

async fn released(world: &World, edition: u32) -> Machine<'_> {
    let machine = Machine::new(world, edition, TIME);
    let ended = machine.promote().await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    machine
}

/// The edition that runs, and that the records have.
async fn live(machine: &Machine<'_>) -> u32 {
    let standing = machine.standing().await;
    assert_eq!(standing.running, standing.recorded.into_iter().collect::<Vec<_>>());
    standing.running[0]
}

#[test]
fn rollbacks_go_further_back_and_never_to_what_they_left() {
    on_paused_clock(async {
        let world = World::new();
        for edition in 1..=3 {
            released(&world, edition).await;
        }
        let machine = Machine::new(&world, 3, TIME);
        for edition in [2, 1] {
            let back = machine.roll_back().await;
            assert_eq!((back.code(), live(&machine).await), (Some(0), edition), "{back:?}");
        }
        assert!(matches!(error(machine.roll_back().await), Error::NoPrevious { .. }));
        // A promotion after a rollback leads back to the release that it was made over.
        released(&world, 3).await;
        machine.roll_back().await;
        assert_eq!(live(&machine).await, 1);
    });
}

#[test]
fn a_rollback_goes_to_a_release_that_is_named_and_on_from_there() {
    on_paused_clock(async {
        let world = World::new();
        for edition in 1..=3 {
            released(&world, edition).await;
        }
        let machine = Machine::new(&world, 3, TIME);
        let releases = world.releases();
        assert_eq!(releases.len(), 3);
        for (to, edition) in [(0, 1), (2, 3), (1, 2)] {
            let back = machine.roll_back_to(&releases[to]).await;
            assert_eq!((back.code(), live(&machine).await), (Some(0), edition), "{back:?}");
        }
        machine.roll_back().await;
        assert_eq!(live(&machine).await, 1);
        let before = world.objects.keys(BUCKET);
        assert!(matches!(error(machine.roll_back_to("r000099-00").await), Error::UnknownRelease { .. }));
        world.objects.overwrite(BUCKET, &format!("dev/releases/{}/terraform.tar", releases[2]), "damaged");
        assert!(matches!(error(machine.roll_back_to(&releases[2]).await), Error::KeptFiles { .. }));
        assert_eq!(world.objects.keys(BUCKET), before, "what is refused is not begun");
    });
}

#[test]
fn a_rollback_goes_on_when_its_record_cannot_be_written() {
    for kind in [CloudErrorKind::Denied, CloudErrorKind::Conflict, CloudErrorKind::Throttled] {
        on_paused_clock(async {
            let world = World::new();
            released(&world, 1).await;
            world.services.behaves(&digest(2), Behaviour::Crashes);
            let machine = Machine::new(&world, 2, TIME);
            // It begins, is pushed, planned and applied; from there nothing can be written of it.
            world.faults.on_several("put record.json", 5, ALWAYS, Fault::Refused(kind));
            let failed = machine.promote().await;
            assert_eq!((failed.code(), live(&machine).await), (Some(7), 1), "{kind:?}: {failed:?}");
            world.services.behaves(&digest(2), Behaviour::Good);
            machine.promote().await;
            assert_eq!(live(&machine).await, 2, "{kind:?}: the next one is not in its way");
        });
    }
}

#[test]
fn a_release_that_is_live_stays_live_when_that_cannot_be_written() {
    on_paused_clock(async {
        let world = World::new();
        released(&world, 1).await;
        let machine = Machine::new(&world, 2, TIME);
        world.faults.on_several("put record.json", 5, ALWAYS, Fault::Refused(CloudErrorKind::Denied));
        let pointed = machine.promote().await;
        assert_eq!((pointed.code(), live(&machine).await), (Some(0), 2), "the pointer has it: {pointed:?}");
        let back = machine.roll_back().await;
        assert_eq!((back.code(), live(&machine).await), (Some(0), 1), "{back:?}");

        for words in ["put record.json", "put releases/live"] {
            let nth = if words == "put record.json" { 5 } else { 1 };
            world.faults.on_several(words, nth, ALWAYS, Fault::Refused(CloudErrorKind::Denied));
        }
        let unrecorded = error(machine.promote().await);
        assert!(matches!(&unrecorded, Error::Unrecorded { .. }), "{unrecorded}");
        assert_eq!(machine.standing().await.running, [2]);
        let again = machine.promote().await;
        assert_eq!((again.code(), live(&machine).await), (Some(0), 2), "the next one writes it: {again:?}");
    });
}

/// Somebody takes the lock over while the machine sleeps.
fn slept(world: &World, machine: &Machine<'_>) -> Fault {
    let theirs = r#"{"version":1,"owner":"bob@ci","place":"2b","promotion":"x","since":1795000000,"until":1795000060}"#;
    let (objects, clock) = (world.objects.clone(), machine.clock.clone());
    Fault::after(move || {
        objects.overwrite(BUCKET, LOCK, theirs);
        clock.sleep(3600);
    })
}

#[test]
fn a_machine_that_slept_at_the_question_changes_nothing_when_somebody_took_over() {
    on_paused_clock(async {
        let world = World::new();
        released(&world, 1).await;
        let machine = Machine::new(&world, 2, TIME);
        // The caller is asked for once more when the question was answered.
        world.faults.on("caller", 2, slept(&world, &machine));
        let lost = error(machine.promote().await);
        assert!(matches!(&lost, Error::Ledger(LedgerError::LockLost { owner, .. }) if owner == "bob@ci"), "{lost}");
        assert!(world.faults.all_happened());
        assert_eq!(live(&machine).await, 1);
    });
}

#[test]
fn a_bucket_of_a_former_devenv_is_gone_on_with() {
    on_paused_clock(async {
        let world = World::new();
        for edition in 1..=2 {
            released(&world, edition).await;
        }
        // Its ids were times, its records had version 1, and it had no pointer.
        for key in world.objects.keys(BUCKET) {
            let content = world.objects.content(BUCKET, &key).expect("it is there");
            world.objects.remove(BUCKET, &key);
            let former = |text: &str| text.replace("r00000", "20261121T10000");
            let content = match String::from_utf8(content) {
                Ok(text) if key.ends_with("record.json") => {
                    former(&text).replace("\"version\": 2", "\"version\": 1").into_bytes()
                }
                Ok(text) => text.into_bytes(),
                Err(packed) => packed.into_bytes(),
            };
            if key != "dev/releases/live" && key != LOCK {
                world.objects.overwrite(BUCKET, &former(&key), content);
            }
        }
        let machine = Machine::new(&world, 3, TIME);
        assert_eq!(live(&machine).await, 2);
        assert_eq!(machine.promote().await.code(), Some(0));
        let newest = world.releases().pop().expect("three were made");
        assert!(newest.starts_with("r000001-"), "{newest}");
        for edition in [2, 1] {
            let back = machine.roll_back().await;
            assert_eq!((back.code(), live(&machine).await), (Some(0), edition), "{back:?}");
        }
    });
}

#[test]
fn a_lock_that_is_lost_after_the_apply_reports_what_is_live() {
    on_paused_clock(async {
        let world = World::new();
        released(&world, 1).await;
        let machine = Machine::new(&world, 2, TIME);
        // While the release is waited for.
        world.faults.on("probe", 1, slept(&world, &machine));
        let lost = error(machine.promote().await);
        let Error::TakenOver { owner, applied, live, .. } = &lost else { panic!("{lost}") };
        assert_eq!(owner, "bob@ci");
        let releases = world.releases();
        assert!(applied.contains(&releases[1]) && live.contains(&releases[0]), "{lost}");
    });
}
