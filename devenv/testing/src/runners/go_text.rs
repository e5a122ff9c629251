//! `go test`, with and without `-v`.

use std::collections::HashMap;

use devenv_model::event::TestOutcome;

use super::runner::{Line, Results, Runner, TestCase};
use super::tally::Tally;
use super::text::{append, quoted, seconds};

/// Tests of a package whose output is kept.
const MOST_TEXTS: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct GoText {
    tally: Tally,
    is_recognised: bool,
    filtered: bool,
    /// The tests of the package that has not ended.
    package: Vec<TestCase>,
    /// The test to which a line of output belongs: with `-v` it stands before the result, without it behind.
    current: Option<String>,
    /// The output of the package's tests.
    texts: HashMap<String, String>,
    /// Whether a test runs (`-v`), whose output may look like a package's result.
    running: usize,
    too_many: bool,
}

impl GoText {
    fn finished(&mut self, line: &str) -> Option<Line> {
        let text = line.trim_start_matches("    ").strip_prefix("--- ")?;
        let (word, rest) = text.split_once(": ")?;
        let outcome = match word {
            "PASS" => TestOutcome::Passed,
            "FAIL" => TestOutcome::Failed,
            "SKIP" => TestOutcome::Ignored,
            _ => return None,
        };
        let (name, time) = rest.strip_suffix(')')?.rsplit_once(" (")?;
        let time = seconds(time)?;
        self.current = Some(name.to_owned());
        self.is_recognised = true;
        self.running = self.running.saturating_sub(1);
        let case = TestCase::new(name, outcome).lasting(Some(time)).again(again(name));
        if self.package.len() < super::runner::MOST_TESTS {
            self.package.push(case.clone());
        } else {
            self.too_many = true;
        }
        Some(Line::Finished(case))
    }

    /// The tests of the package, which has ended, with the texts of their failures.
    fn take_package(&mut self) -> Vec<TestCase> {
        self.current = None;
        let mut texts = std::mem::take(&mut self.texts);
        let mut tests = std::mem::take(&mut self.package);
        for test in tests.iter_mut().filter(|test| test.outcome == TestOutcome::Failed) {
            let text = texts.remove(&test.name).unwrap_or_default();
            test.failure = Some(text.trim_matches('\n').to_owned()).filter(|text| !text.is_empty());
        }
        tests
    }

    fn end_package(&mut self, name: &str, outcome: TestOutcome, note: &str) {
        self.is_recognised = true;
        self.running = 0;
        let tests = self.take_package();
        let has_failed = tests.iter().any(|test| test.outcome == TestOutcome::Failed);
        let is_unlisted = tests.is_empty() || (outcome == TestOutcome::Failed && !has_failed);
        for test in tests {
            self.tally.record(TestCase { name: format!("{name}.{}", test.name), ..test });
        }
        if note.contains("[no tests to run]") {
            self.filtered = true;
        } else if is_unlisted {
            // Without -v, go prints no test of a package that passed: the package counts as one test.
            let time = note.split('\t').next().and_then(seconds);
            self.tally.record(TestCase::new(name, outcome).lasting(time));
        }
    }
}

impl Runner for GoText {
    fn name(&self) -> &'static str {
        "go test"
    }

    fn line(&mut self, line: &str) -> Line {
        if let Some(name) = line.strip_prefix("=== RUN   ") {
            self.current = Some(name.to_owned());
            self.running += 1;
            self.is_recognised = true;
            return Line::Understood;
        }
        if let Some(name) = line.strip_prefix("=== CONT  ").or_else(|| line.strip_prefix("=== NAME  ")) {
            self.current = Some(name.to_owned());
            return Line::Understood;
        }
        if let Some(read) = self.finished(line) {
            return read;
        }
        let passed = line.strip_prefix("ok  \t").filter(|_| self.running == 0);
        let failed = line.strip_prefix("FAIL\t");
        if let Some(rest) = passed.or(failed) {
            let outcome = if failed.is_some() { TestOutcome::Failed } else { TestOutcome::Passed };
            let (name, note) = rest.split_once(['\t', ' ']).unwrap_or((rest, ""));
            self.end_package(name, outcome, note);
            return Line::Understood;
        }
        if line.starts_with("?   \t") && line.ends_with("[no test files]") {
            return Line::Understood;
        }
        if let Some(name) = self.current.as_ref().filter(|_| line != "FAIL" && line != "PASS")
            && (self.texts.len() < MOST_TEXTS || self.texts.contains_key(name))
        {
            append(self.texts.entry(name.clone()).or_default(), line);
        }
        Line::Other
    }

    fn is_recognised(&self) -> bool {
        self.is_recognised
    }

    fn results(&mut self) -> Results {
        for test in self.take_package() {
            self.tally.record(test);
        }
        let mut results = self.tally.results(self.filtered);
        results.too_many |= self.too_many;
        results
    }
}

/// The arguments that run a test alone: `-run '^TestA$/^part$'`.
pub(super) fn again(name: &str) -> String {
    let parts: Vec<String> = name.split('/').map(|part| format!("^{part}$")).collect();
    format!("-run {}", quoted(&parts.join("/")))
}
