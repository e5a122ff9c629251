use crate::run::{Ended, Machine, on_paused_clock};
use crate::standing::Standing;
use crate::world::{World, digest};

const TIME: &str = "2026-11-21T10:00:00Z";

/// One edition is live, and all agree.
fn live(edition: u32, at_hand: u32) -> Standing {
    Standing { running: vec![edition], recorded: Some(edition), planned_is_empty: edition == at_hand }
}

async fn released(world: &World, edition: u32) {
    let ended = Machine::new(world, edition, TIME).promote().await;
    assert!(matches!(ended, Ended::Done(_)), "{ended:?}");
}

#[test]
fn a_release_is_promoted_over_another_and_rolled_back() {
    on_paused_clock(async {
        let world = World::new();
        released(&world, 1).await;
        let machine = Machine::new(&world, 2, "2026-11-21T11:00:00Z");
        let second = machine.promote().await;
        assert_eq!(second.code(), Some(0), "{second:?}");
        assert_eq!(machine.standing().await, live(2, 2));
        let back = machine.roll_back().await;
        assert_eq!(back.code(), Some(0), "{back:?}");
        assert_eq!(machine.standing().await, live(1, 2));
    });
}

#[test]
fn a_release_that_crashes_or_does_not_answer_is_rolled_back() {
    on_paused_clock(async {
        for crashes in [true, false] {
            let world = World::new();
            released(&world, 1).await;
            let machine = Machine::new(&world, 2, "2026-11-21T11:00:00Z");
            let machine = if crashes { machine } else { machine.with_mute(2) };
            if crashes {
                world.services.behaves(&digest(2), devenv_fakes::Behaviour::Crashes);
            }
            let failed = machine.promote().await;
            assert_eq!(failed.code(), Some(7), "{failed:?}");
            assert_eq!(machine.standing().await, live(1, 2));
        }
    });
}

#[test]
fn a_first_release_that_fails_leaves_nothing_running_and_the_next_one_starts() {
    on_paused_clock(async {
        let world = World::new();
        world.services.behaves(&digest(1), devenv_fakes::Behaviour::Crashes);
        let machine = Machine::new(&world, 1, TIME);
        let failed = machine.promote().await;
        assert_eq!(failed.code(), Some(7), "{failed:?}");
        let nothing = machine.standing().await;
        assert_eq!((nothing.running, nothing.recorded), (Vec::new(), None));
        let machine = Machine::new(&world, 2, "2026-11-21T11:00:00Z");
        let second = machine.promote().await;
        assert_eq!(second.code(), Some(0), "{second:?}");
        assert_eq!(machine.standing().await, live(2, 2));
    });
}
