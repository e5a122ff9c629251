//! Faults after faults, and promotions beside each other: whatever came before, the next one puts it right.

use std::time::Duration;

use devenv_fakes::Faults;

use crate::faulted::{Beginning, Kind, Story, machine};
use crate::run::{Machine, on_paused_clock};
use crate::world::World;

/// A release that is promoted while another is.
const LATER: &str = "2026-11-21T10:06:00Z";

#[test]
fn a_rollback_after_a_kill_returns_to_what_was_live() {
    let beginning = Beginning::of(Story::Promotion);
    for call in &beginning.calls {
        for name in Kind::Killed.faults(call) {
            on_paused_clock(async {
                let world = beginning.world();
                let machine = machine(&world);
                beginning.give(&world, &machine, call, name);
                machine.promote().await;
                recovered(&world).await;
                let back = machine.roll_back().await;
                let standing = machine.standing().await;
                assert!(
                    standing.agrees() && standing.recorded == Some(1),
                    "{} {name:?}: {back:?}: {standing:?}",
                    call.text
                );
            });
        }
    }
}

#[test]
fn what_several_faults_in_a_row_leave_is_put_right() {
    let beginning = Beginning::of(Story::Promotion);
    let names = |index: usize| {
        let call = &beginning.calls[index % beginning.calls.len()];
        let kinds = [Kind::Killed, Kind::AnswerLost, Kind::Killed, Kind::Throttled];
        kinds.into_iter().flat_map(|kind| kind.faults(call)).map(|name| (call, name)).collect::<Vec<_>>()
    };
    for seed in 0..SEEDS {
        let mut random = seed;
        let mut story = Vec::new();
        on_paused_clock(async {
            let world = beginning.world();
            let machine = machine(&world);
            for _ in 0..3 {
                let (call, name) = {
                    let names = names(next(&mut random));
                    names[next(&mut random) % names.len()]
                };
                beginning.give(&world, &machine, call, name);
                let goes_back = next(&mut random).is_multiple_of(4);
                let ended = if goes_back { machine.roll_back().await } else { machine.promote().await };
                story.push(format!("{} {name:?}: {ended:?}", call.text));
                recovered(&world).await;
            }
            let last = machine.promote().await;
            let standing = machine.standing().await;
            let story = story.join("\n");
            assert_eq!(last.code(), Some(0), "seed {seed}:\n{story}\n{last:?}");
            assert!(standing.agrees() && standing.recorded == Some(2), "seed {seed}:\n{story}\n{standing:?}");
        });
    }
}

#[test]
fn of_two_at_once_each_is_whole_or_nothing() {
    let beginning = Beginning::of(Story::Promotion);
    for ahead in [0, 1, 2, 5, 8, 60] {
        on_paused_clock(async {
            let world = beginning.world();
            let other = world.elsewhere();
            let (one, two) = (machine(&world), Machine::new(&other, 3, LATER));
            let (first, second) = tokio::join!(one.promote(), async {
                tokio::time::sleep(Duration::from_millis(ahead * 500)).await;
                two.promote().await
            });
            let standing = one.standing().await;
            let ends = (first.code(), second.code());
            let live: &[u32] = match ends {
                (Some(0), Some(9)) => &[2],
                (Some(9), Some(0)) => &[3],
                // One waited until the other had given up the lock.
                (Some(0), Some(0)) => &[2, 3],
                _ => panic!("{ahead}: {first:?} {second:?}"),
            };
            let recorded = standing.recorded.expect("something is live");
            assert!(standing.agrees() && live.contains(&recorded), "{ahead}: {ends:?}: {standing:?}");
        });
    }
}

/// How many stories of three faults are told.
const SEEDS: u64 = 60;

/// A step of a linear congruential generator, of which the upper bits are good enough.
fn next(random: &mut u64) -> usize {
    *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*random >> 33).expect("31 bits")
}

/// Nothing is wrong any more, and somebody comes back.
async fn recovered(world: &World) {
    for faults in [&world.faults, &world.terraform_faults] {
        Faults::clear(faults);
    }
    tokio::time::sleep(Duration::from_secs(20)).await;
}
