//! What AWS cannot answer for a while, what stands beside a release, and a lock that is another's.

use std::time::Duration;

use devenv_fakes::{Behaviour, Fault, Sidecar};
use devenv_promotion::CloudErrorKind;

use crate::run::{Ended, Machine, on_paused_clock};
use crate::standing::Standing;
use crate::world::{BUCKET, World, digest};

const OUTAGE: Duration = Duration::from_secs(10);
const STATE_LOCK: &str = "dev/release.tfstate.tflock";

fn live(edition: u32) -> Standing {
    Standing { running: vec![edition], recorded: Some(edition), planned_is_empty: edition == 2 }
}

/// A world with a first edition live, and a machine with the second one.
async fn first_is_live(world: &World) -> Machine<'_> {
    let ended = Machine::new(world, 1, "2026-11-21T10:00:00Z").promote().await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    Machine::new(world, 2, "2026-11-21T11:00:00Z")
}

fn said(ended: &Ended) -> String {
    match ended {
        Ended::Failed(error) => error.to_string(),
        other => format!("{other:?}"),
    }
}

#[test]
fn an_agent_in_every_task_does_not_fail_a_release() {
    on_paused_clock(async {
        let world = World::new();
        let agent = Sidecar { name: "aws-guardduty-agent-1a2b".to_owned(), digest: "sha256:7".to_owned() };
        world.services.add_sidecar(agent);
        let machine = first_is_live(&world).await;
        let second = machine.promote().await;
        assert_eq!(second.code(), Some(0), "{second:?}");
        assert_eq!(machine.standing().await, live(2));
    });
}

#[test]
fn an_error_that_passes_does_not_take_a_healthy_release_back() {
    use CloudErrorKind::{Throttled, Unavailable, Unreachable};
    for kind in [Throttled, Unavailable, Unreachable] {
        for call in ["task_definition", "service shop-dev/web", "tasks shop-dev/web", "image shop/web"] {
            on_paused_clock(async {
                let world = World::new();
                let machine = first_is_live(&world).await;
                world.faults.on(call, 1, Fault::RefusedFor(kind, OUTAGE));
                let second = machine.promote().await;
                assert_eq!(second.code(), Some(0), "{kind:?} at {call}: {second:?}");
                assert_eq!(machine.standing().await, live(2), "{kind:?} at {call}");
            });
        }
    }
}

#[test]
fn an_error_that_passes_does_not_fail_a_rollback() {
    for nth in 1..12 {
        on_paused_clock(async {
            let world = World::new();
            let machine = first_is_live(&world).await;
            world.services.behaves(&digest(2), Behaviour::Crashes);
            world.faults.on("shop-dev/web", nth, Fault::RefusedFor(CloudErrorKind::Throttled, OUTAGE));
            let failed = machine.promote().await;
            assert_eq!(failed.code(), Some(7), "call {nth}: {failed:?}");
            assert_eq!(machine.standing().await, live(1), "call {nth}");
        });
    }
}

#[test]
fn an_error_that_cannot_pass_is_named_with_what_was_seen() {
    on_paused_clock(async {
        let world = World::new();
        let machine = first_is_live(&world).await;
        world.faults.on("tasks shop-dev/web", 2, Fault::Refused(CloudErrorKind::Login));
        let failed = machine.promote().await;
        assert_eq!(failed.code(), Some(7), "{failed:?}");
        let said = said(&failed);
        assert!(said.contains("cannot see whether web is live") && said.contains("(seen before: "), "{said}");
        assert_eq!(machine.standing().await, live(1));
    });
}

#[test]
fn a_state_lock_of_the_same_user_and_host_is_another_folders() {
    on_paused_clock(async {
        let world = World::new();
        let machine = first_is_live(&world).await;
        let lock = r#"{"ID":"c0ffee00-0000-4000-8000-000000000000","Who":"WHO","Created":"2026-11-21T10:30:00Z"}"#;
        let lock = lock.replace("WHO", &crate::standing::owner());
        world.objects.overwrite(BUCKET, STATE_LOCK, lock.clone());
        let locked = machine.promote().await;
        assert_eq!(locked.code(), Some(9), "{locked:?}");
        assert_eq!(world.objects.content(BUCKET, STATE_LOCK), Some(lock.into_bytes()), "it is still theirs");
        assert_eq!(world.services.live("shop-dev", "web"), [digest(1)].into());
    });
}

#[test]
fn a_state_lock_that_a_killed_terraform_of_this_folder_left_is_removed() {
    on_paused_clock(async {
        let world = World::new();
        let machine = first_is_live(&world).await;
        world.terraform_faults.on("terraform apply update", 1, Fault::Killed);
        let killed = machine.promote().await;
        assert_eq!(killed.code(), None, "{killed:?}");
        assert!(world.objects.content(BUCKET, STATE_LOCK).is_some(), "its lock is left");
        world.faults.clear();
        world.terraform_faults.clear();
        let next = machine.promote().await;
        assert_eq!(next.code(), Some(0), "{next:?}");
        assert_eq!(machine.standing().await, live(2));
    });
}
