//! What a promotion refuses, and that it then has changed nothing that runs.

use std::sync::Arc;

use devenv_fakes::{FakeEngine, Fault, Faults};
use devenv_promotion::{CloudErrorKind, Error};
use devenv_releases::record::Outcome;
use serde_json::json;

use crate::repository::{ABROAD, HOME, Repository};
use crate::run::{Machine, error, on_paused_clock};
use crate::world::{REPOSITORY, World, digest, image, registry_image, tag};

const TIME: &str = "2026-11-21T10:00:00Z";

/// A world in which the first edition is live.
async fn with_first(world: &World) -> Machine<'_> {
    let first = Machine::new(world, 1, TIME).promote().await;
    assert_eq!(first.code(), Some(0), "{first:?}");
    Machine::new(world, 2, TIME)
}

/// The first edition is live still, the last record is closed as it ended, and the next promotion may begin.
async fn nothing_changed(world: &World, machine: Machine<'_>, cause: &str) {
    assert_eq!(world.services.live("shop-dev", "web"), [digest(1)].into());
    let last = machine.history().await.expect("readable").swap_remove(0);
    let Some(Outcome::NothingChanged { cause: recorded }) = last.outcome else { panic!("{last:?}") };
    assert!(recorded.contains(cause), "{recorded}");
    world.registry.empty(REPOSITORY);
    let next = Machine::new(world, 2, TIME).promote().await;
    assert_eq!(next.code(), Some(0), "{next:?}");
}

#[test]
fn a_login_to_another_account_or_region_reads_nothing_from_the_bucket() {
    on_paused_clock(async {
        let world = World::new();
        let mut machine = Machine::new(&world, 1, TIME);
        "111111111111".clone_into(&mut machine.identity.caller.account);
        let wrong = error(machine.promote().await);
        let Error::WrongAccount { wanted, found, .. } = &wrong else { panic!("{wrong}") };
        assert_eq!((wanted.as_str(), found.as_str()), ("000000000000", "111111111111"));
        machine.history().await.expect_err("not even its history");

        let mut machine = Machine::new(&world, 1, TIME);
        machine.identity.region = Some(ABROAD.to_owned());
        let wrong = error(machine.roll_back().await);
        let Error::WrongRegion { wanted, found, .. } = &wrong else { panic!("{wrong}") };
        assert_eq!((wanted.as_str(), found.as_str()), (HOME, ABROAD));
        assert!(world.faults.calls().iter().all(|call| call == "caller"), "{:?}", world.faults.calls());

        machine.identity.region = Some(HOME.to_owned());
        assert_eq!(machine.promote().await.code(), Some(0), "the right region may be named");
    });
}

#[test]
fn an_account_whose_terraform_git_does_not_track_is_refused_before_any_request() {
    on_paused_clock(async {
        let world = World::of(Arc::new(Repository::of_untracked_terraform()));
        let refused = error(Machine::new(&world, 1, TIME).promote().await);
        let (code, _, hint) = crate::report::describe(&refused);
        assert!(
            matches!(&refused, Error::NoTerraform { folder, .. } if folder == "terraform/envs/dev/release"),
            "{refused}"
        );
        assert!(code == "no_terraform" && hint.is_some_and(|hint| hint.contains("git add terraform/envs/dev")));
        assert_eq!(world.faults.calls(), [""; 0]);
    });
}

#[test]
fn settings_that_do_not_name_one_account_are_refused_before_any_request() {
    on_paused_clock(async {
        let world = World::of_targets();
        let machine = Machine::new(&world, 1, TIME).to("elsewhere");
        let refused = error(machine.promote().await).to_string();
        assert_eq!(
            refused,
            "terraform/envs/elsewhere/account.tfvars.json: region is eu-west-1, but us-east-1 in devenv.toml"
        );
        let unknown = error(machine.to("production").promote().await).to_string();
        assert!(
            unknown.starts_with("devenv.toml has no [promote.production]; it defines after, arm, audited, "),
            "{unknown}"
        );

        let more = "[promote.account]\nterraform = \"terraform/envs/dev\"\nregion = \"eu-west-1\"\n\
                    [promote.region]\nterraform = \"terraform/envs/dev\"\naccount = \"000000000000\"\n\
                    [promote.other]\nterraform = \"terraform/envs/dev\"\naccount = \"222222222222\"\nregion = \"eu-west-1\"\n\
                    [promote.file]\naccount = \"000000000000\"\nregion = \"eu-west-1\"\n";
        let loose = World::of(Arc::new(Repository::loose(more)));
        for (target, words) in [
            ("account", "[promote.account] lacks account"),
            ("region", "[promote.region] lacks region"),
            ("other", "allowed_account_ids is not [\"222222222222\"], as in devenv.toml"),
            ("file", "terraform/envs/file/account.tfvars.json: "),
        ] {
            let refused = error(Machine::new(&loose, 1, TIME).to(target).promote().await).to_string();
            assert!(refused.contains(words), "{refused}");
        }
        assert_eq!((world.faults.calls(), loose.faults.calls()), (Vec::new(), Vec::new()));
    });
}

