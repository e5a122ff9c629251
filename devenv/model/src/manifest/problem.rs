use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use serde::Serialize;

use super::SourceFile;

/// A file with more mistakes than this is not what it is taken for; the rest would only hide the first ones.
pub(super) const PROBLEM_LIMIT: usize = 100;
/// As many as a person reads before mending the first one.
const DRAWN_LIMIT: usize = 20;

/// One mistake in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Stable, such as `manifest.unknown_key`.
    pub code: &'static str,
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    pub(super) file: Arc<SourceFile>,
    /// Bytes of the file.
    pub(super) span: Range<usize>,
    /// A second place in the same file that has to do with it.
    pub(super) other: Option<(Range<usize>, &'static str)>,
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

/// How a problem is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawing {
    /// Unicode with colours.
    Colour,
    /// Unicode without colours.
    Unicode,
    /// ASCII only.
    Plain,
}

impl Problem {
    pub(super) fn new(
        code: &'static str,
        file: &Arc<SourceFile>,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> Self {
        let message = message.into().replace(char::is_control, "\u{fffd}");
        Self { code, message, help: None, file: Arc::clone(file), span, other: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// Marks a second place, with a few words on what it is.
    pub(super) fn other(mut self, span: Range<usize>, words: &'static str) -> Self {
        self.other = Some((span, words));
        self
    }

    pub fn file(&self) -> &Utf8Path {
        &self.file.path
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

    /// The place in its file, marked, with the message and the help.
    pub fn draw(&self, drawing: Drawing) -> String {
        let theme = match drawing {
            Drawing::Colour => GraphicalTheme::unicode(),
            Drawing::Unicode => GraphicalTheme::unicode_nocolor(),
            Drawing::Plain => GraphicalTheme::none(),
        };
        let mut text = String::new();
        let handler = GraphicalReportHandler::new_themed(theme).with_width(100).with_links(false);
        match handler.render_report(&mut text, &Drawn::new(self)) {
            Ok(()) => text,
            Err(fmt::Error) => self.to_string(),
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
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        let mut distinct: Vec<Problem> = Vec::new();
        for problem in problems {
            if distinct.len() < PROBLEM_LIMIT && !distinct.contains(&problem) {
                distinct.push(problem);
            }
        }
        Self { problems: distinct }
    }

    /// The first problems drawn, and how many more there are.
    pub fn draw(&self, drawing: Drawing) -> String {
        let mut drawn: Vec<String> =
            self.problems.iter().take(DRAWN_LIMIT).map(|problem| problem.draw(drawing)).collect();
        if self.problems.len() > DRAWN_LIMIT {
            drawn.push(format!("and {} more mistakes\n", self.problems.len() - DRAWN_LIMIT));
        }
        drawn.join("\n")
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

/// A problem in the form that draws it.
#[derive(Debug)]
struct Drawn<'a> {
    problem: &'a Problem,
    source: NamedSource<String>,
}

impl<'a> Drawn<'a> {
    fn new(problem: &'a Problem) -> Self {
        Self { problem, source: NamedSource::new(problem.file.path.as_str(), shown(&problem.file.text)) }
    }
}

/// The text without what would steer a terminal, byte for byte as long, so that every place stays.
fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && !matches!(character, '\n' | '\r' | '\t') {
            shown.extend(std::iter::repeat_n('?', character.len_utf8()));
        } else {
            shown.push(character);
        }
    }
    shown
}

impl fmt::Display for Drawn<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.problem.message)
    }
}

impl std::error::Error for Drawn<'_> {}

impl Diagnostic for Drawn<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        Some(Box::new(self.problem.code))
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.problem.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let marked = |span: &Range<usize>| (span.start, span.len().max(1));
        let here = LabeledSpan::new_primary_with_span(None, marked(&self.problem.span));
        let other = self.problem.other.as_ref();
        let other = other.map(|(span, words)| LabeledSpan::new_with_span(Some((*words).to_owned()), marked(span)));
        Some(Box::new(std::iter::once(here).chain(other)))
    }
}
