//! Evidence in a target's bucket, which only the build server may write.

use std::sync::Arc;

use devenv_promotion::Error;

use crate::repository::{ABROAD, HOME, Repository, bucket};
use crate::run::{Machine, error, on_paused_clock};
use crate::world::{World, digest};

const TIME: &str = "2026-11-21T10:00:00Z";

fn evidence(world: &World, target: &str) -> Vec<String> {
    let prefix = format!("{target}/evidence/{}/", world.repository.commit);
    world.objects.keys(bucket(HOME)).into_iter().filter(|key| key.starts_with(&prefix)).collect()
}

#[test]
fn a_target_that_demands_it_ships_only_with_evidence_from_its_bucket() {
    on_paused_clock(async {
        let world = World::of_targets();
        let machine = Machine::new(&world, 1, TIME).to("signed");
        let refused = error(machine.promote().await);
        assert!(matches!(&refused, Error::NotRecorded { .. }), "its own evidence does not count: {refused}");
        let recorded = machine.record().await.expect("the tests were green");
        assert_eq!((recorded.commit, recorded.files.len()), (world.repository.commit.clone(), 1));
        assert_eq!(
            evidence(&world, "signed"),
            [format!("signed/evidence/{}/{}", world.repository.commit, recorded.files[0])]
        );
        std::fs::remove_dir_all(world.state().join("evidence")).expect("it is there");
        let promoted = machine.promote().await;
        assert_eq!(promoted.code(), Some(0), "{promoted:?}");
    });
}

#[test]
fn evidence_is_recorded_once_and_never_overwritten() {
    on_paused_clock(async {
        let world = World::of_targets();
        let machine = Machine::new(&world, 1, TIME).to("signed");
        let first = machine.record().await.expect("the tests were green");
        assert_eq!(machine.record().await.expect("it is the same"), first);
        world.prove(2);
        assert_eq!(machine.record().await.expect("one is new").files.len(), 2);
        let [one, ..] = &evidence(&world, "signed")[..] else { panic!("two are there") };
        world.objects.overwrite(bucket(HOME), one, "theirs");
        machine.record().await.expect_err("another file has its name");
        assert_eq!(world.objects.content(bucket(HOME), one).as_deref(), Some(&b"theirs"[..]));
    });
}

#[test]
fn a_run_that_could_not_count_is_not_recorded() {
    on_paused_clock(async {
        let world = World::of_targets();
        let machine = Machine::new(&world, 1, TIME).to("signed");
        std::fs::remove_dir_all(world.state().join("evidence")).expect("it is there");
        world.prove_with(1, true);
        let nothing = machine.record().await.expect_err("it was of other files than the commit's");
        assert!(
            matches!(&nothing, Error::NothingToRecord { commit } if *commit == world.repository.commit),
            "{nothing}"
        );
        assert!(evidence(&world, "signed").is_empty());
    });
}

#[test]
fn a_target_that_requires_another_reads_the_evidence_in_the_bucket_of_that_one() {
    on_paused_clock(async {
        let world = World::of_targets();
        let machine = Machine::new(&world, 1, TIME).to("signed");
        machine.record().await.expect("the tests were green");
        assert_eq!(machine.promote().await.code(), Some(0));
        let audited = machine.to("audited");
        let [recorded] = &evidence(&world, "signed")[..] else { panic!("one is there") };
        let content = world.objects.content(bucket(HOME), recorded).expect("it is there");
        world.objects.remove(bucket(HOME), recorded);
        let refused = error(audited.promote().await).to_string();
        assert!(refused.contains(recorded), "the copy beside the record does not count: {refused}");
        world.objects.overwrite(bucket(HOME), recorded, content);
        let promoted = audited.promote().await;
        assert_eq!(promoted.code(), Some(0), "{promoted:?}");
        assert_eq!(world.services.live("shop-audited", "web"), [digest(1)].into());
        assert!(world.objects.keys(bucket(ABROAD)).iter().any(|key| key.contains("-embedded")), "it is kept there too");
    });
}

#[test]
fn outside_git_nothing_is_recorded_or_promoted() {
    on_paused_clock(async {
        let world = World::of(Arc::new(Repository::loose("")));
        let machine = Machine::new(&world, 1, TIME);
        let refused = machine.record().await.expect_err("it has no commit");
        assert!(matches!(refused, Error::NoRepository), "{refused}");
        let refused = error(machine.promote().await);
        assert!(matches!(refused, Error::NoRepository), "{refused}");
    });
}
