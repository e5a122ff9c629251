//! Follows a test command's output: passes it on, and searches it for results.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use devenv_model::event::Event;
use devenv_runtime::Emitter;

use crate::pieces::Piece;
use crate::runners::every::EveryRunner;
use crate::runners::runner::{Line, Results};
use crate::runners::text::plain;
use crate::timings::Timings;

/// Lines of output that a run keeps.
const LINES_KEPT: usize = 5000;
/// Bytes of these lines.
const BYTES_KEPT: usize = 8 * 1024 * 1024;

pub(crate) struct Collector<'a> {
    runners: EveryRunner,
    timings: Timings,
    output: VecDeque<String>,
    bytes: usize,
    /// The end of the compilation, where the runner shows it.
    first_test: Option<Instant>,
    /// Whether the person sees the output as it is. If not, devenv shows the tests in its place.
    passes_on: bool,
    ended: bool,
    emitter: &'a Emitter,
}

/// What a test command printed.
pub(crate) struct Collected {
    /// The runners whose output was understood.
    pub(crate) runners: Vec<&'static str>,
    pub(crate) results: Results,
    pub(crate) output: Vec<String>,
    pub(crate) first_test: Option<Instant>,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(timings: Timings, passes_on: bool, emitter: &'a Emitter) -> Self {
        Self {
            runners: EveryRunner::default(),
            timings,
            output: VecDeque::new(),
            bytes: 0,
            first_test: None,
            passes_on,
            ended: true,
            emitter,
        }
    }

    pub(crate) fn piece(&mut self, piece: Piece) {
        let begins = piece.begins;
        self.ended = piece.ends();
        let line = plain(piece.bytes.strip_suffix(b"\n").unwrap_or(&piece.bytes));
        if self.passes_on {
            self.emitter.emit(Event::TestOutput { line: line.clone(), passed_on: Some(piece.bytes) });
        }
        if begins {
            self.line(line);
        }
    }

    fn line(&mut self, line: String) {
        match self.runners.line(&line) {
            Line::Finished(case) => {
                self.look();
                let seconds = case.seconds.or_else(|| self.timings.seconds.get(&case.name).copied());
                let elapsed_ms = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).map(millis);
                let (outcome, shown) = (case.outcome, self.passes_on);
                self.emitter.emit(Event::TestFinished { name: case.name, outcome, elapsed_ms, shown });
            }
            Line::Other if !self.passes_on => {
                self.emitter.emit(Event::TestOutput { line: line.clone(), passed_on: None });
            }
            Line::Understood | Line::Other => {}
        }
        if self.first_test.is_none() && self.runners.has_compiled() {
            self.first_test = Some(Instant::now());
        }
        self.bytes += line.len();
        self.output.push_back(line);
        while self.output.len() > LINES_KEPT || self.bytes > BYTES_KEPT {
            self.bytes -= self.output.pop_front().map_or(0, |line| line.len());
        }
    }

    /// Reads what the harness reports in a file.
    pub(crate) fn look(&mut self) {
        for name in self.timings.news() {
            self.emitter.emit(Event::TestStarted { name });
        }
    }

    pub(crate) fn finish(mut self) -> Collected {
        self.look();
        if self.passes_on && !self.ended {
            // What devenv prints next begins on a line of its own.
            self.emitter.emit(Event::TestOutput { line: String::new(), passed_on: Some(b"\n".to_vec()) });
        }
        let (runners, mut results) = self.runners.results();
        for test in results.tests.iter_mut().filter(|test| test.seconds.is_none()) {
            test.seconds = self.timings.seconds.get(&test.name).copied();
        }
        Collected { runners, results, output: self.output.into(), first_test: self.first_test }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
