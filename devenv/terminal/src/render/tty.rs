use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use devenv_model::event::Event;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::log_line::readable;
use super::plain::{before, error_text, lines, pass_on, say};
use super::{Render, Style, environment_table};
use crate::outcome::Outcome;
use crate::report::Failure;

/// A spinner for each running step and test; the finished ones stay above them as lines.
pub(super) struct Tty {
    style: Style,
    verbose: bool,
    bars: MultiProgress,
    steps: BTreeMap<usize, ProgressBar>,
    tests: BTreeMap<String, ProgressBar>,
    /// The running stage of a promotion: one at a time.
    stage: Option<ProgressBar>,
}

impl Tty {
    pub(super) fn new(style: Style, verbose: bool) -> Self {
        let bars = MultiProgress::new();
        Self { style, verbose, bars, steps: BTreeMap::new(), tests: BTreeMap::new(), stage: None }
    }

    fn spinner(&self, text: String) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {elapsed} {wide_msg:.dim}") {
            bar.set_style(style);
        }
        bar.set_prefix(text);
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }

    fn print(&self, line: &str) {
        let _ = self.bars.println(line);
    }

    /// Prints to standard output with the spinners cleared: the text must not run into one.
    fn say(&self, text: &str) -> io::Result<()> {
        self.bars.suspend(|| say(text))
    }
}

impl Render for Tty {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Log { unit, time, line } => {
                let text = format!("{}| {}{}", self.style.name(unit, 16), before(time.as_ref()), readable(line));
                return self.say(&text);
            }
            Event::EnvironmentReady { report, changed } => {
                if !changed {
                    self.print("unchanged: everything is ready");
                }
                return self.say(&environment_table(report, self.style));
            }
            Event::StepStarted { index, step } => {
                let bar = self.spinner(format!("{} ({})", step.operation, step.cause));
                self.steps.insert(*index, bar);
                return Ok(());
            }
            Event::StepProgress { index, line, .. } => {
                if let Some(bar) = self.steps.get(index) {
                    bar.set_message(line.clone());
                }
                return Ok(());
            }
            Event::StepFinished { index, .. } | Event::StepFailed { index, .. } => {
                if let Some(bar) = self.steps.remove(index) {
                    bar.finish_and_clear();
                }
            }
            Event::StageStarted { stage } => {
                self.stage = Some(self.spinner(stage.clone()));
                return Ok(());
            }
            Event::StageProgress { line, .. } => {
                if let Some(bar) = &self.stage {
                    bar.set_message(line.clone());
                }
            }
            Event::StageFinished { .. } | Event::StageFailed { .. } => {
                if let Some(bar) = self.stage.take() {
                    bar.finish_and_clear();
                }
            }
            Event::TestOutput { passed_on: Some(bytes), .. } => {
                self.bars.suspend(|| pass_on(bytes));
                return Ok(());
            }
            Event::TestStarted { name } => {
                let bar = self.spinner(name.clone());
                self.tests.insert(name.clone(), bar);
                return Ok(());
            }
            Event::TestFinished { name, .. } => {
                if let Some(bar) = self.tests.remove(name) {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
        for line in lines(event, self.style, self.verbose) {
            self.print(&line);
        }
        Ok(())
    }

    fn outcome(&mut self, _: &str, outcome: &Outcome) -> io::Result<()> {
        let _ = self.bars.clear();
        if outcome.text.is_empty() { Ok(()) } else { self.say(&outcome.text) }
    }

    fn error(&mut self, _: &str, failure: &Failure) {
        let _ = self.bars.clear();
        self.print(&error_text(failure, self.style));
    }
}
