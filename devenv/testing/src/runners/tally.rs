//! Tests by name, completed by the numbers that a runner prints at its end.

use std::collections::HashMap;

use devenv_model::event::TestOutcome;

use super::runner::{MOST_TESTS, Results, TestCase};
use super::text::shortened;

/// The numbers of a runner's summary.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) ignored: usize,
}

/// Collects tests. A run of the runner is open until its summary; a command may run it several times.
#[derive(Debug, Default)]
pub(super) struct Tally {
    tests: Vec<TestCase>,
    /// The tests of the open run, by name.
    open: HashMap<String, usize>,
    began: usize,
    too_many: bool,
}

impl Tally {
    /// Adds a test. A later result of the same test in the same run, such as a second try, replaces the earlier one.
    pub(super) fn record(&mut self, case: TestCase) {
        let case = TestCase { name: shortened(case.name), ..case };
        if let Some(&index) = self.open.get(&case.name) {
            let earlier = &mut self.tests[index];
            let seconds = case.seconds.or(earlier.seconds);
            let failed = case.outcome == TestOutcome::Failed;
            let failure = case.failure.or_else(|| earlier.failure.take()).filter(|_| failed);
            *earlier = TestCase { seconds, failure, ..case };
        } else if self.tests.len() < MOST_TESTS {
            self.open.insert(case.name.clone(), self.tests.len());
            self.tests.push(case);
        } else {
            self.too_many = true;
        }
    }

    /// The tests of the open run.
    pub(super) fn open(&mut self) -> &mut [TestCase] {
        let began = self.began.min(self.tests.len());
        &mut self.tests[began..]
    }

    pub(super) fn find(&mut self, name: &str) -> Option<&mut TestCase> {
        self.open.get(name).map(|&index| &mut self.tests[index])
    }

    pub(super) fn open_with(&mut self, outcome: TestOutcome) -> usize {
        self.open().iter().filter(|test| test.outcome == outcome).count()
    }

    /// Ends the open run. Tests that its summary counts, but no line names, are added without a name of their own.
    pub(super) fn close(&mut self, runner: &str, counts: Counts) {
        for (outcome, word, count) in [
            (TestOutcome::Failed, "failed", counts.failed),
            (TestOutcome::Passed, "passed", counts.passed),
            (TestOutcome::Ignored, "skipped", counts.ignored),
        ] {
            let unnamed = count.saturating_sub(self.open_with(outcome));
            for number in 1..=unnamed {
                if self.tests.len() >= MOST_TESTS {
                    self.too_many = true;
                    break;
                }
                self.tests.push(TestCase::new(format!("{runner}: {word}, not named ({number} of {unnamed})"), outcome));
            }
        }
        self.end();
    }

    /// Ends the open run without a summary.
    pub(super) fn end(&mut self) {
        self.open.clear();
        self.began = self.tests.len();
    }

    pub(super) fn results(&mut self, filtered: bool) -> Results {
        self.open.clear();
        self.began = 0;
        Results { tests: std::mem::take(&mut self.tests), filtered, too_many: self.too_many }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_summary_counts_beyond_the_names_is_added() {
        let mut tally = Tally::default();
        tally.record(TestCase::new("a", TestOutcome::Failed));
        tally.record(TestCase::new("a", TestOutcome::Passed));
        tally.close("pytest", Counts { passed: 3, failed: 1, ignored: 0 });
        tally.record(TestCase::new("a", TestOutcome::Failed));
        let names: Vec<String> = tally.results(false).tests.into_iter().map(|test| test.name).collect();
        assert_eq!(
            names,
            [
                "a",
                "pytest: failed, not named (1 of 1)",
                "pytest: passed, not named (1 of 2)",
                "pytest: passed, not named (2 of 2)",
                "a"
            ]
        );
    }

    #[test]
    fn a_number_without_end_takes_no_memory_without_end() {
        let mut tally = Tally::default();
        tally.close("go", Counts { passed: usize::MAX, failed: 1, ignored: usize::MAX });
        let results = tally.results(false);
        assert_eq!(results.tests.len(), MOST_TESTS);
        assert!(results.too_many);
        assert_eq!(results.tests[0].outcome, TestOutcome::Failed, "a failure is never among those left out");
    }
}
