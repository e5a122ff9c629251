//! The live release of an environment and its killed promotions, derived from the records.

use crate::record::{Outcome, Record, Release, Step};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The last record that ended live; `None` if none did.
    pub live: Option<Record>,
    /// Killed promotions, newest first: their records have no end.
    pub unfinished: Vec<Record>,
    /// Whether a later change was not repaired, so that the running release is uncertain.
    pub is_half_done: bool,
    /// Whether the services may be at zero tasks, for lack of a release to return to.
    pub is_at_zero: bool,
    /// The last record that ended with zero tasks, if newer than `live`.
    pub zero: Option<Record>,
}

impl Standing {
    /// From the live pointer's record, if there is a pointer, and the `newer` ones, newest first.
    pub fn of(pointer: Option<Record>, newer: impl IntoIterator<Item = Record>) -> Self {
        let mut standing = Self::default();
        let mut put_right = false;
        for record in newer.into_iter().chain(pointer) {
            match record.outcome {
                Some(Outcome::Live) => {
                    standing.live = Some(record);
                    break;
                }
                Some(Outcome::ScaledToZero { .. }) => {
                    standing.is_at_zero = true;
                    standing.zero = standing.zero.or(Some(record));
                    put_right = true;
                }
                Some(Outcome::RolledBack { .. }) => put_right = true,
                Some(Outcome::RollbackFailed { .. }) => {
                    standing.is_half_done |= !put_right;
                    standing.is_at_zero |= record.previous.is_none();
                }
                Some(Outcome::NothingChanged { .. } | Outcome::Superseded { .. }) => {}
                None => {
                    standing.is_half_done |= !put_right && record.is_half_done();
                    standing.is_at_zero |= record.previous.is_none() && record.step == Step::RollingBack;
                    standing.unfinished.push(record);
                }
            }
        }
        standing
    }

    /// The default destination of a rollback: the live release, if a later change was left unfinished; else the release before it.
    pub fn way_back(&self) -> Option<&Release> {
        let live = self.live.as_ref()?;
        if self.is_half_done || self.is_at_zero { Some(&live.release) } else { live.previous.as_ref() }
    }

    /// The record that the live pointer should hold.
    pub fn pointed(&self) -> Option<&Record> {
        self.live.as_ref().or(self.zero.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::record::Kind;

    fn release(id: &str) -> Release {
        Release { id: id.to_owned(), commit: id.to_owned(), images: BTreeMap::new(), terraform: String::new() }
    }

    fn record(id: &str, previous: Option<&str>, step: Step, outcome: Option<Outcome>) -> Record {
        Record {
            version: Record::VERSION,
            id: id.to_owned(),
            environment: "dev".to_owned(),
            kind: Kind::Promotion,
            by: String::new(),
            owner: String::new(),
            began: String::new(),
            ended: None,
            release: release(id),
            previous: previous.map(release),
            evidence: Vec::new(),
            step,
            outcome,
        }
    }

    fn ended(id: &str, previous: Option<&str>, outcome: Outcome) -> Record {
        record(id, previous, Step::Ended, Some(outcome))
    }

    fn live(id: &str, previous: Option<&str>) -> Record {
        ended(id, previous, Outcome::Live)
    }

    fn cause() -> String {
        "cause".to_owned()
    }

    fn name(release: Option<&Release>) -> Option<&str> {
        release.map(|release| release.id.as_str())
    }

    #[test]
    fn nothing_is_live_where_nothing_was_released() {
        assert_eq!(Standing::of(None, []), Standing::default());
    }

    #[test]
    fn the_newest_end_wins_over_an_older_pointer() {
        let pointer = live("1", None);
        let newer = [live("3", Some("2")), live("2", Some("1"))];
        let standing = Standing::of(Some(pointer.clone()), newer);
        assert_eq!(standing.live.as_ref().map(|live| live.id.as_str()), Some("3"));
        assert_eq!(standing.pointed(), standing.live.as_ref());
        let unchanged = [ended("2", Some("1"), Outcome::NothingChanged { cause: cause() })];
        assert_eq!(Standing::of(Some(pointer.clone()), unchanged).live, Some(pointer));
    }

    #[test]
    fn what_was_left_half_done_is_undone_by_a_return_to_what_is_live() {
        let live = || live("2", Some("1"));
        let killed = |id: &str, step| record(id, Some("2"), step, None);
        let failed = |id: &str| ended(id, Some("2"), Outcome::RollbackFailed { cause: cause(), rollback: cause() });
        let back = |id: &str| ended(id, Some("2"), Outcome::RolledBack { cause: cause() });
        for (why, newer, way_back) in [
            ("nothing happened", vec![], "1"),
            ("killed before it changed anything", vec![killed("3", Step::Planned)], "1"),
            ("killed half way", vec![killed("3", Step::Waiting)], "2"),
            ("the next one was killed early", vec![killed("4", Step::Began), killed("3", Step::Waiting)], "2"),
            ("its rollback failed", vec![failed("3")], "2"),
            ("a later one was rolled back", vec![back("4"), killed("3", Step::Waiting)], "1"),
            ("the one after was killed", vec![killed("4", Step::Applying), back("3")], "2"),
        ] {
            let standing = Standing::of(Some(live()), newer);
            assert_eq!(name(standing.way_back()), Some(way_back), "{why}");
            assert!(!standing.is_at_zero, "{why}");
        }
    }

    #[test]
    fn what_may_be_at_zero_tasks_is_scaled_up_by_the_next() {
        let zero = || ended("1", None, Outcome::ScaledToZero { cause: cause() });
        let failed = ended("1", None, Outcome::RollbackFailed { cause: cause(), rollback: cause() });
        for (why, pointer, newer, at_zero) in [
            ("the first one failed", Some(zero()), vec![], true),
            (
                "and the next was killed before it scaled",
                None,
                vec![record("2", None, Step::Applying, None), zero()],
                true,
            ),
            ("killed while it scaled to zero", None, vec![record("1", None, Step::RollingBack, None)], true),
            ("it could not be scaled to zero", None, vec![failed], true),
            ("killed while it waited", None, vec![record("1", None, Step::Waiting, None)], false),
            ("a later one is live", Some(zero()), vec![live("2", None)], false),
        ] {
            let standing = Standing::of(pointer, newer);
            assert_eq!(standing.is_at_zero, at_zero, "{why}");
        }
        assert_eq!(Standing::of(None, [zero()]).pointed(), Some(&zero()));
    }
}
