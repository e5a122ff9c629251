//! pytest: its short, verbose and quiet output.

use devenv_model::event::TestOutcome;

use super::runner::{Line, Results, Runner, TestCase};
use super::tally::{Counts, Tally};
use super::text::{append, number_and_word, quoted};

/// Sections of failures to keep in a run.
const MOST_SECTIONS: usize = 1000;

#[derive(Debug, Default)]
pub(super) struct Pytest {
    tally: Tally,
    is_recognised: bool,
    filtered: bool,
    part: Part,
    /// A last line without its frame (`-q`); any test may print one, so only the last counts, and only without a framed one.
    quiet: Option<Summary>,
    /// The texts of failures, under their short names.
    sections: Vec<(String, String)>,
    durations: Vec<(String, f64)>,
}

/// The part of the output in which a line is.
#[derive(Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Progress,
    Failures,
    Durations,
    ShortSummary,
}

#[derive(Debug, Clone, Copy)]
struct Summary {
    counts: Counts,
    deselected: bool,
}

impl Pytest {
    fn close(&mut self, summary: Summary) {
        self.filtered |= summary.deselected;
        self.is_recognised = true;
        for (name, seconds) in self.durations.drain(..) {
            if let Some(test) = self.tally.find(&name) {
                *test.seconds.get_or_insert(0.0) += seconds;
            }
        }
        let mut sections = std::mem::take(&mut self.sections);
        for test in self.tally.open().iter_mut().filter(|test| test.outcome == TestOutcome::Failed) {
            let short = test.name.split_once("::").map_or(test.name.clone(), |(_, name)| name.replace("::", "."));
            if let Some(index) = sections.iter().position(|(name, _)| *name == short) {
                test.failure = Some(sections.remove(index).1.trim_matches('\n').to_owned());
            }
        }
        self.tally.close("pytest", summary.counts);
        self.part = Part::Progress;
    }

    /// A line framed by `=`.
    fn framed(&mut self, title: &str) -> Line {
        self.part = match title {
            "test session starts" => {
                self.is_recognised = true;
                self.quiet = None;
                Part::Progress
            }
            "FAILURES" | "ERRORS" => Part::Failures,
            "short test summary info" => Part::ShortSummary,
            title if title.starts_with("slowest ") => Part::Durations,
            title => {
                if let Some(summary) = summary(title) {
                    self.quiet = None;
                    self.close(summary);
                    return Line::Understood;
                }
                Part::Progress
            }
        };
        Line::Understood
    }
}

impl Runner for Pytest {
    fn name(&self) -> &'static str {
        "pytest"
    }

    fn line(&mut self, line: &str) -> Line {
        if let Some(title) = frame(line, '=') {
            return self.framed(title);
        }
        if let Some(summary) = summary(line) {
            self.quiet = Some(summary);
        }
        match self.part {
            Part::Progress => match verbose(line) {
                Some(case) => {
                    self.tally.record(case.clone());
                    Line::Finished(case)
                }
                None => Line::Other,
            },
            Part::Failures => {
                if let Some(title) = frame(line, '_') {
                    let title = title
                        .strip_prefix("ERROR at ")
                        .map_or(title, |rest| rest.split_once(" of ").map_or(rest, |(_, name)| name));
                    let title = title.strip_prefix("ERROR collecting ").unwrap_or(title);
                    if self.sections.len() < MOST_SECTIONS {
                        self.sections.push((title.to_owned(), String::new()));
                    }
                } else if let Some((_, text)) = self.sections.last_mut() {
                    append(text, line);
                }
                Line::Understood
            }
            Part::Durations => {
                if let Some((seconds, name)) = duration(line)
                    && self.durations.len() < 3 * super::runner::MOST_TESTS
                {
                    self.durations.push((name.to_owned(), seconds));
                }
                Line::Understood
            }
            Part::ShortSummary => {
                let Some(rest) = line.strip_prefix("FAILED ").or_else(|| line.strip_prefix("ERROR ")) else {
                    return Line::Other;
                };
                let (name, message) = name_and_message(rest);
                let case = TestCase::new(name, TestOutcome::Failed).again(quoted(name));
                let failure = message.map(str::to_owned);
                self.tally.record(TestCase { failure, ..case });
                Line::Understood
            }
        }
    }

    fn is_recognised(&self) -> bool {
        self.is_recognised || self.quiet.is_some()
    }

    fn results(&mut self) -> Results {
        if let Some(summary) = self.quiet.take() {
            self.close(summary);
        }
        self.tally.results(self.filtered)
    }
}

