use std::io::{self, Write};

use devenv_model::event::{Event, TestOutcome};
use devenv_model::plan::Operation;

use super::mistake::{Drawing, draw};
use super::{Render, Style, environment_table, proposal_lines};
use crate::outcome::Outcome;
use crate::report::Failure;

/// Plain lines for files, pipes and build servers.
pub(super) struct Plain {
    style: Style,
    quiet: bool,
    verbose: bool,
}

impl Plain {
    pub(super) fn new(style: Style, quiet: bool, verbose: bool) -> Self {
        Self { style, quiet, verbose }
    }

    fn progress(&self, line: &str) {
        if !self.quiet {
            tell(line);
        }
    }
}

impl Render for Plain {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Log { unit, time, line } => {
                return say(&format!("{}| {}{line}", self.style.name(unit, 16), before(time.as_ref())));
            }
            Event::EnvironmentReady { report, changed } => {
                if !changed {
                    self.progress("unchanged: everything is ready");
                }
                return say(&environment_table(report, self.style));
            }
            Event::TestOutput { passed_on: Some(bytes), .. } => {
                if !self.quiet {
                    pass_on(bytes);
                }
            }
            Event::StepProgress { unit: None, line, .. } if !self.verbose && is_noise(line) => {}
            event => lines(event, self.style, self.verbose).iter().for_each(|line| self.progress(line)),
        }
        Ok(())
    }

    fn outcome(&mut self, _: &str, outcome: &Outcome) -> io::Result<()> {
        if outcome.text.is_empty() { Ok(()) } else { say(&outcome.text) }
    }

    fn error(&mut self, _: &str, failure: &Failure) {
        tell(&error_text(failure, self.style));
    }
}

/// The time of a log line, if it is to be printed.
pub(super) fn before(time: Option<&String>) -> String {
    time.map(|time| format!("{time} ")).unwrap_or_default()
}

/// The lines for an event; none for an event that a renderer shows in another form.
pub(super) fn lines(event: &Event, style: Style, verbose: bool) -> Vec<String> {
    match event {
        Event::RuntimeChosen { runtime, why, emulator, project } => {
            vec![format!("{project}: runtime {runtime} ({why}), emulator {emulator}")]
        }
        Event::Notice { message } => vec![format!("{} {message}", style.yellow("note:"))],
        Event::PlanReady { plan } if verbose => plan.to_string().lines().map(str::to_owned).collect(),
        Event::StepStarted { step, .. }
            if matches!(
                step.operation,
                Operation::Build { .. } | Operation::BuildUnit { .. } | Operation::Pull { .. }
            ) =>
        {
            vec![format!("{} ({})", step.operation, step.cause)]
        }
        Event::StepProgress { unit: Some(unit), line, .. } => vec![format!("{}| {line}", style.name(unit, 16))],
        Event::StepProgress { line, .. } => vec![format!("  {line}")],
        Event::StepFinished { step, elapsed_ms, .. } => {
            let cause = if verbose { format!(" ({})", step.cause) } else { String::new() };
            vec![format!(
                "{} {}{cause} {}",
                style.green("done"),
                step.operation,
                style.dim(&format!("{elapsed_ms} ms"))
            )]
        }
        Event::StepFailed { step, error, .. } => {
            vec![format!("{} {}: {}", style.red("failed"), step.operation, error.lines().next().unwrap_or_default())]
        }
        Event::TestRunStarted { command } => vec![format!("running {}", command.join(" "))],
        Event::TestFinished { name, outcome, elapsed_ms, shown: false } => {
            let mark = match outcome {
                TestOutcome::Passed => style.green("PASS"),
                TestOutcome::Failed => style.red("FAIL"),
                TestOutcome::Ignored => style.yellow("SKIP"),
            };
            let time = elapsed_ms.map_or_else(String::new, |ms| format!("{ms} ms"));
            vec![format!("{mark} {time:>11}  {name}")]
        }
        Event::TestOutput { line, passed_on: None } if verbose || is_compiler_trouble(line) => {
            vec![format!("  {line}")]
        }
        Event::Proposed { proposal } => {
            let mut lines = proposal_lines(proposal);
            if verbose {
                lines.extend(proposal.plan.lines().map(str::to_owned));
            }
            lines
        }
        Event::Question { text } => vec![text.clone()],
        Event::InvocationLog { line } => vec![line.clone()],
        Event::StageFinished { stage, elapsed_ms } => {
            vec![format!("{} {stage} {}", style.green("done"), style.dim(&format!("{elapsed_ms} ms")))]
        }
        Event::StageFailed { stage, error } => {
            vec![format!("{} {stage}: {}", style.red("failed"), error.lines().next().unwrap_or_default())]
        }
        Event::StageProgress { line, detail } if verbose || !detail => vec![format!("  {line}")],
        _ => Vec::new(),
    }
}

/// Whether Cargo printed this line for one crate of hundreds.
fn is_noise(line: &str) -> bool {
    ["Compiling", "Fresh", "Downloaded", "Downloading"].iter().any(|word| line.starts_with(word))
}

fn is_compiler_trouble(line: &str) -> bool {
    line.starts_with("error")
}

pub(super) fn error_text(failure: &Failure, style: Style) -> String {
    let Failure { report, mistakes, .. } = failure;
    let mut lines = Vec::new();
    if let Some(mistakes) = mistakes {
        let drawing = if style.colour { Drawing::Colour } else { Drawing::Plain };
        lines.push(draw(mistakes, drawing).trim_end().to_owned());
        lines.push(format!("\n{} the files above have {}", style.red("error:"), plural(mistakes.problems.len())));
    } else {
        lines.push(format!("{} {}", style.red("error:"), report.message));
    }
    lines.extend(report.log.iter().map(|line| format!("  {} {line}", style.dim("|"))));
    lines.extend(report.hint.iter().map(|hint| format!("{} {hint}", style.green("hint:"))));
    lines.join("\n")
}

fn plural(count: usize) -> String {
    if count == 1 { "a mistake".to_owned() } else { format!("{count} mistakes") }
}

/// Prints to standard output.
pub(super) fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush())
}

/// Writes bytes of a test command to standard error, as they are.
pub(super) fn pass_on(bytes: &[u8]) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// Prints to standard error.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
