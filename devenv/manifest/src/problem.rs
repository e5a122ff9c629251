//! A mistake and its place.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::source::SourceFile;

/// A file with more mistakes than this is not what it is taken for; the rest would only hide the first ones.
pub(crate) const PROBLEM_LIMIT: usize = 100;

/// One mistake in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Stable, such as `manifest.unknown_key`.
    pub code: &'static str,
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    pub file: Arc<SourceFile>,
    /// Bytes of the file.
    pub span: Range<usize>,
    /// A second place in the same file that has to do with it.
    pub other: Option<(Range<usize>, &'static str)>,
}

/// A problem as other programs read it. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProblemReport {
    pub code: &'static str,
    pub message: String,
    pub help: Option<String>,
    pub file: Utf8PathBuf,
    pub line: usize,
    pub column: usize,
}

/// Everything that was found wrong in one pass; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError {
    pub problems: Vec<Problem>,
}

impl Problem {
    pub(crate) fn new(
        code: &'static str,
        file: &Arc<SourceFile>,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        let message = message.into().replace(char::is_control, "\u{fffd}");
        Self { code, message, help: None, file: Arc::clone(file), span, other: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// Marks a second place and labels it.
    pub(crate) fn other(mut self, span: Range<usize>, words: &'static str) -> Self {
        self.other = Some((span, words));
        self
    }

    pub fn report(&self) -> ProblemReport {
        let (line, column) = self.file.position(self.span.start);
        ProblemReport {
            code: self.code,
            message: self.message.clone(),
            help: self.help.clone(),
            file: self.file.path.clone(),
            line,
            column,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.file.position(self.span.start);
        write!(formatter, "{}:{line}:{column}: {}", self.file.path, self.message)
    }
}

impl ManifestError {
    /// Without what is said twice (an anchor's mistake shows wherever its alias stands), and within the limit.
    pub(crate) fn new(problems: Vec<Problem>) -> Self {
        let mut distinct: Vec<Problem> = Vec::new();
        for problem in problems {
            if distinct.len() < PROBLEM_LIMIT && !distinct.contains(&problem) {
                distinct.push(problem);
            }
        }
        Self { problems: distinct }
    }
}

impl From<Problem> for ManifestError {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.problems.iter().map(ToString::to_string).collect();
        formatter.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for ManifestError {}
