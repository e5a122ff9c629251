//! One command with one fault at one of its calls, and how that ends.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use devenv_fakes::{Behaviour, Fault, Faults};
use devenv_promotion::CloudErrorKind;
use futures_util::FutureExt;

use crate::outside::FakeClock;
use crate::run::{Ended, Machine, on_paused_clock};
use crate::standing::Standing;
use crate::steps::step;
use crate::world::{BUCKET, World, digest};

pub(crate) const LOCK: &str = "dev/releases/lock";
/// Of Terraform's state.
const STATE_LOCK: &str = "dev/release.tfstate.tflock";
/// Of a clock that is wrong, in seconds.
const SKEW: i64 = 15 * 60;
/// Of a machine, in seconds.
const ASLEEP: i64 = 600;
/// Between a command and the next one.
const LATER: Duration = Duration::from_secs(20);
const OUTAGE: Duration = Duration::from_secs(10);

/// What is done in a world in which edition 1 was live before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Story {
    /// Edition 2 is promoted over edition 1.
    Promotion,
    /// The same, but edition 2 crashes: only the calls after that are given faults.
    Failure,
    /// Editions 1 and 2 were live, and somebody rolls back.
    Rollback,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    AnswerLost,
    Conflict,
    Throttled,
    Killed,
    Ahead,
    Behind,
    /// While somebody else promotes edition 3 from elsewhere.
    Asleep,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] =
        [Self::AnswerLost, Self::Conflict, Self::Throttled, Self::Killed, Self::Ahead, Self::Behind, Self::Asleep];

    /// A clock that is wrong is the same at each call of a step, and so is a sleep before what only asks.
    pub(crate) fn may_come_at(self, call: &Call) -> bool {
        match self {
            Self::Ahead | Self::Behind => call.is_first,
            Self::Asleep => call.is_first || !call.only_asks(),
            _ => true,
        }
    }

    /// The faults of a kind that may come at a call.
    pub(crate) fn faults(self, call: &Call) -> Vec<Name> {
        match (self, call.is_terraform) {
            // What only asks may be asked twice, and it is the same whether it was.
            (Kind::AnswerLost, false) if call.only_asks() => vec![Name::Lost],
            (Kind::AnswerLost, false) => vec![Name::Lost, Name::LostAndRetried],
            (Kind::AnswerLost, true) => vec![Name::Lost],
            (Kind::Conflict, false) if call.text.starts_with("put") && call.text.ends_with(LOCK) => {
                vec![Name::LockTaken]
            }
            (Kind::Conflict, false) if call.text.starts_with("put") => vec![Name::Refused],
            (Kind::Conflict, false) => Vec::new(),
            (Kind::Conflict, true) if call.text == "terraform lock" => vec![Name::StateTaken],
            (Kind::Conflict, true) => vec![Name::Refused],
            (Kind::Throttled, false) => vec![Name::Throttled],
            (Kind::Throttled, true) => vec![Name::Delayed],
            (Kind::Killed, false) if call.only_asks() => vec![Name::Killed],
            (Kind::Killed, false) => vec![Name::Killed, Name::KilledAfter],
            (Kind::Killed, true) => vec![Name::Killed, Name::KilledAfter, Name::Outlived],
            (Kind::Ahead, _) => vec![Name::Ahead],
            (Kind::Behind, _) => vec![Name::Behind],
            (Kind::Asleep, _) => vec![Name::Asleep],
        }
    }
}

/// A call of the run without faults.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// From 1, among those of its script.
    number: usize,
    /// Whether Terraform makes it, whose faults are its own.
    is_terraform: bool,
    pub(crate) step: &'static str,
    pub(crate) text: String,
    /// Of its step.
    pub(crate) is_first: bool,
}

/// Fifteen minutes back is before everything else.
pub(crate) fn machine(world: &World) -> Machine<'_> {
    Machine::new(world, 2, "2026-11-21T10:05:00Z")
}

impl Call {
    fn only_asks(&self) -> bool {
        !["put", "push", "scale", "terraform"].iter().any(|word| self.text.starts_with(word))
    }
}

/// Where a story begins: the same for each of its runs.
pub(crate) struct Beginning {
    story: Story,
    world: World,
    /// The environment's lock, as somebody else who works under it has written it.
    theirs: Vec<u8>,
    pub(crate) calls: Vec<Call>,
}

impl Beginning {
    pub(crate) fn of(story: Story) -> Self {
        let world = on_paused_clock(async {
            let world = World::new();
            for edition in 1..=if story == Story::Rollback { 2 } else { 1 } {
                let released = Machine::new(&world, edition, &format!("2026-11-21T10:0{edition}:00Z")).promote().await;
                assert_eq!(released.code(), Some(0), "{released:?}");
            }
            world
        });
        let theirs = on_paused_clock(async {
            let world = world.copied();
            world.faults.on("put releases/lock", 1, Fault::KilledAfter);
            let killed = Machine::new(&world, 3, "2026-11-21T10:05:00Z").promote().await;
            assert!(matches!(killed, Ended::Killed), "{killed:?}");
            world.objects.content(BUCKET, LOCK).expect("it is locked")
        });
        let mut beginning = Self { story, world, theirs, calls: Vec::new() };
        beginning.calls = beginning.calls_of_a_good_run();
        beginning
    }

    pub(crate) fn world(&self) -> World {
        let world = self.world.copied();
        if self.story == Story::Failure {
            world.services.behaves(&digest(2), Behaviour::Crashes);
        }
        world
    }

