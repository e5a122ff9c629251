//! Answers of a person, and Ctrl-C.

use devenv_promotion::Error;
use devenv_releases::record::{Kind, Outcome, Step};

use crate::outside::{Answers, YES};
use crate::run::{Machine, error, on_paused_clock};
use crate::world::{World, digest};

const TIME: &str = "2026-11-21T10:00:00Z";
const INTERRUPTED: u8 = 130;

async fn released(world: &World, editions: std::ops::RangeInclusive<u32>) {
    for edition in editions {
        let ended = Machine::new(world, edition, TIME).promote().await;
        assert_eq!(ended.code(), Some(0), "{ended:?}");
    }
}

fn questions(machine: &Machine<'_>) -> Vec<String> {
    machine.notices.lock().expect("no test panicked").clone()
}

#[test]
fn a_plan_that_is_declined_or_read_by_nobody_changes_nothing() {
    on_paused_clock(async {
        let world = World::new();
        released(&world, 1..=1).await;
        for (approves, asks) in [(Some(false), true), (None, false)] {
            let machine = Machine::new(&world, 2, TIME).answering(Answers { asks, approves, ..YES });
            for ended in [machine.promote().await, machine.roll_back_to(&world.releases()[0]).await] {
                let refused = error(ended);
                match approves {
                    Some(_) => assert!(matches!(refused, Error::Declined), "{refused}"),
                    None => assert!(matches!(refused, Error::NobodyToAsk), "{refused}"),
                }
                let last = machine.history().await.expect("readable").swap_remove(0);
                assert!(matches!(last.outcome, Some(Outcome::NothingChanged { .. })), "{last:?}");
            }
            let asked = if asks { vec!["Make this live in dev? [y/N]"; 2] } else { Vec::new() };
            assert_eq!(questions(&machine), asked);
            assert_eq!(world.services.live("shop-dev", "web"), [digest(1)].into());
        }
        let next = Machine::new(&world, 2, TIME).promote().await;
        assert_eq!(next.code(), Some(0), "the lock is free: {next:?}");
    });
}

#[test]
fn an_interruption_before_the_apply_changes_nothing() {
    for call in ["push shop/web", "image shop/web", "put record.json"] {
        on_paused_clock(async {
            let world = World::new();
            released(&world, 1..=1).await;
            let machine = Machine::new(&world, 2, TIME).interrupted_at(call);
            let ended = machine.promote().await;
            assert_eq!(ended.code(), Some(INTERRUPTED), "{call}: {ended:?}");
            assert!(matches!(error(ended), Error::Engine(devenv_engine::Error::Cancelled)), "{call}");
            let last = machine.history().await.expect("readable").swap_remove(0);
            assert!(matches!(last.outcome, Some(Outcome::NothingChanged { .. })), "{call}: {last:?}");
            assert_eq!(world.services.live("shop-dev", "web"), [digest(1)].into(), "{call}");
        });
    }
}

#[test]
fn an_interrupted_wait_returns_to_what_was_live_when_nobody_objects() {
    for call in ["tasks shop-dev/web", "probe"] {
        on_paused_clock(async {
            let world = World::new();
            released(&world, 1..=1).await;
            let machine = Machine::new(&world, 2, TIME).interrupted_at(call).answering(Answers { asks: true, ..YES });
            let ended = machine.promote().await;
            assert_eq!(ended.code(), Some(INTERRUPTED), "{call}: {ended:?}");
            let Error::RolledBack { interrupted, live, .. } = error(ended) else { panic!("{call}: it is not back") };
            assert!(interrupted && live.contains(&world.releases()[0]), "{call}: {live}");
            let asked = format!("Interrupted. Return to {live}? [Y/n]");
            assert!(questions(&machine).contains(&asked), "{call}: {:?}", questions(&machine));
            assert_eq!(Machine::new(&world, 2, TIME).standing().await.recorded, Some(1), "{call}");
        });
    }
}

#[test]
fn an_interrupted_first_release_is_scaled_to_zero_or_left() {
    on_paused_clock(async {
        let world = World::new();
        let machine = Machine::new(&world, 1, TIME).interrupted_at("probe");
        let ended = error(machine.promote().await);
        assert!(matches!(ended, Error::ScaledToZero { interrupted: true, .. }), "{ended}");
        assert!(world.services.live("shop-dev", "web").is_empty());

        let world = World::new();
        let left = Answers { asks: true, undoes: false, ..YES };
        let machine = Machine::new(&world, 1, TIME).interrupted_at("probe").answering(left);
        let ended = error(machine.promote().await);
        assert!(matches!(&ended, Error::Left { step, .. } if step == "smoking"), "{ended}");
        assert!(questions(&machine).contains(&"Interrupted. Return to nothing? [Y/n]".to_owned()));
        assert_eq!(world.services.live("shop-dev", "web"), [digest(1)].into());
    });
}

#[test]
fn what_a_person_leaves_as_it_is_stays_open_and_the_named_command_completes_it() {
    for rolls_back in [false, true] {
        on_paused_clock(async {
            let world = World::new();
            released(&world, 1..=2).await;
            let first = world.releases()[0].clone();
            let left = Answers { asks: true, undoes: false, ..YES };
            let edition = if rolls_back { 2 } else { 3 };
            let machine = Machine::new(&world, edition, TIME).interrupted_at("tasks shop-dev/web").answering(left);
            let ended = if rolls_back { machine.roll_back().await } else { machine.promote().await };
            assert_eq!(ended.code(), Some(INTERRUPTED), "{ended:?}");
            let ended = error(ended);
            let Error::Left { step, again, .. } = &ended else { panic!("{ended}") };
            assert_eq!(step, "waiting");
            let open = machine.history().await.expect("readable").swap_remove(0);
            assert_eq!((open.outcome, open.step), (None, Step::Waiting));

            let next = Machine::new(&world, edition, TIME);
            let (ended, live) = if rolls_back {
                assert_eq!((open.kind, again), (Kind::Rollback, &format!("devenv rollback dev --to {first}")));
                (next.roll_back_to(&first).await, 1)
            } else {
                assert_eq!((open.kind, again.as_str()), (Kind::Promotion, "devenv promote dev"));
                (next.promote().await, 3)
            };
            assert_eq!(ended.code(), Some(0), "{ended:?}");
            let standing = next.standing().await;
            assert!(standing.agrees() && standing.recorded == Some(live), "{standing:?}");
            let closed = next.history().await.expect("readable").into_iter().find(|record| record.id == open.id);
            assert!(matches!(closed.and_then(|closed| closed.outcome), Some(Outcome::Superseded { .. })));
        });
    }
}
