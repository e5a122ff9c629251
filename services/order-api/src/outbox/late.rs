//! The line about events that wait too long. CloudWatch does not read the metrics port; a filter of its logs reads the numbers of this line, and
//! an alarm watches them (terraform/modules/foundation/unpublished.tf).

use std::time::Duration;

use tokio::time::Instant;

/// A younger event is on its way.
const LATE: Duration = Duration::from_secs(10);

/// The interval between two lines: an alarm looks at each minute.
const EVERY: Duration = Duration::from_secs(30);

/// The last line about late events.
#[derive(Debug, Default)]
pub(super) struct Late {
    written: Option<Instant>,
}

impl Late {
    pub(super) fn report(&mut self, unpublished: usize, oldest: Duration) {
        if self.is_due(oldest, Instant::now()) {
            tracing::warn!(unpublished, oldest_seconds = oldest.as_secs(), "events wait for the topic");
        }
    }

    fn is_due(&mut self, oldest: Duration, now: Instant) -> bool {
        let is_due = oldest >= LATE && self.written.is_none_or(|written| now - written >= EVERY);
        if is_due {
            self.written = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_event_has_a_line_in_each_period_of_an_alarm() {
        let (mut late, begin) = (Late::default(), Instant::now());
        let at = |seconds| begin + Duration::from_secs(seconds);
        let old = Duration::from_mins(1);
        assert!(!late.is_due(Duration::from_secs(9), at(0)));
        assert!(late.is_due(old, at(2)));
        assert!(!late.is_due(old, at(4)));
        assert!(!late.is_due(old, at(31)));
        assert!(late.is_due(old, at(32)));
        assert!(!late.is_due(Duration::ZERO, at(90)), "nothing waits");
    }
}
