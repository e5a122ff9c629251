//! Results of the same tests on every emulator, side by side.

use std::collections::BTreeMap;
use std::fmt::Write;

use comfy_table::Table;
use comfy_table::presets;
use devenv_model::event::TestOutcome;
use devenv_terminal::exit::Exit;
use devenv_terminal::outcome::Outcome;
use devenv_terminal::run::Context;
use devenv_testing::runners::runner::TestCase;
use devenv_testing::test::TestReport;
use devenv_testing::test_every::{Trial, TrialOutcome};
use serde_json::json;

use super::test_report;

pub(super) fn outcome(context: &Context, trials: &[Trial], require_all: bool) -> Outcome {
    let ran: Vec<(&Trial, &TestReport)> = trials
        .iter()
        .filter_map(|trial| match &trial.outcome {
            TrialOutcome::Ran(report) => Some((trial, &**report)),
            TrialOutcome::Skipped { .. } => None,
        })
        .collect();
    let cases = by_name(&ran);
    let mut text = format!("{}\n", table(&ran, &cases));
    for trial in trials {
        let name = name(trial);
        match &trial.outcome {
            TrialOutcome::Ran(report) => {
                let _ = writeln!(text, "\n{name}\n{}", test_report::text(context, report));
            }
            TrialOutcome::Skipped { why } => {
                let _ = writeln!(text, "\n{name}\n{} ({why})", context.style.yellow("skipped"));
            }
        }
    }
    let skipped = trials.len() - ran.len();
    let differing: Vec<&str> =
        cases.iter().filter(|(_, outcomes)| differ(outcomes)).map(|(name, _)| name.as_str()).collect();
    let _ = write!(text, "\n{}", verdict(&differing, ran.len(), cases.len()));
    if skipped > 0 {
        let _ = write!(text, "; {skipped} of {} emulators skipped", trials.len());
    }
    let fields: Vec<_> = trials
        .iter()
        .map(|trial| match &trial.outcome {
            TrialOutcome::Ran(report) => {
                json!({ "emulator": trial.emulator, "image": trial.image, "ran": test_report::fields(report) })
            }
            TrialOutcome::Skipped { why } => {
                json!({ "emulator": trial.emulator, "image": trial.image, "skipped": why })
            }
        })
        .collect();
    let mut outcome = Outcome::done(text, &json!({ "emulators": fields, "differing": differing }));
    let red = ran.iter().any(|(_, report)| !report.run.is_green());
    if red || ran.is_empty() || (require_all && skipped > 0) {
        outcome.exit = Exit::Failed;
    }
    outcome
}

/// Each test's case on each emulator that ran; `None` where the test did not run.
type Cases<'a> = BTreeMap<String, Vec<Option<&'a TestCase>>>;

fn by_name<'a>(ran: &[(&Trial, &'a TestReport)]) -> Cases<'a> {
    let mut cases = Cases::new();
    for (column, (_, report)) in ran.iter().enumerate() {
        for case in &report.run.tests {
            cases.entry(case.name.clone()).or_insert_with(|| vec![None; ran.len()])[column] = Some(case);
        }
    }
    cases
}

fn differ(cases: &[Option<&TestCase>]) -> bool {
    let mut outcomes = cases.iter().map(|case| case.map(|case| case.outcome));
    let first = outcomes.next();
    outcomes.any(|outcome| Some(outcome) != first)
}

fn table(ran: &[(&Trial, &TestReport)], cases: &Cases<'_>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let mut header = vec!["TEST".to_owned()];
    header.extend(ran.iter().map(|(trial, _)| trial.emulator.name().to_owned()));
    header.push(String::new());
    table.set_header(header);
    for (name, outcomes) in cases {
        let mut row = vec![name.clone()];
        row.extend(outcomes.iter().map(|case| cell(*case)));
        row.push(if differ(outcomes) { "<- differs".to_owned() } else { String::new() });
        table.add_row(row);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

fn cell(case: Option<&TestCase>) -> String {
    match case.map(|case| (case.outcome, case.seconds)) {
        None => "-".to_owned(),
        Some((TestOutcome::Passed, Some(seconds))) => format!("{:.0} ms", seconds * 1000.0),
        Some((TestOutcome::Passed, None)) => "passed".to_owned(),
        Some((TestOutcome::Failed, _)) => "FAILED".to_owned(),
        Some((TestOutcome::Ignored, _)) => "ignored".to_owned(),
    }
}

/// The emulator's kind, and its image.
fn name(trial: &Trial) -> String {
    match &trial.image {
        Some(image) => format!("{} ({image})", trial.emulator.name()),
        None => trial.emulator.name().to_owned(),
    }
}

fn verdict(differing: &[&str], emulators: usize, tests: usize) -> String {
    match (differing, emulators) {
        (_, 0) => "no emulator ran".to_owned(),
        (_, 1) => "one emulator ran: there is nothing to compare".to_owned(),
        ([], _) => format!("{emulators} emulators agree on all {tests} tests"),
        (names, _) => format!("{emulators} emulators differ on {} of {tests} tests: {}", names.len(), names.join(", ")),
    }
}