    /// Those that ask the same once more are left out but for the last: whoever waits asks often.
    fn calls_of_a_good_run(&self) -> Vec<Call> {
        on_paused_clock(async {
            let world = self.world();
            let ended = self.command(&machine(&world)).await;
            assert!(matches!(ended.code(), Some(0 | 7)), "{ended:?}");
            let of = |faults: &Faults, is_terraform: bool| {
                let calls = faults.marked_calls();
                let begins = if self.story == Story::Failure {
                    let failed = calls.iter().position(|(mark, _)| mark == "failed wait");
                    // Terraform's first call after that is under a later mark.
                    failed.or(calls.iter().position(|(mark, _)| mark == "roll back")).expect("it failed")
                } else {
                    0
                };
                let calls = calls.into_iter().enumerate().skip(begins);
                let calls = calls.map(|(index, (mark, text))| Call {
                    number: index + 1,
                    is_terraform,
                    step: step(&mark, &text),
                    text,
                    is_first: false,
                });
                calls.collect::<Vec<_>>()
            };
            let mut found: Vec<Call> = of(&world.faults, false);
            found.extend(of(&world.terraform_faults, true));
            let mut seen = BTreeSet::new();
            found.reverse();
            found.retain(|call| seen.insert((call.step, call.text.clone())) || !call.only_asks());
            found.reverse();
            let mut steps = BTreeSet::new();
            for call in &mut found {
                call.is_first = steps.insert(call.step);
            }
            found
        })
    }

    pub(crate) async fn command(&self, machine: &Machine<'_>) -> Ended {
        if self.story == Story::Rollback { machine.roll_back().await } else { machine.promote().await }
    }

    fn fault(&self, name: Name, world: &World, clock: &FakeClock) -> Fault {
        let (objects, theirs, clock) = (world.objects.clone(), self.theirs.clone(), clock.clone());
        let caller = world.faults.clone();
        match name {
            Name::Lost => Fault::Lost,
            Name::LostAndRetried => Fault::LostAndRetried,
            Name::LockTaken => Fault::after(move || objects.overwrite(BUCKET, LOCK, theirs.clone())),
            Name::StateTaken => {
                let lock = r#"{"ID":"theirs","Who":"eve@elsewhere","Created":"2026-11-21T15:00:00Z"}"#;
                Fault::after(move || objects.overwrite(BUCKET, STATE_LOCK, lock))
            }
            Name::Refused => Fault::Refused(CloudErrorKind::Conflict),
            Name::Throttled => Fault::RefusedFor(CloudErrorKind::Throttled, OUTAGE),
            Name::Delayed => Fault::Delayed(OUTAGE),
            Name::Killed => Fault::Killed,
            Name::KilledAfter => Fault::KilledAfter,
            Name::Outlived => Fault::after(move || caller.kill()),
            Name::Ahead => Fault::after(move || clock.jump(SKEW)),
            Name::Behind => Fault::after(move || clock.jump(-SKEW)),
            Name::Asleep => {
                let (other, terraform) = (Arc::new(world.elsewhere()), world.terraform_faults.clone());
                Fault::asleep(move || {
                    let (other, terraform, caller, clock) =
                        (other.clone(), terraform.clone(), caller.clone(), clock.clone());
                    async move {
                        // Both processes of the machine sleep.
                        caller.sleeps(true);
                        terraform.sleeps(true);
                        // What comes of it is seen in the end.
                        Machine::new(&other, 3, "2026-11-21T10:06:00Z").promote().await;
                        clock.sleep(ASLEEP);
                        caller.sleeps(false);
                        terraform.sleeps(false);
                    }
                    .boxed()
                })
            }
        }
    }

    /// The next command meets this fault at this call.
    pub(crate) fn give(&self, world: &World, machine: &Machine<'_>, call: &Call, name: Name) {
        let faults = if call.is_terraform { &world.terraform_faults } else { &world.faults };
        faults.on("", call.number, self.fault(name, world, &machine.clock));
    }

    /// The command with this fault at this call, then the next one where that is wanted.
    pub(crate) fn run(&self, call: &Call, name: Name) -> Came {
        on_paused_clock(async {
            let world = self.world();
            let machine = machine(&world);
            self.give(&world, &machine, call, name);
            let ended = self.command(&machine).await;
            let code = ended.code();
            world.faults.clear();
            world.terraform_faults.clear();
            let mut detail = vec![format!("{ended:?}")];
            tokio::time::sleep(LATER).await;
            if name == Name::StateTaken {
                world.objects.remove(BUCKET, STATE_LOCK);
            }
            let next = match code {
                // Whoever was killed, or is told that it is uncertain, tries again.
                None => Some(self.command(&machine).await),
                Some(8) => Some(machine.roll_back().await),
                // What was applied before the lock was lost is put right by the next one, whoever runs it.
                Some(9) if name == Name::Asleep && !machine.standing().await.agrees() => {
                    Some(self.command(&machine).await)
                }
                Some(_) => None,
            };
            detail.extend(next.as_ref().map(|next| format!("{next:?}")));
            let next = next.map(|next| next.code().expect("nobody kills the next one"));
            Came { code, next, standing: machine.standing().await, detail }
        })
    }

    /// The editions that were live before, and are live when all goes well.
    pub(crate) fn before_and_after(&self) -> (u32, u32) {
        if self.story == Story::Rollback { (2, 1) } else { (1, 2) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    Lost,
    LostAndRetried,
    /// Somebody else has taken the environment's lock.
    LockTaken,
    /// Somebody else has taken the lock of Terraform's state.
    StateTaken,
    Refused,
    Throttled,
    Delayed,
    Killed,
    KilledAfter,
    /// Only the caller is killed, and Terraform goes on.
    Outlived,
    Ahead,
    Behind,
    Asleep,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Came {
    /// `None` where it was killed.
    pub(crate) code: Option<u8>,
    /// Of the next command.
    pub(crate) next: Option<u8>,
    pub(crate) standing: Standing,
    pub(crate) detail: Vec<String>,
}