/// The title of a line that `sign` frames on both sides.
fn frame(line: &str, sign: char) -> Option<&str> {
    let title = line.trim_matches(sign);
    let framed = line.starts_with(sign) && line.ends_with(sign) && title.len() < line.len();
    let title = title.strip_prefix(' ')?.strip_suffix(' ')?;
    (framed && !title.is_empty()).then_some(title)
}

/// `1 failed, 6 passed, 1 error in 0.12s`, `no tests ran in 0.01s`.
fn summary(text: &str) -> Option<Summary> {
    let (counted, time) = text.rsplit_once(" in ")?;
    let time = time.split_once(' ').map_or(time, |(seconds, _)| seconds);
    time.strip_suffix('s')?.parse::<f64>().ok()?;
    let mut found = Summary { counts: Counts::default(), deselected: false };
    if counted == "no tests ran" {
        return Some(found);
    }
    let counts = &mut found.counts;
    for part in counted.split(", ") {
        let (number, word) = number_and_word(part)?;
        let count = match word {
            // The test expects this failure, so it has passed.
            "passed" | "xfailed" | "xpassed" => &mut counts.passed,
            "failed" | "error" | "errors" => &mut counts.failed,
            "skipped" => &mut counts.ignored,
            "deselected" => {
                found.deselected = true;
                continue;
            }
            "warning" | "warnings" | "rerun" => continue,
            word if word.starts_with("subtest") => continue,
            _ => return None,
        };
        *count = count.saturating_add(number);
    }
    Some(found)
}

/// `tests/a.py::b PASSED   [ 10%]`, and of parallel workers `[gw0] [ 10%] PASSED tests/a.py::b`.
fn verbose(line: &str) -> Option<TestCase> {
    const WORDS: [(&str, TestOutcome); 6] = [
        ("PASSED", TestOutcome::Passed),
        ("FAILED", TestOutcome::Failed),
        ("ERROR", TestOutcome::Failed),
        ("SKIPPED", TestOutcome::Ignored),
        ("XFAIL", TestOutcome::Passed),
        ("XPASS", TestOutcome::Passed),
    ];
    let parallel = line.strip_prefix("[gw").and_then(|rest| rest.split_once("%] "));
    let (name, outcome) = if let Some((_, rest)) = parallel {
        let (word, name) = rest.split_once(' ')?;
        (name.trim_end(), WORDS.iter().find(|(known, _)| *known == word)?.1)
    } else {
        let found = WORDS.iter().filter_map(|(word, outcome)| {
            let (name, rest) = line.rsplit_once(&format!(" {word}"))?;
            let rest = rest.trim_start();
            (rest.is_empty() || rest.starts_with(['[', '('])).then_some((name, *outcome))
        });
        found.min_by_key(|(name, _)| name.len())?
    };
    let is_name = name.contains("::") && !name.starts_with([' ', '>']);
    is_name.then(|| TestCase::new(name, outcome).again(quoted(name)))
}

/// `0.02s call     tests/a.py::b`. Setup, call and teardown of a test have a line each.
fn duration(line: &str) -> Option<(f64, &str)> {
    let (time, rest) = line.trim_start().split_once("s ")?;
    let (phase, name) = rest.split_once(' ')?;
    let seconds: f64 = time.parse().ok().filter(|seconds: &f64| seconds.is_finite())?;
    ["setup", "call", "teardown"].contains(&phase).then(|| (seconds, name.trim()))
}

/// `tests/a.py::b[x - y] - AssertionError`: a hyphen within brackets belongs to the name.
fn name_and_message(rest: &str) -> (&str, Option<&str>) {
    for (place, separator) in rest.match_indices(" - ") {
        let name = &rest[..place];
        if name.matches('[').count() <= name.matches(']').count() {
            return (name, Some(&rest[place + separator.len()..]));
        }
    }
    (rest, None)
}
