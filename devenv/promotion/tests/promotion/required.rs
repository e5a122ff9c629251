//! Releases that a target takes over from the targets that it requires.

use devenv_fakes::{FakeEngine, Fault, Faults};
use devenv_promotion::{CloudErrorKind, Error};
use devenv_releases::required::Differs;

use crate::repository::{ABROAD, HOME, bucket};
use crate::run::{Ended, Machine, error, on_paused_clock};
use crate::world::{REPOSITORY, World, digest, registry_image, tag};

const TIME: &str = "2026-11-21T10:00:00Z";

async fn released(world: &World, target: &'static str, edition: u32) {
    let ended = Machine::new(world, edition, TIME).to(target).promote().await;
    assert_eq!(ended.code(), Some(0), "{target}: {ended:?}");
}

/// A machine that has neither images nor an engine, nor evidence of its own.
fn bare<'a>(world: &'a World, target: &'static str) -> Machine<'a> {
    let faults = Faults::default();
    faults.on_several("connect", 1, 1000, Fault::Refused(CloudErrorKind::Unreachable));
    let machine = Machine::new(world, 9, TIME).to(target).on(FakeEngine::new(faults));
    std::fs::remove_dir_all(world.state().join("evidence")).expect("it is there");
    machine
}

fn pulls(world: &World) -> Vec<String> {
    world.faults.calls().into_iter().filter(|call| call.starts_with("pull ")).collect()
}

#[test]
fn a_release_is_copied_by_its_digest_with_its_evidence_and_without_an_engine() {
    on_paused_clock(async {
        let world = World::of_targets();
        released(&world, "dev", 1).await;
        let prod = bare(&world, "prod");
        let Ended::Done(promoted) = prod.promote().await else { panic!("it is proven") };
        let image = &promoted.release.images["web"];
        assert_eq!(image.reference, format!("registry.abroad.example/{REPOSITORY}@{}", digest(1)));
        assert_eq!(image.tested, digest(1));
        assert_eq!(world.abroad.digests(REPOSITORY), [(tag(1), digest(1))].into());
        assert_eq!(world.services.live("shop-prod", "web"), [digest(1)].into());
        let id = promoted.id.expect("it was recorded");
        let beside = |key: &&String| key.starts_with(&format!("prod/releases/{id}/")) && key.contains("-embedded");
        let keys = world.objects.keys(bucket(ABROAD));
        assert_eq!(keys.iter().filter(beside).count(), 1, "its evidence is beside its record: {keys:?}");
        assert_eq!(pulls(&world), [format!("pull {REPOSITORY}@{}", digest(1))]);

        let again = prod.promote().await;
        assert_eq!(again.code(), Some(0), "{again:?}");
        assert_eq!(pulls(&world).len(), 1, "the registry has the image already");
    });
}

#[test]
fn a_plan_of_a_required_release_copies_nothing() {
    on_paused_clock(async {
        let world = World::of_targets();
        released(&world, "dev", 1).await;
        let Ended::Done(planned) = bare(&world, "prod").plan().await else { panic!("it is proven") };
        assert_eq!(planned.id, None);
        assert_eq!(planned.proposal.expect("it proposes").images[0].to, digest(1));
        assert!(pulls(&world).is_empty() && world.abroad.digests(REPOSITORY).is_empty());
        assert!(!world.objects.keys(bucket(ABROAD)).iter().any(|key| key.contains("/releases/")), "not even a lock");
    });
}

#[test]
fn a_target_without_a_live_release_gives_none() {
    on_paused_clock(async {
        let world = World::of_targets();
        let none = error(bare(&world, "prod").promote().await);
        assert!(matches!(&none, Error::RequiredNotLive { required, .. } if required == "dev"), "{none}");
        released(&world, "dev", 1).await;
        let none = error(bare(&world, "both").promote().await);
        assert!(matches!(&none, Error::RequiredNotLive { required, .. } if required == "stage"), "{none}");
    });
}

#[test]
fn two_required_targets_must_have_the_same_release() {
    on_paused_clock(async {
        let world = World::of_targets();
        released(&world, "dev", 1).await;
        released(&world, "stage", 2).await;
        let differ = error(bare(&world, "both").promote().await);
        let Error::RequiredDiffer { disagreement, .. } = &differ else { panic!("{differ}") };
        assert_eq!((disagreement.first.as_str(), disagreement.other.as_str()), ("dev", "stage"));
        assert_eq!(disagreement.what, [Differs::Image { service: "web".to_owned() }]);
        released(&world, "stage", 1).await;
        let both = bare(&world, "both").promote().await;
        assert_eq!(both.code(), Some(0), "{both:?}");
        assert_eq!(world.services.live("shop-both", "web"), [digest(1)].into());
    });
}

