//! Jest: its default reporter, with and without `--verbose`.

use devenv_model::event::TestOutcome;

use super::runner::{Line, Results, Runner, TestCase};
use super::tally::{Counts, Tally};
use super::text::{append, number_and_word, quoted, seconds};

#[derive(Debug, Default)]
pub(super) struct Jest {
    tally: Tally,
    is_recognised: bool,
    filtered: bool,
    /// The file whose results follow.
    file: Option<File>,
    /// The names of the failures in sections, in their order, with their texts.
    failures: Vec<Failure>,
    /// Whether the line before was `Test Suites: ...`, which a test's own output before `Tests: ...` lacks.
    summary_begins: bool,
}

#[derive(Debug)]
struct File {
    path: String,
    failed: bool,
    /// Whether its list of tests may go on.
    lists: bool,
    /// The groups around the next test, each with its indentation.
    groups: Vec<(usize, String)>,
    in_failure: bool,
}

#[derive(Debug)]
struct Failure {
    case: TestCase,
    text: String,
    /// A file that does not load; the summary does not count it among the tests.
    is_file: bool,
}

impl Jest {
    fn listed(&mut self, line: &str) -> Option<Line> {
        let file = self.file.as_mut().filter(|file| file.lists)?;
        let text = line.trim_start();
        let depth = line.len() - text.len();
        if text.is_empty() || depth == 0 {
            file.lists = false;
            return None;
        }
        file.groups.retain(|(group, _)| *group < depth);
        let Some((outcome, title)) = marked(text) else {
            if text.starts_with('●') {
                file.lists = false;
                return None;
            }
            file.groups.push((depth, text.to_owned()));
            return Some(Line::Understood);
        };
        let (title, time) = match title.rsplit_once(" (") {
            Some((title, time)) if seconds(time.trim_end_matches(')')).is_some() => {
                (title, seconds(time.trim_end_matches(')')))
            }
            _ => (title, None),
        };
        let path: Vec<&str> = file.groups.iter().map(|(_, name)| name.as_str()).chain([title]).collect();
        let case = case(&file.path, &path, outcome).lasting(time);
        self.tally.record(case.clone());
        Some(Line::Finished(case))
    }

    fn section(&mut self, line: &str) -> Option<Line> {
        let file = self.file.as_mut().filter(|file| file.failed)?;
        if let Some(title) = line.strip_prefix("  ● ") {
            file.in_failure = title != "Console";
            if file.in_failure && self.failures.len() < super::runner::MOST_TESTS {
                let is_file = title == "Test suite failed to run";
                let path: Vec<&str> = if is_file { Vec::new() } else { title.split(" › ").collect() };
                let case = case(&file.path, &path, TestOutcome::Failed);
                self.failures.push(Failure { case, text: String::new(), is_file });
            }
            return Some(Line::Understood);
        }
        if !file.in_failure || !(line.is_empty() || line.starts_with(' ')) {
            return None;
        }
        if let Some(failure) = self.failures.last_mut() {
            append(&mut failure.text, line.strip_prefix("    ").unwrap_or(line));
        }
        Some(Line::Understood)
    }

    fn close(&mut self, mut counts: Counts) {
        let mut named: Vec<String> = Vec::new();
        let mut failures = std::mem::take(&mut self.failures);
        // The files first: notes in sections of their own, such as one on snapshots, come after what the summary counts.
        failures.sort_by_key(|failure| !failure.is_file);
        for Failure { case, text, is_file } in failures {
            if named.contains(&case.name) {
                continue;
            }
            if is_file {
                counts.failed = counts.failed.saturating_add(1);
            } else if named.len() >= counts.failed {
                continue;
            }
            named.push(case.name.clone());
            let text = text.trim_matches('\n').to_owned();
            self.tally.record(TestCase { failure: Some(text).filter(|text| !text.is_empty()), ..case });
        }
        self.tally.close("jest", counts);
        self.is_recognised = true;
        self.file = None;
    }
}

impl Runner for Jest {
    fn name(&self) -> &'static str {
        "jest"
    }

    fn line(&mut self, line: &str) -> Line {
        let begins = std::mem::replace(&mut self.summary_begins, line.starts_with("Test Suites: "));
        if begins && let Some(counts) = line.strip_prefix("Tests:").and_then(summary) {
            self.close(counts);
            return Line::Understood;
        }
        if self.is_recognised && line.starts_with("Ran all test suites") {
            self.filtered |= line.contains(" matching ") || line.contains(" related to ");
            return Line::Understood;
        }
        let file = line.strip_prefix("PASS ").map(|path| (path, false));
        if let Some((path, failed)) = file.or_else(|| line.strip_prefix("FAIL ").map(|path| (path, true))) {
            let path = match path.rsplit_once(" (") {
                Some((path, time)) if time.ends_with("s)") => path,
                _ => path,
            };
            let path = path.trim().to_owned();
            self.file = Some(File { path, failed, lists: true, groups: Vec::new(), in_failure: false });
            return Line::Other;
        }
        self.listed(line).or_else(|| self.section(line)).unwrap_or(Line::Other)
    }

    fn is_recognised(&self) -> bool {
        self.is_recognised
    }

    fn results(&mut self) -> Results {
        self.tally.results(self.filtered)
    }
}

fn case(file: &str, path: &[&str], outcome: TestOutcome) -> TestCase {
    if path.is_empty() {
        return TestCase::new(file, outcome).again(quoted(file));
    }
    let again = format!("{} -t {}", quoted(file), quoted(&path.join(" ")));
    TestCase::new(format!("{file} › {}", path.join(" › ")), outcome).again(again)
}

fn marked(text: &str) -> Option<(TestOutcome, &str)> {
    let (mark, title) = text.split_once(' ')?;
    match mark {
        "✓" | "√" => Some((TestOutcome::Passed, title)),
        "✕" | "×" => Some((TestOutcome::Failed, title)),
        "○" => Some((TestOutcome::Ignored, title.strip_prefix("skipped ").unwrap_or(title))),
        "✎" => Some((TestOutcome::Ignored, title.strip_prefix("todo ").unwrap_or(title))),
        _ => None,
    }
}

/// `       1 failed, 1 skipped, 1 todo, 3 passed, 6 total`.
fn summary(rest: &str) -> Option<Counts> {
    let mut counts = Counts::default();
    for part in rest.split(", ") {
        let (number, word) = number_and_word(part)?;
        match word {
            "passed" => counts.passed = number,
            "failed" => counts.failed = number,
            "skipped" | "todo" | "pending" => counts.ignored = counts.ignored.saturating_add(number),
            "total" => {}
            _ => return None,
        }
    }
    Some(counts)
}