#[test]
fn without_an_engine_or_its_image_for_the_platform_there_is_nothing_to_promote() {
    on_paused_clock(async {
        let world = World::new();
        let faults = Faults::default();
        let machine = Machine::new(&world, 1, TIME).on(FakeEngine::new(faults.clone()));
        let absent = error(machine.promote().await);
        assert!(matches!(&absent, Error::NoImage { reference, .. } if reference == "web:1"), "{absent}");
        faults.on("connect", 1, Fault::Refused(CloudErrorKind::Unreachable));
        let none = error(machine.promote().await).to_string();
        assert!(none.starts_with("no container engine answers: memory: "), "{none}");

        let machine = Machine::new(&world, 1, TIME);
        machine.engine.set_platform("web:1", "linux/arm64");
        let wrong = error(machine.promote().await);
        assert!(matches!(&wrong, Error::WrongPlatform { found, .. } if found == "linux/arm64"), "{wrong}");
        assert!(world.releases().is_empty() && world.registry.digests(REPOSITORY).is_empty());
    });
}

#[test]
fn an_image_whose_tag_another_one_has_is_not_pushed() {
    on_paused_clock(async {
        let world = World::new();
        let machine = with_first(&world).await;
        world.registry.overwrite(REPOSITORY, &tag(2), registry_image(3));
        let taken = error(machine.promote().await);
        assert!(matches!(&taken, Error::TagTaken { digest: there, .. } if *there == digest(3)), "{taken}");
        nothing_changed(&world, machine, "another image").await;
    });
}

#[test]
fn an_image_that_the_registry_does_not_keep_is_not_released() {
    // The push is answered, and the image is gone; or somebody cleans up while a person reads the plan.
    for (call, nth) in [("image", 2), ("caller", 2)] {
        on_paused_clock(async {
            let world = World::new();
            let machine = with_first(&world).await;
            let registry = world.registry.clone();
            world.faults.on(call, nth, Fault::after(move || registry.empty(REPOSITORY)));
            let gone = error(machine.promote().await);
            let Error::OtherImage { tested, found, .. } = &gone else { panic!("{gone}") };
            assert_eq!((tested, found.as_str()), (&digest(2), "nothing under its digest"));
            nothing_changed(&world, machine, "nothing under its digest").await;
        });
    }
}

#[test]
fn an_image_that_differs_from_the_memory_of_its_build_is_not_pushed() {
    on_paused_clock(async {
        let repository = Repository::loose("").committed();
        // The tests ran the second edition; the engine has the first one under the same id.
        repository.remember(&image(1).config_digest(), &digest(2));
        let world = World::of(Arc::new(repository));
        world.prove(2);
        let other = error(Machine::new(&world, 1, TIME).promote().await);
        let Error::OtherImage { tested, found, .. } = &other else { panic!("{other}") };
        assert_eq!((tested, found), (&digest(2), &digest(1)));
        assert!(world.registry.digests(REPOSITORY).is_empty());
    });
}

#[test]
fn a_plan_that_removes_data_or_cannot_be_read_is_not_applied() {
    let removed = json!({
        "address": "module.tables.aws_dynamodb_table.items", "type": "aws_dynamodb_table",
        "change": { "actions": ["delete", "create"] },
    });
    for (resource, words) in
        [(removed, "module.tables.aws_dynamodb_table.items"), (json!("?"), "terraform show failed")]
    {
        on_paused_clock(async {
            let world = World::new();
            let machine = with_first(&world).await.changing(resource.clone());
            let applied = world.terraform_faults.calls().iter().filter(|call| call.contains("apply")).count();
            let refused = error(machine.promote().await);
            assert!(refused.to_string().contains(words), "{refused}");
            assert_eq!(world.terraform_faults.calls().iter().filter(|call| call.contains("apply")).count(), applied);
            nothing_changed(&world, machine, words).await;
        });
    }
}

#[test]
fn outputs_that_cannot_be_read_for_a_while_do_not_take_a_release_back() {
    for (times, code, live) in [(3, 0, 2), (4, 7, 1)] {
        on_paused_clock(async {
            let world = World::new();
            let machine = with_first(&world).await;
            let failure = Fault::Refused(CloudErrorKind::Unavailable);
            world.terraform_faults.on_several("terraform output", 1, times, failure);
            let ended = machine.promote().await;
            assert_eq!(ended.code(), Some(code), "{times} times: {ended:?}");
            assert_eq!(machine.standing().await.running, [live], "{times} times");
        });
    }
}
