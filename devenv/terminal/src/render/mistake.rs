//! Draws a mistake in a file: its line, marked, with the message and the help.

use std::fmt;
use std::ops::Range;

use devenv_document::problem::{Mistakes, Problem};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

/// Mistakes to draw: a person fixes the first ones before reading further.
const DRAWN_LIMIT: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drawing {
    /// Unicode with colours.
    Colour,
    /// ASCII only.
    Plain,
}

/// Draws the first mistakes, and counts the others.
pub(super) fn draw(mistakes: &Mistakes, drawing: Drawing) -> String {
    let first = mistakes.problems.iter().take(DRAWN_LIMIT);
    let mut drawn: Vec<String> = first.map(|problem| one(problem, drawing)).collect();
    if mistakes.problems.len() > DRAWN_LIMIT {
        drawn.push(format!("and {} more mistakes\n", mistakes.problems.len() - DRAWN_LIMIT));
    }
    drawn.join("\n")
}

fn one(problem: &Problem, drawing: Drawing) -> String {
    let theme = match drawing {
        Drawing::Colour => GraphicalTheme::unicode(),
        Drawing::Plain => GraphicalTheme::none(),
    };
    let mut text = String::new();
    let handler = GraphicalReportHandler::new_themed(theme).with_width(100).with_links(false);
    match handler.render_report(&mut text, &Drawn::new(problem)) {
        Ok(()) => text,
        Err(fmt::Error) => problem.to_string(),
    }
}

/// A problem as the drawing library reads it.
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

/// Replaces control characters, which would steer a terminal. The text keeps its length in bytes, so that every place stays.
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use devenv_document::source::SourceFile;

    use super::*;

    fn problem(text: &str, span: Range<usize>) -> Problem {
        let file = Arc::new(SourceFile { path: "compose.yaml".into(), text: text.to_owned() });
        let message = "container port 80 is published a second time".to_owned();
        Problem { code: "compose.port_twice", message, help: Some("keep one".to_owned()), file, span, other: None }
    }

    #[test]
    fn both_places_are_marked() {
        let text = "services:\n  web:\n    ports: [\"8080:80\", \"8081:80\"]\n";
        let problem = Problem { other: Some((29..38, "first here")), ..problem(text, 40..49) };
        insta::assert_snapshot!(draw(&Mistakes { problems: vec![problem] }, Drawing::Plain));
    }

    #[test]
    fn after_the_first_ones_their_number_is_shown() {
        let problems = vec![problem("services:\n", 0..8); 100];
        assert!(draw(&Mistakes { problems }, Drawing::Plain).ends_with("and 80 more mistakes\n"));
    }

    /// A file cannot steer the terminal it is shown on.
    #[test]
    fn a_terminal_is_not_steered() {
        let text = "a: \u{1b}[31mred \u{9b}31m\n";
        let shown = draw(&Mistakes { problems: vec![problem(text, 3..10)] }, Drawing::Plain);
        assert!(shown.contains("?[31mred ??31m") && !shown.contains(['\u{1b}', '\u{9b}']), "{shown}");
    }

    #[test]
    fn every_place_of_every_text_can_be_drawn() {
        for text in ["", "\n", "a", "a\r\nb", "\ta: é", "\u{feff}a: 😀\u{2028}b", "no end"] {
            for start in 0..=text.len() + 1 {
                for drawing in [Drawing::Colour, Drawing::Plain] {
                    let shown = one(&problem(text, start..text.len().max(start)), drawing);
                    assert!(shown.contains("published a second time"), "{text:?} from {start}: {shown}");
                }
            }
        }
    }
}
