//! `go test -json`.

use std::collections::HashMap;

use devenv_model::event::TestOutcome;
use serde::Deserialize;

use super::go_text::again;
use super::runner::{Line, Results, Runner, TestCase};
use super::tally::Tally;
use super::text::append;

/// Running tests whose output is kept.
const MOST_RUNNING: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct GoJson {
    tally: Tally,
    is_recognised: bool,
    filtered: bool,
    /// The output of what runs: a test, or with an empty name a package.
    running: HashMap<(String, String), String>,
    /// Failed tests by package.
    failed: HashMap<String, usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    action: String,
    package: Option<String>,
    #[serde(default)]
    test: String,
    elapsed: Option<f64>,
    #[serde(default)]
    output: String,
}

impl GoJson {
    fn ended(&mut self, package: String, test: &str, outcome: TestOutcome, seconds: Option<f64>) -> Line {
        let output = self.running.remove(&(package.clone(), test.to_owned())).unwrap_or_default();
        let seconds = seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
        let case = if test.is_empty() {
            // The end of a package is a result of its own only if none of its tests explains it.
            self.filtered |= output.contains("[no tests to run]");
            if outcome != TestOutcome::Failed || self.failed.remove(&package).is_some() {
                return Line::Understood;
            }
            TestCase::new(package, outcome)
        } else {
            if outcome == TestOutcome::Failed {
                *self.failed.entry(package.clone()).or_default() += 1;
            }
            TestCase::new(format!("{package}.{test}"), outcome).again(again(test))
        };
        let failure = Some(output.trim().to_owned()).filter(|text| outcome == TestOutcome::Failed && !text.is_empty());
        let case = TestCase { failure, ..case }.lasting(seconds);
        self.tally.record(case.clone());
        Line::Finished(case)
    }
}

impl Runner for GoJson {
    fn name(&self) -> &'static str {
        "go test -json"
    }

    fn line(&mut self, line: &str) -> Line {
        // Before version 1.24, go reports a package that does not compile as text.
        if let Some(rest) = line.strip_prefix("FAIL\t")
            && let Some((package, _)) = rest.split_once(" [")
        {
            self.tally.record(TestCase::new(package, TestOutcome::Failed));
            return Line::Understood;
        }
        if !line.starts_with('{') {
            return Line::Other;
        }
        let Ok(told) = serde_json::from_str::<Told>(line) else { return Line::Other };
        let Some(package) = told.package else { return Line::Other };
        let outcome = match told.action.as_str() {
            "pass" => TestOutcome::Passed,
            "fail" => TestOutcome::Failed,
            "skip" => TestOutcome::Ignored,
            "output" => {
                let key = (package, told.test);
                if self.running.len() < MOST_RUNNING || self.running.contains_key(&key) {
                    append(self.running.entry(key).or_default(), told.output.trim_end_matches('\n'));
                }
                return Line::Understood;
            }
            "run" | "start" | "pause" | "cont" | "bench" => return Line::Understood,
            _ => return Line::Other,
        };
        self.is_recognised = true;
        self.ended(package, &told.test, outcome, told.elapsed)
    }

    fn is_recognised(&self) -> bool {
        self.is_recognised
    }

    fn results(&mut self) -> Results {
        self.tally.results(self.filtered)
    }
}
