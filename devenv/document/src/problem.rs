//! A mistake and its place.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::source::SourceFile;
use crate::tree::Node;

/// Reports stop after this many problems: more would only hide the first ones.
pub const PROBLEM_LIMIT: usize = 100;

/// One mistake in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A stable identifier, such as `manifest.unknown_key`.
    pub code: &'static str,
    pub message: String,
    /// The fix to suggest.
    pub help: Option<String>,
    pub file: Arc<SourceFile>,
    /// The problem's byte range in the file.
    pub span: Range<usize>,
    /// A second, related place in the same file, with its label.
    pub other: Option<(Range<usize>, &'static str)>,
}

/// A problem for other programs. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProblemReport {
    pub code: &'static str,
    pub message: String,
    pub help: Option<String>,
    pub file: Utf8PathBuf,
    pub line: usize,
    pub column: usize,
}

/// All problems of one pass; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes {
    pub problems: Vec<Problem>,
}

impl Problem {
    pub fn new(code: &'static str, file: &Arc<SourceFile>, span: Range<usize>, message: impl Into<String>) -> Self {
        let message = message.into().replace(char::is_control, "\u{fffd}");
        Self { code, message, help: None, file: Arc::clone(file), span, other: None }
    }

    /// Makes a problem with the place of a value.
    pub fn at(code: &'static str, node: &Node, message: impl Into<String>) -> Self {
        Self::new(code, &node.file, node.span.clone(), message)
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// Marks a second place and labels it.
    #[must_use]
    pub fn other(mut self, span: Range<usize>, words: &'static str) -> Self {
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

impl Mistakes {
    /// Drops duplicates (an anchor's mistake appears again at each alias) and stops at the limit.
    pub fn new(problems: Vec<Problem>) -> Self {
        let mut distinct: Vec<Problem> = Vec::new();
        for problem in problems {
            if distinct.len() < PROBLEM_LIMIT && !distinct.contains(&problem) {
                distinct.push(problem);
            }
        }
        Self { problems: distinct }
    }
}

impl From<Problem> for Mistakes {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.problems.iter().map(ToString::to_string).collect();
        formatter.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Mistakes {}
