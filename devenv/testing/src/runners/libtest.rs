//! Rust's own test harness, as `cargo test` runs it.

use devenv_model::event::TestOutcome;

use super::runner::{Line, MOST_TESTS, Results, Runner, TestCase};
use super::text::{append, quoted, shortened};

#[derive(Debug, Default)]
pub(super) struct Libtest {
    tests: Vec<TestCase>,
    /// The test to which the captured output belongs.
    section: Option<String>,
    /// With `--nocapture` on one thread, a test's output stands between its name and its result.
    unfinished: Option<String>,
    /// Whether any line came from a test harness.
    is_recognised: bool,
    /// Tests left out by a filter.
    filtered_out: usize,
    failures: Vec<(String, String)>,
    too_many: bool,
}

impl Libtest {
    fn finish(&mut self, name: String, outcome: TestOutcome) -> Line {
        let name = shortened(name);
        let again = quoted(&name);
        let case = TestCase::new(name, outcome).again(again);
        // Not by name: two test programs may have tests of the same name.
        if self.tests.len() < MOST_TESTS {
            self.tests.push(case.clone());
        } else {
            self.too_many = true;
        }
        Line::Finished(case)
    }
}

impl Runner for Libtest {
    fn name(&self) -> &'static str {
        "libtest"
    }

    fn line(&mut self, line: &str) -> Line {
        if let Some(rest) = line.strip_prefix("test result: ") {
            self.is_recognised = true;
            self.section = None;
            self.filtered_out = self.filtered_out.saturating_add(count(rest, "filtered out"));
            return Line::Understood;
        }
        if let Some(name) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            self.section = Some(name.to_owned());
            if self.failures.len() < MOST_TESTS {
                self.failures.push((shortened(name.to_owned()), String::new()));
            }
            return Line::Understood;
        }
        if self.section.is_some() {
            if line == "failures:" {
                self.section = None;
            } else if let Some((_, text)) = self.failures.last_mut() {
                append(text, line);
            }
            return Line::Understood;
        }
        if let Some((name, outcome)) = finished(line) {
            self.is_recognised = true;
            self.unfinished = None;
            return self.finish(name, outcome);
        }
        // The line must be exactly one word: output that only begins with it is not a result.
        if !line.contains([' ', ','])
            && let Some(outcome) = outcome(line)
            && let Some(name) = self.unfinished.take()
        {
            return self.finish(name, outcome);
        }
        if self.is_recognised
            && let Some((name, _)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... "))
        {
            self.unfinished = Some(bare(name));
        }
        let running =
            line.strip_prefix("running ").is_some_and(|rest| rest.ends_with(" tests") || rest.ends_with(" test"));
        if running {
            self.is_recognised = true;
            return Line::Understood;
        }
        Line::Other
    }

    fn is_recognised(&self) -> bool {
        self.is_recognised
    }

    fn results(&mut self) -> Results {
        for (name, text) in self.failures.drain(..) {
            let mut named = self.tests.iter_mut().filter(|test| test.name == name);
            if let Some(test) = named.find(|test| test.outcome == TestOutcome::Failed && test.failure.is_none()) {
                test.failure = Some(text.trim().to_owned());
            }
        }
        Results { tests: std::mem::take(&mut self.tests), filtered: self.filtered_out > 0, too_many: self.too_many }
    }
}

fn finished(line: &str) -> Option<(String, TestOutcome)> {
    let (name, result) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    Some((bare(name), outcome(result)?))
}

fn outcome(result: &str) -> Option<TestOutcome> {
    match result.split([' ', ',']).next()? {
        "ok" => Some(TestOutcome::Passed),
        "FAILED" => Some(TestOutcome::Failed),
        "ignored" => Some(TestOutcome::Ignored),
        _ => None,
    }
}

fn bare(name: &str) -> String {
    name.strip_suffix(" - should panic").unwrap_or(name).to_owned()
}

/// The number before `word` in `ok. 1 passed; 0 failed; ...`.
fn count(summary: &str, word: &str) -> usize {
    let part = summary.split("; ").find(|part| part.ends_with(word));
    part.and_then(|part| part.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_understood() {
        let text = "\nrunning 3 tests\ntest a::one ... ok\ntest three ... ignored, slow\ntest a::two ... FAILED\n\nfailures:\n\n\
                    ---- a::two stdout ----\nthread 'a::two' panicked\nleft: 1\n\nfailures:\n    a::two\n\n\
                    test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.01s\n";
        let mut reader = Libtest::default();
        for line in text.lines() {
            reader.line(line);
        }
        let results = reader.results();
        let read: Vec<_> = results.tests.iter().map(|test| (test.name.as_str(), test.outcome)).collect();
        let expected =
            [("a::one", TestOutcome::Passed), ("three", TestOutcome::Ignored), ("a::two", TestOutcome::Failed)];
        assert_eq!(read, expected);
        assert!(results.tests[2].failure.as_deref().expect("a failure").contains("left: 1"));
        assert!(results.filtered);
    }

    #[test]
    fn a_summary_that_a_test_prints_does_not_overflow() {
        let mut reader = Libtest::default();
        for _ in 0..2 {
            reader.line(&format!("test result: ok. 1 passed; {} filtered out", usize::MAX));
        }
        assert_eq!(reader.filtered_out, usize::MAX);
    }

    #[test]
    fn another_command_is_not_mistaken_for_it() {
        let mut reader = Libtest::default();
        for line in ["running late", "test this", "ok", "test x ... maybe"] {
            assert_eq!(reader.line(line), Line::Other, "{line}");
        }
        assert!(!reader.is_recognised);
    }
}
