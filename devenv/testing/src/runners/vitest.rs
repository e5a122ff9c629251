//! Vitest: its default and verbose reporters.

use devenv_model::event::TestOutcome;

use super::runner::{Line, Results, Runner, TestCase};
use super::tally::{Counts, Tally};
use super::text::{append, number_and_word, quoted, seconds};

#[derive(Debug, Default)]
pub(super) struct Vitest {
    tally: Tally,
    is_recognised: bool,
    /// The failed tests whose common error follows.
    section: Vec<String>,
    in_headings: bool,
    text: String,
    /// Files that do not load; the summary does not count them among the tests.
    files: usize,
    /// Whether the line before was ` Test Files ...`, which a test's own output before `Tests ...` lacks.
    summary_begins: bool,
}

impl Vitest {
    fn end_section(&mut self) {
        let text = std::mem::take(&mut self.text);
        for name in self.section.drain(..) {
            if let Some(test) = self.tally.find(&name) {
                test.failure = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
            }
        }
    }

    /// ` FAIL  file > group > test`, or ` FAIL  file [ file ]` for a file that does not load.
    fn heading(&mut self, title: &str) {
        if !self.in_headings {
            self.end_section();
        }
        self.in_headings = true;
        let found = match title.split_once(" [ ") {
            Some((file, _)) if title.ends_with(" ]") => {
                self.files += usize::from(self.tally.find(file).is_none());
                TestCase::new(file, TestOutcome::Failed).again(quoted(file))
            }
            _ => case(title, TestOutcome::Failed),
        };
        self.section.push(found.name.clone());
        self.tally.record(found);
    }
}

impl Runner for Vitest {
    fn name(&self) -> &'static str {
        "vitest"
    }

    fn line(&mut self, line: &str) -> Line {
        let trimmed = line.trim();
        let begins = std::mem::replace(&mut self.summary_begins, line.starts_with(" Test Files  "));
        if begins && let Some(mut counts) = trimmed.strip_prefix("Tests ").and_then(summary) {
            self.end_section();
            counts.failed = counts.failed.saturating_add(std::mem::take(&mut self.files));
            self.tally.close("vitest", counts);
            self.is_recognised = true;
            return Line::Understood;
        }
        if let Some(title) = line.strip_prefix(" FAIL  ") {
            self.heading(title.trim_end());
            return Line::Understood;
        }
        self.in_headings = false;
        if trimmed.starts_with("⎯⎯⎯") {
            self.end_section();
            return Line::Understood;
        }
        if !self.section.is_empty() {
            append(&mut self.text, line);
            return Line::Understood;
        }
        match listed(line) {
            Some(case) => {
                self.tally.record(case.clone());
                Line::Finished(case)
            }
            None => Line::Other,
        }
    }

    fn is_recognised(&self) -> bool {
        self.is_recognised
    }

    fn results(&mut self) -> Results {
        self.tally.results(false)
    }
}

fn case(title: &str, outcome: TestOutcome) -> TestCase {
    let mut parts = title.split(" > ");
    let file = parts.next().unwrap_or_default();
    let name = parts.collect::<Vec<_>>().join(" ");
    TestCase::new(title, outcome).again(format!("{} -t {}", quoted(file), quoted(&name)))
}

/// A line of the verbose reporter: ` ✓ file > group > test 4ms`.
fn listed(line: &str) -> Option<TestCase> {
    let (mark, title) = line.strip_prefix(' ')?.split_once(' ')?;
    let outcome = match mark {
        "✓" => TestOutcome::Passed,
        "×" => TestOutcome::Failed,
        "↓" | "□" => TestOutcome::Ignored,
        _ => return None,
    };
    let title = title.trim_end();
    let (title, time) = match title.rsplit_once(' ') {
        Some((title, time)) if seconds(time).is_some() => (title, seconds(time)),
        _ => (title, None),
    };
    title.contains(" > ").then(|| case(title, outcome).lasting(time))
}

/// ` 1 failed | 3 passed | 1 skipped | 1 todo (6)`, or `no tests`.
fn summary(rest: &str) -> Option<Counts> {
    let mut counts = Counts::default();
    if rest.trim() == "no tests" {
        return Some(counts);
    }
    let counted = rest.rsplit_once(" (").map(|(counted, _)| counted)?;
    for part in counted.split(" | ") {
        let (number, word) = number_and_word(part)?;
        match word {
            "passed" | "expected fail" => counts.passed = counts.passed.saturating_add(number),
            "failed" => counts.failed = number,
            "skipped" | "todo" => counts.ignored = counts.ignored.saturating_add(number),
            _ => return None,
        }
    }
    Some(counts)
}
