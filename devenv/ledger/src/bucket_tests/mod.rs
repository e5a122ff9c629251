//! What is kept in the bucket, under faults: answers that are lost, conflicts, throttling, sleep and other runs.

mod lease;
mod ledger;
mod record;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use devenv_fakes::{FakeObjects, Faults};
use devenv_releases::record::{Kind, Outcome, Record, Release, Step};
use tokio::time::Instant;

use crate::clock::WallClock;
use crate::ledger::Ledger;

const BUCKET: &str = "state";

/// One client of the bucket, on a machine of its own.
#[derive(Debug, Clone)]
struct Client {
    objects: FakeObjects,
    faults: Faults,
    clock: Arc<FakeClock>,
    ledger: Ledger,
}

impl Client {
    fn new() -> Self {
        let faults = Faults::default();
        Self::on(FakeObjects::new(faults.clone(), [BUCKET]), faults, 0)
    }

    /// Another one, whose clock is off by so many seconds.
    fn another(&self, off: i64) -> Self {
        let faults = Faults::default();
        Self::on(self.objects.client(faults.clone()), faults, off)
    }

    fn on(objects: FakeObjects, faults: Faults, off: i64) -> Self {
        let clock = Arc::new(FakeClock { off, began: Instant::now(), slept: AtomicU64::new(0) });
        let ledger = Ledger {
            objects: Arc::new(objects.clone()),
            bucket: BUCKET.to_owned(),
            environment: "dev".to_owned(),
            clock: clock.clone(),
        };
        Self { objects, faults, clock, ledger }
    }

    fn content(&self, file: &str) -> String {
        let content = self.objects.content(BUCKET, &format!("dev/releases/{file}")).expect("it is there");
        String::from_utf8(content).expect("text")
    }

    fn overwrite(&self, file: &str, content: impl Into<Vec<u8>>) {
        self.objects.overwrite(BUCKET, &format!("dev/releases/{file}"), content);
    }

    fn write_record(&self, record: &Record) {
        self.overwrite(&format!("{}/record.json", record.id), record.to_json());
    }
}

/// Follows the test's own time. Its machine can sleep: then time goes by that the test's timers do not count.
#[derive(Debug)]
struct FakeClock {
    off: i64,
    began: Instant,
    slept: AtomicU64,
}

impl FakeClock {
    fn sleep(&self, seconds: u64) {
        self.slept.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl WallClock for FakeClock {
    fn now(&self) -> jiff::Timestamp {
        let seconds = i64::try_from(self.gone_by().as_secs()).expect("a short test");
        jiff::Timestamp::from_second(1_795_000_000 + self.off + seconds).expect("a time")
    }

    fn gone_by(&self) -> Duration {
        self.began.elapsed() + Duration::from_secs(self.slept.load(Ordering::SeqCst))
    }
}

fn release(id: &str) -> Release {
    Release { id: id.to_owned(), commit: "4".repeat(40), images: BTreeMap::new(), terraform: "3".repeat(64) }
}

/// A promotion that has begun, of a release of the same name.
fn record(id: &str, previous: Option<&str>) -> Record {
    Record {
        version: Record::VERSION,
        id: id.to_owned(),
        environment: "dev".to_owned(),
        kind: Kind::Promotion,
        by: "arn".to_owned(),
        owner: "ada@laptop".to_owned(),
        began: "2026-11-21T10:00:00Z".to_owned(),
        ended: None,
        release: release(id),
        previous: previous.map(release),
        evidence: Vec::new(),
        step: Step::Began,
        outcome: None,
    }
}

fn ended(id: &str, previous: Option<&str>, outcome: Outcome) -> Record {
    Record { step: Step::Ended, outcome: Some(outcome), ..record(id, previous) }
}

fn live(id: &str, previous: Option<&str>) -> Record {
    ended(id, previous, Outcome::Live)
}
