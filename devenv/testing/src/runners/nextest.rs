//! `cargo nextest run`, in its format for people.

use devenv_model::event::TestOutcome;

use super::runner::{Line, Results, Runner, TestCase};
use super::tally::{Counts, Tally};
use super::text::{append, number_and_word, quoted, seconds};

#[derive(Debug, Default)]
pub(super) struct Nextest {
    tally: Tally,
    is_recognised: bool,
    /// Whether a run has begun and not ended: only then is a status line a result.
    runs: bool,
    /// The failed test whose output follows.
    section: Option<(String, String)>,
}

impl Nextest {
    fn end_section(&mut self) {
        if let Some((name, text)) = self.section.take()
            && let Some(test) = self.tally.find(&name)
            && test.outcome == TestOutcome::Failed
            && !text.trim().is_empty()
        {
            test.failure = Some(text.trim().to_owned());
        }
    }
}

impl Runner for Nextest {
    fn name(&self) -> &'static str {
        "nextest"
    }

    fn line(&mut self, line: &str) -> Line {
        let words = line.trim_start();
        let is_aligned = is_aligned(line);
        if let Some(rest) = words.strip_prefix("Starting ")
            && rest.contains(" test")
            && rest.contains(" across ")
        {
            (self.is_recognised, self.runs) = (true, true);
            return Line::Understood;
        }
        if !self.runs {
            return Line::Other;
        }
        if is_aligned
            && let Some(rest) = words.strip_prefix("Summary [")
            && let Some(counts) = summary(rest)
        {
            self.end_section();
            self.tally.close("nextest", counts);
            self.runs = false;
            return Line::Understood;
        }
        if is_aligned && let Some(case) = status(words) {
            self.end_section();
            if case.outcome == TestOutcome::Failed {
                self.section = Some((case.name.clone(), String::new()));
            }
            self.tally.record(case.clone());
            return Line::Finished(case);
        }
        if words.starts_with("────") {
            self.end_section();
            return Line::Understood;
        }
        match &mut self.section {
            Some((_, text)) => {
                append(text, line);
                Line::Understood
            }
            None => Line::Other,
        }
    }

    fn is_recognised(&self) -> bool {
        self.is_recognised
    }

    fn results(&mut self) -> Results {
        self.end_section();
        self.tally.results(false)
    }
}

/// Whether a word is aligned as nextest's own, which end in the twelfth column. The output of tests is indented by four more.
fn is_aligned(line: &str) -> bool {
    match line.find('[') {
        Some(13) => line[..13].is_ascii() && line.as_bytes()[12] == b' ' && line.as_bytes()[11] != b' ',
        Some(place) => place > 13 && !line.starts_with(' '),
        None => false,
    }
}

/// `PASS [   0.004s] (1/3) package::program module::test`. A test that is tried again has a line for each try; the last counts.
fn status(line: &str) -> Option<TestCase> {
    let (status, rest) = line.split_once('[')?;
    let (time, rest) = rest.split_once(']')?;
    let status = match status.trim().strip_prefix("TRY ") {
        Some(tried) => tried.trim_start_matches(|digit: char| digit.is_ascii_digit()).trim(),
        None => status.trim(),
    };
    let outcome = match status {
        "PASS" | "LEAK" => TestOutcome::Passed,
        "FAIL" | "TIMEOUT" | "TMT" | "ABORT" | "LEAK-FAIL" | "LKFAIL" | "XFAIL" => TestOutcome::Failed,
        signal if signal.starts_with("SIG") => TestOutcome::Failed,
        _ => return None,
    };
    let mut rest = rest.trim_start();
    if let Some((_, after)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        rest = after.trim_start();
    }
    let (program, test) = rest.split_once(' ')?;
    Some(TestCase::new(format!("{program} {test}"), outcome).lasting(seconds(time)).again(quoted(test)))
}

/// `   0.010s] 3 tests run: 2 passed (1 slow), 1 failed, 4 skipped`.
fn summary(rest: &str) -> Option<Counts> {
    let (_, counted) = rest.split_once("] ")?.1.split_once(" run: ")?;
    let mut counts = Counts::default();
    for part in counted.split(", ") {
        let (number, word) = number_and_word(part.split_once('(').map_or(part, |(before, _)| before))?;
        match word {
            "passed" => counts.passed = number,
            "skipped" => counts.ignored = number,
            "failed" | "timed out" | "exec failed" => counts.failed = counts.failed.saturating_add(number),
            _ => {}
        }
    }
    Some(counts)
}
