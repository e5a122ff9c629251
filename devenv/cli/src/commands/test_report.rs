//! The report of a test run, as text and as JSON.

use std::fmt::Write;
use std::time::Duration;

use devenv_model::event::TestOutcome;
use devenv_terminal::run::Context;
use devenv_testing::run::TestRun;
use devenv_testing::test::TestReport;
use serde_json::{Value, json};

/// Shorter compile times are not shown: Cargo takes a moment even when it compiles nothing.
const WORTH_TELLING: Duration = Duration::from_secs(2);

pub(super) fn text(context: &Context, report: &TestReport) -> String {
    let mut text = failures(context, &report.run);
    text.push_str(&summary(context, &report.run));
    let _ = write!(text, "\nreport: {}", report.junit);
    if let Some(bundle) = &report.bundle {
        let _ = write!(text, "\nfailure bundle: {bundle}");
    }
    if let Some((path, evidence)) = &report.evidence {
        let _ = write!(text, "\nevidence: {path}");
        for shortcoming in evidence.shortcomings() {
            let _ = write!(text, "\n  does not count for a promotion: {shortcoming}");
        }
    }
    if let Some(kept) = &report.kept {
        let _ = write!(text, "\nkept: devenv --state-dir {kept} status");
    }
    text
}

pub(super) fn fields(report: &TestReport) -> Value {
    let run = &report.run;
    let tests: Vec<_> = run
        .tests
        .iter()
        .map(|test| json!({ "name": test.name, "outcome": test.outcome, "seconds": test.seconds, "failure": test.failure }))
        .collect();
    json!({
        "passed": run.count(TestOutcome::Passed), "failed": run.count(TestOutcome::Failed),
        "ignored": run.count(TestOutcome::Ignored), "filtered": run.filtered, "results_from": run.results_from,
        "seconds": run.elapsed.as_secs_f64(), "preparation_seconds": run.preparation.as_secs_f64(), "failure": run.failure, "tests": tests,
        "junit": report.junit, "bundle": report.bundle, "kept": report.kept,
        "evidence": report.evidence.as_ref().map(|(path, _)| path),
    })
}

fn failures(context: &Context, run: &TestRun) -> String {
    let mut text = String::new();
    for test in run.tests.iter().filter(|test| test.outcome == TestOutcome::Failed) {
        let _ = writeln!(text, "{} {}", context.style.red("failed:"), test.name);
        // Output that was passed on stands above already.
        if !run.passed_on || context.quiet {
            let _ = writeln!(text, "{}\n", test.failure.as_deref().unwrap_or("it printed nothing"));
        }
        if let Some(again) = &test.again {
            let _ = writeln!(text, "run again: devenv test -- {again}\n");
        }
    }
    if let Some(failure) = &run.failure {
        for line in run.output.iter().rev().take(40).rev().filter(|_| !run.passed_on || context.quiet) {
            let _ = writeln!(text, "  {line}");
        }
        let _ = writeln!(text, "{} {failure}", context.style.red("failed:"));
    }
    text
}

fn summary(context: &Context, run: &TestRun) -> String {
    let (passed, failed) = (run.count(TestOutcome::Passed), run.count(TestOutcome::Failed));
    let verdict = if run.is_green() { context.style.green("green") } else { context.style.red("red") };
    let mut text = format!("{verdict}: {passed} passed, {failed} failed");
    let ignored = run.count(TestOutcome::Ignored);
    if ignored > 0 {
        let _ = write!(text, ", {ignored} ignored");
    }
    if run.filtered {
        text.push_str(", others left out by the filter");
    }
    let _ = write!(text, ", in {:.1} s", run.elapsed.as_secs_f64());
    if run.preparation >= WORTH_TELLING {
        let _ = write!(text, " (compiled in {:.1} s)", run.preparation.as_secs_f64());
    }
    if run.is_exit_code_alone() {
        text.push_str(
            "\nby its exit code alone: devenv does not know the output of this command, and counts it as one test.\n\
             For the tests in it, let it write JUnit files and name them in devenv.toml: [test] junit = \"reports/*.xml\"",
        );
    } else if run.results_from != ["libtest"] {
        let _ = write!(text, ", as reported by {}", run.results_from.join(" and "));
    }
    text
}
