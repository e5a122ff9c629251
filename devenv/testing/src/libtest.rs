//! Reads the output of Rust's test harness, line by line.

use devenv_model::event::TestOutcome;

#[derive(Debug, Default)]
pub struct Reader {
    /// The test to which the captured output belongs.
    section: Option<String>,
    /// With `--nocapture` on one thread, a test's output stands between its name and its result.
    unfinished: Option<String>,
    /// Whether any line came from a test harness.
    pub is_libtest: bool,
    /// Tests left out by a filter.
    pub filtered_out: usize,
    pub failures: Vec<(String, String)>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    Finished {
        name: String,
        outcome: TestOutcome,
    },
    /// A line of a test's failure, or of the harness's own bookkeeping.
    Understood,
    Other,
}

impl Reader {
    pub fn take(&mut self, line: &str) -> Line {
        if let Some(rest) = line.strip_prefix("test result: ") {
            self.is_libtest = true;
            self.section = None;
            self.filtered_out = self.filtered_out.saturating_add(count(rest, "filtered out"));
            return Line::Understood;
        }
        if let Some(name) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" stdout ----")) {
            self.section = Some(name.to_owned());
            self.failures.push((name.to_owned(), String::new()));
            return Line::Understood;
        }
        if self.section.is_some() {
            if line == "failures:" {
                self.section = None;
            } else if let Some((_, text)) = self.failures.last_mut() {
                text.push_str(line);
                text.push('\n');
            }
            return Line::Understood;
        }
        if let Some((name, outcome)) = finished(line) {
            self.is_libtest = true;
            self.unfinished = None;
            return Line::Finished { name, outcome };
        }
        // The line must be exactly one word: output that only begins with it is not a result.
        if !line.contains([' ', ','])
            && let Some(outcome) = outcome(line)
            && let Some(name) = self.unfinished.take()
        {
            return Line::Finished { name, outcome };
        }
        if self.is_libtest
            && let Some((name, _)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... "))
        {
            self.unfinished = Some(bare(name));
        }
        let running =
            line.strip_prefix("running ").is_some_and(|rest| rest.ends_with(" tests") || rest.ends_with(" test"));
        if running {
            self.is_libtest = true;
            return Line::Understood;
        }
        Line::Other
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
        let text = "\nrunning 3 tests\ntest a::one ... ok\ntest a::two ... FAILED\ntest three ... ignored, slow\n\nfailures:\n\n\
                    ---- a::two stdout ----\nthread 'a::two' panicked\nleft: 1\n\nfailures:\n    a::two\n\n\
                    test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.01s\n";
        let mut reader = Reader::default();
        let mut finished = Vec::new();
        for line in text.lines() {
            if let Line::Finished { name, outcome } = reader.take(line) {
                finished.push((name, outcome));
            }
        }
        let expected =
            [("a::one", TestOutcome::Passed), ("a::two", TestOutcome::Failed), ("three", TestOutcome::Ignored)];
        assert_eq!(finished, expected.map(|(name, outcome)| (name.to_owned(), outcome)));
        assert_eq!(reader.failures.len(), 1);
        assert!(reader.failures[0].1.contains("left: 1"));
        assert_eq!(reader.filtered_out, 4);
        assert!(reader.is_libtest);
    }

    #[test]
    fn a_summary_that_a_test_prints_does_not_overflow() {
        let mut reader = Reader::default();
        for _ in 0..2 {
            reader.take(&format!("test result: ok. 1 passed; {} filtered out", usize::MAX));
        }
        assert_eq!(reader.filtered_out, usize::MAX);
    }

    #[test]
    fn another_command_is_not_mistaken_for_it() {
        let mut reader = Reader::default();
        for line in ["running late", "test this", "ok", "test x ... maybe"] {
            assert_eq!(reader.take(line), Line::Other, "{line}");
        }
        assert!(!reader.is_libtest);
    }
}