#[test]
fn a_release_of_another_commit_tree_or_platform_than_here_is_refused() {
    on_paused_clock(async {
        let world = World::of_targets();
        released(&world, "dev", 1).await;
        let wrong = error(bare(&world, "arm").promote().await);
        let Error::WrongPlatform { wanted, found, .. } = &wrong else { panic!("{wrong}") };
        assert_eq!((wanted.as_str(), found.as_str()), ("linux/arm64", "linux/amd64"));

        let theirs = "0123456789abcdef0123456789abcdef01234567";
        world.rewrite(bucket(HOME), "dev", &world.repository.commit, theirs);
        let other = error(bare(&world, "prod").promote().await);
        let Error::OtherCommit { live, at_hand, .. } = &other else { panic!("{other}") };
        assert_eq!((live.as_str(), at_hand), (theirs, &world.repository.commit));

        world.rewrite(bucket(HOME), "dev", theirs, &world.repository.commit);
        let tree = world.repository.terraform_digest();
        world.rewrite(bucket(HOME), "dev", &tree, &digest(7));
        let other = error(bare(&world, "prod").promote().await);
        assert!(matches!(&other, Error::OtherTerraform { required, .. } if required == "dev"), "{other}");
        assert!(world.abroad.digests(REPOSITORY).is_empty());
    });
}

#[test]
fn a_release_whose_evidence_is_gone_or_damaged_is_refused_by_name() {
    on_paused_clock(async {
        let world = World::of_targets();
        released(&world, "dev", 1).await;
        let keys = world.objects.keys(bucket(HOME));
        let evidence = keys.iter().find(|key| key.contains("-embedded")).expect("it was kept");
        let content = world.objects.content(bucket(HOME), evidence).expect("it is there");

        world.objects.remove(bucket(HOME), evidence);
        let refused = error(bare(&world, "prod").promote().await).to_string();
        assert!(refused.contains(&format!("{evidence} in {}", bucket(HOME))), "{refused}");

        world.objects.overwrite(bucket(HOME), evidence, "{}");
        let refused = error(bare(&world, "prod").promote().await);
        assert!(matches!(&refused, Error::RequiredRefused { required, .. } if required == &["dev"]), "{refused}");

        world.objects.overwrite(bucket(HOME), evidence, content);
        assert_eq!(bare(&world, "prod").promote().await.code(), Some(0));
    });
}

#[test]
fn after_a_rollback_the_evidence_is_that_of_the_release_and_not_of_the_rollback() {
    on_paused_clock(async {
        let world = World::of_targets();
        for edition in [1, 2] {
            released(&world, "dev", edition).await;
        }
        let back = Machine::new(&world, 2, TIME).roll_back().await;
        assert_eq!(back.code(), Some(0), "{back:?}");
        let prod = bare(&world, "prod");
        assert_eq!(prod.promote().await.code(), Some(0));
        assert_eq!(world.services.live("shop-prod", "web"), [digest(1)].into());

        let first = &world.releases()[0];
        let record = format!("dev/releases/{first}/record.json");
        world.objects.remove(bucket(HOME), &record);
        let refused = error(prod.promote().await).to_string();
        assert!(refused.contains(&record), "{refused}");
    });
}

#[test]
fn an_image_that_cannot_be_copied_changes_nothing() {
    on_paused_clock(async {
        let world = World::of_targets();
        released(&world, "dev", 1).await;
        let lost = World::copied(&world);
        lost.registry.empty(REPOSITORY);
        let gone = error(bare(&lost, "prod").promote().await);
        assert!(matches!(&gone, Error::Cloud(error) if error.kind == CloudErrorKind::NotFound), "{gone}");

        let taken = World::copied(&world);
        taken.abroad.overwrite(REPOSITORY, &tag(1), registry_image(2));
        let by_hand = error(bare(&taken, "prod").promote().await);
        assert!(matches!(&by_hand, Error::TagTaken { digest: there, .. } if *there == digest(2)), "{by_hand}");

        for (world, tags) in [(&lost, 0), (&taken, 1)] {
            assert_eq!(world.abroad.digests(REPOSITORY).len(), tags);
            assert!(world.services.live("shop-prod", "web").is_empty());
        }
    });
}

#[test]
fn a_passing_error_of_the_other_registry_is_waited_out() {
    on_paused_clock(async {
        let world = World::of_targets();
        released(&world, "dev", 1).await;
        let prod = bare(&world, "prod");
        world.faults.on("pull", 1, Fault::RefusedFor(CloudErrorKind::Throttled, std::time::Duration::from_secs(10)));
        let copied = prod.promote().await;
        assert_eq!(copied.code(), Some(0), "{copied:?}");
        assert!(pulls(&world).len() > 1);
    });
}

#[test]
fn a_required_target_whose_account_file_is_of_another_region_is_not_read() {
    on_paused_clock(async {
        let world = World::of_targets();
        let refused = error(bare(&world, "after").promote().await);
        assert!(
            matches!(&refused, Error::AccountFile { path, .. } if path.as_str().contains("/elsewhere/")),
            "{refused}"
        );
        let read = |call: &String| call.starts_with("get ") && call.contains("elsewhere");
        assert!(!world.faults.calls().iter().any(read), "{:?}", world.faults.calls());
    });
}
