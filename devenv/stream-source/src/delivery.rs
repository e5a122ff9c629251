//! What a function's answer means for a batch: what is handled, what comes again and when, what is given up.

use std::time::{Duration, SystemTime};

use crate::record::StreamRecord;
use crate::settings::StreamSettings;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A function's answer to a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Handled,
    /// The records before this index are handled, the function failed at it.
    FailedAt(usize),
    /// The function failed, and reported no record as handled.
    Failed,
    /// The function has not seen the batch.
    Unseen,
}

/// What follows from a verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settled {
    /// The number of records that do not come again.
    pub advance: usize,
    /// The number among them that the function did not handle.
    pub given_up: usize,
    /// The time until the next batch.
    pub pause: Duration,
}

/// The retries of one shard.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    settings: StreamSettings,
    /// The largest next batch, smaller than the setting while a failed one is halved.
    size: usize,
    /// The failures of the batch that begins at the first record.
    failures: u32,
}

impl Delivery {
    pub(crate) fn new(settings: StreamSettings) -> Self {
        Self { size: settings.batch_size, settings, failures: 0 }
    }

    /// The largest number of records of the next batch.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The number of records, from the first one on, that are too old to be tried (again).
    pub(crate) fn too_old<'r>(&self, records: impl IntoIterator<Item = &'r StreamRecord>, now: SystemTime) -> usize {
        let Some(limit) = self.settings.record_age else { return 0 };
        let is_old = |record: &&StreamRecord| record.age(now).is_some_and(|age| age > limit);
        records.into_iter().take_while(is_old).count()
    }

    /// Settles a batch of `count` records.
    pub(crate) fn settle(&mut self, count: usize, verdict: Verdict) -> Settled {
        match verdict {
            Verdict::Handled => {
                self.begin_anew();
                Settled { advance: count, ..Settled::default() }
            }
            Verdict::Unseen => Settled { pause: FIRST_PAUSE, ..Settled::default() },
            Verdict::FailedAt(index) if index > 0 => {
                // A batch that makes progress begins its retries anew.
                self.begin_anew();
                self.failures = 1;
                Settled { advance: index.min(count), pause: FIRST_PAUSE, ..Settled::default() }
            }
            Verdict::FailedAt(_) | Verdict::Failed => self.failed(count),
        }
    }

    fn failed(&mut self, count: usize) -> Settled {
        if self.settings.bisects && count > 1 {
            // Halving is no retry.
            self.size = count.div_ceil(2);
            return Settled { pause: FIRST_PAUSE, ..Settled::default() };
        }
        self.failures = self.failures.saturating_add(1);
        if self.settings.retries.is_some_and(|retries| self.failures > retries) {
            self.begin_anew();
            return Settled { advance: count, given_up: count, pause: Duration::ZERO };
        }
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.failures - 1)).min(LONGEST_PAUSE);
        Settled { pause, ..Settled::default() }
    }

    fn begin_anew(&mut self) {
        self.failures = 0;
        self.size = self.settings.batch_size;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn delivery(definition: &serde_json::Value) -> Delivery {
        Delivery::new(StreamSettings::of(definition))
    }

    #[test]
    fn a_failed_batch_comes_again_ever_later() {
        let mut delivery = delivery(&json!({}));
        let pauses: Vec<u128> = (0..9).map(|_| delivery.settle(5, Verdict::Failed).pause.as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
        assert_eq!(delivery.settle(5, Verdict::Handled), Settled { advance: 5, ..Settled::default() });
        assert_eq!(delivery.settle(5, Verdict::Failed).pause, FIRST_PAUSE);
    }

    #[test]
    fn a_batch_is_given_up_after_its_retries() {
        let mut delivery = delivery(&json!({ "MaximumRetryAttempts": 2 }));
        for _ in 0..2 {
            assert_eq!(delivery.settle(3, Verdict::Failed).advance, 0);
        }
        assert_eq!(delivery.settle(3, Verdict::Unseen).advance, 0, "no attempt of the function");
        assert_eq!(
            delivery.settle(3, Verdict::FailedAt(0)),
            Settled { advance: 3, given_up: 3, pause: Duration::ZERO }
        );
    }

    #[test]
    fn progress_begins_the_retries_anew() {
        let mut delivery = delivery(&json!({ "MaximumRetryAttempts": 1 }));
        assert_eq!(delivery.settle(3, Verdict::Failed).advance, 0);
        assert_eq!(delivery.settle(3, Verdict::FailedAt(2)).advance, 2);
        assert_eq!(delivery.settle(1, Verdict::Failed), Settled { advance: 1, given_up: 1, pause: Duration::ZERO });
    }

    #[test]
    fn a_batch_is_halved_down_to_the_record_that_fails() {
        let mut delivery =
            delivery(&json!({ "BisectBatchOnFunctionError": true, "BatchSize": 8, "MaximumRetryAttempts": 0 }));
        // The record at 5 always fails.
        let (mut begin, mut given_up, mut batches) = (0, Vec::new(), Vec::new());
        while begin < 8 {
            let count = delivery.size().min(8 - begin);
            batches.push((begin, count));
            let verdict = if (begin..begin + count).contains(&5) { Verdict::Failed } else { Verdict::Handled };
            let settled = delivery.settle(count, verdict);
            given_up.extend(begin..begin + settled.given_up);
            begin += settled.advance;
        }
        assert_eq!(given_up, [5]);
        assert_eq!(batches, [(0, 8), (0, 4), (4, 4), (4, 2), (4, 1), (5, 3), (5, 2), (5, 1), (6, 2)]);
    }

    #[test]
    fn old_records_are_not_tried() {
        let record = |created: f64| {
            let record = json!({ "dynamodb": { "SequenceNumber": "1", "ApproximateCreationDateTime": created } });
            StreamRecord::of(record).expect("a record")
        };
        let delivery = delivery(&json!({ "MaximumRecordAgeInSeconds": 60 }));
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        assert_eq!(delivery.too_old(&[record(900.0), record(939.5), record(940.0), record(900.0)], now), 2);
        assert_eq!(delivery.too_old(&[record(2_000.0)], now), 0, "a clock that is ahead");
    }

    proptest! {
        /// Whatever a function answers, each record is handled or given up, in order and once.
        #[test]
        fn no_record_is_lost_or_left_out(
            answers in proptest::collection::vec(0_u8..4, 0..200), size in 1_u64..10, bisects: bool, retries in 0_i64..4,
        ) {
            let mut delivery = delivery(&json!({
                "BatchSize": size, "BisectBatchOnFunctionError": bisects, "MaximumRetryAttempts": retries,
            }));
            let (total, mut begin) = (30, 0);
            for answer in answers {
                let count = delivery.size().min(total - begin);
                if count == 0 {
                    break;
                }
                prop_assert!(count <= usize::try_from(size).expect("small"));
                let verdict = match answer {
                    0 => Verdict::Handled,
                    1 => Verdict::FailedAt(count / 2),
                    2 => Verdict::Failed,
                    _ => Verdict::Unseen,
                };
                let settled = delivery.settle(count, verdict);
                prop_assert!(settled.advance <= count && settled.given_up <= settled.advance);
                prop_assert!(verdict != Verdict::Handled || (settled.advance, settled.given_up) == (count, 0));
                prop_assert!(settled.advance > 0 || settled.pause > Duration::ZERO, "no answer spins");
                begin += settled.advance;
            }
        }
    }
}
