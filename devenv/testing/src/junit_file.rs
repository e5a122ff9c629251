//! Reads a JUnit file. Everything in it is foreign: the number of tests, the depth and the texts have limits, and an entity that
//! a file declares itself is refused.

use std::borrow::Cow;

use devenv_model::event::TestOutcome;
use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::runners::runner::{MOST_TESTS, TestCase};

/// Elements within elements.
const DEEPEST: usize = 100;
/// Bytes of a test's failure to keep.
const FAILURE_KEPT: usize = 64 * 1024;

/// The tests of a report, or why it is none.
pub(crate) fn tests(content: &[u8]) -> Result<Vec<TestCase>, String> {
    // A lossy text: a test's output may hold any bytes, and a file without a test is no use to anybody.
    let text = String::from_utf8_lossy(content);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut reader = Reader::from_str(text);
    let mut file = File::default();
    loop {
        let event = reader.read_event();
        let place = || format!("line {}", 1 + text[..before(&reader, text)].matches('\n').count());
        let read = match event {
            Err(error) => Err(error.to_string()),
            Ok(Event::Eof) => break,
            Ok(event) => file.event(event),
        };
        read.map_err(|why| format!("{}: {why}", place()))?;
    }
    if !file.elements.is_empty() {
        return Err("it ends within an element: the file is cut off".to_owned());
    }
    if !file.is_report {
        return Err("it has neither <testsuites> nor <testsuite>".to_owned());
    }
    Ok(file.tests)
}

fn before(reader: &Reader<&[u8]>, text: &str) -> usize {
    let mut place = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX).min(text.len());
    while !text.is_char_boundary(place) {
        place -= 1;
    }
    place
}

/// An element that is open.
enum Element {
    Suite {
        name: String,
        /// The number of failures that the suite itself reports.
        bad: usize,
        /// The tests before it.
        began: usize,
    },
    Case,
    /// The failure or error of a test; its text is part of the test's.
    Failure,
    Other,
}

#[derive(Default)]
struct File {
    tests: Vec<TestCase>,
    elements: Vec<Element>,
    case: Option<TestCase>,
    is_report: bool,
}

impl File {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Start(start) => {
                if self.elements.len() == DEEPEST {
                    return Err(format!("more than {DEEPEST} elements are within each other"));
                }
                let element = self.open(&start)?;
                self.elements.push(element);
            }
            Event::Empty(start) => {
                let element = self.open(&start)?;
                self.close(element)?;
            }
            Event::End(_) => {
                if let Some(element) = self.elements.pop() {
                    self.close(element)?;
                }
            }
            Event::Text(text) => self.text(&text.decode().map_err(|error| error.to_string())?),
            Event::CData(text) => self.text(&text.decode().map_err(|error| error.to_string())?),
            Event::GeneralRef(reference) => self.text(&resolved(&reference)?),
            Event::DocType(_) => return Err("it declares a document type, which devenv does not read".to_owned()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => {}
        }
        Ok(())
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<Element, String> {
        match start.local_name().as_ref() {
            b"testsuites" => {
                self.is_report = true;
                Ok(Element::Other)
            }
            b"testsuite" => {
                self.is_report = true;
                let number = |name: &str| -> Result<usize, String> {
                    Ok(attribute(start, name)?.and_then(|text| text.trim().parse().ok()).unwrap_or(0))
                };
                let bad = number("failures")?.saturating_add(number("errors")?);
                let name = attribute(start, "name")?.unwrap_or_default();
                Ok(Element::Suite { name, bad, began: self.tests.len() })
            }
            b"testcase" => {
                let name = attribute(start, "name")?.unwrap_or_default();
                let class = attribute(start, "classname")?.unwrap_or_default();
                let name = if class.is_empty() { name } else { format!("{class}::{name}") };
                // Of GoogleTest: a disabled test has no element `skipped`.
                let is_disabled =
                    attribute(start, "status")?.is_some_and(|status| status == "notrun" || status == "disabled");
                let outcome = if is_disabled { TestOutcome::Ignored } else { TestOutcome::Passed };
                let time = attribute(start, "time")?.and_then(|time| time.replace(',', "").trim().parse::<f64>().ok());
                let seconds = time.filter(|time| time.is_finite() && *time >= 0.0);
                self.case = Some(
                    TestCase { name: name.chars().take(1000).collect(), ..TestCase::new("", outcome) }.lasting(seconds),
                );
                Ok(Element::Case)
            }
            b"failure" | b"error" => {
                let message = attribute(start, "message")?.unwrap_or_default();
                let Some(case) = &mut self.case else { return Ok(Element::Other) };
                case.outcome = TestOutcome::Failed;
                add(case.failure.get_or_insert_default(), &message);
                add(case.failure.get_or_insert_default(), "\n");
                Ok(Element::Failure)
            }
            b"skipped" => {
                // The test expects this failure, so it has passed.
                let is_expected = attribute(start, "type")?.is_some_and(|kind| kind == "pytest.xfail");
                if let Some(case) =
                    self.case.as_mut().filter(|case| case.outcome == TestOutcome::Passed && !is_expected)
                {
                    case.outcome = TestOutcome::Ignored;
                }
                Ok(Element::Other)
            }
            _ => Ok(Element::Other),
        }
    }

    fn close(&mut self, element: Element) -> Result<(), String> {
        match element {
            Element::Case => {
                if let Some(case) = self.case.take() {
                    let failure = case.failure.map(|text| without_repetition(text.trim()).to_owned());
                    self.push(TestCase { failure: failure.filter(|text| !text.is_empty()), ..case })?;
                }
            }
            Element::Suite { name, bad, began } => {
                // A suite that failed before its first test has a number, but no test.
                let failed = self.tests[began..].iter().filter(|test| test.outcome == TestOutcome::Failed).count();
                let unnamed = bad.saturating_sub(failed);
                for number in 1..=unnamed {
                    let name = format!("{name}: failed, not named ({number} of {unnamed})");
                    self.push(TestCase::new(name, TestOutcome::Failed))?;
                }
            }
            Element::Failure | Element::Other => {}
        }
        Ok(())
    }

    fn push(&mut self, case: TestCase) -> Result<(), String> {
        if self.tests.len() == MOST_TESTS {
            return Err(format!("there are more than {MOST_TESTS} tests"));
        }
        self.tests.push(case);
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let (Some(Element::Failure), Some(case)) = (self.elements.last(), &mut self.case) {
            add(case.failure.get_or_insert_default(), text);
        }
    }
}

fn add(text: &mut String, more: &str) {
    if text.len() + more.len() < FAILURE_KEPT {
        text.push_str(more);
    }
}

/// Many runners repeat the message as the first line of the text.
fn without_repetition(failure: &str) -> &str {
    match failure.split_once('\n') {
        Some((message, text)) if text.trim_start().starts_with(message.trim()) => text.trim_start(),
        _ => failure,
    }
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, String> {
    let found = start.try_get_attribute(name).map_err(|error| error.to_string())?;
    found
        .map(|attribute| attribute.unescape_value().map(Cow::into_owned))
        .transpose()
        .map_err(|error| error.to_string())
}

/// A character that XML itself names. Only a document type could declare others.
fn resolved(reference: &BytesRef<'_>) -> Result<String, String> {
    if let Some(character) = reference.resolve_char_ref().map_err(|error| error.to_string())? {
        return Ok(character.to_string());
    }
    let name = reference.decode().map_err(|error| error.to_string())?;
    resolve_xml_entity(&name).map(str::to_owned).ok_or_else(|| format!("the entity &{name}; is not one of XML's own"))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    fn read(content: &str) -> Vec<(String, TestOutcome, Option<f64>)> {
        let tests = tests(content.as_bytes()).expect("a report");
        tests.into_iter().map(|test| (test.name, test.outcome, test.seconds)).collect()
    }

    #[test]
    fn recorded_reports_are_read() {
        let mut all = String::new();
        for (name, content) in [
            ("pytest", include_str!("../tests/outputs/pytest-9.2.0.junit.xml")),
            ("vitest", include_str!("../tests/outputs/vitest-4.1.12.junit.xml")),
        ] {
            let _ = writeln!(all, "{name}");
            for test in super::tests(content.as_bytes()).expect("a report") {
                let TestCase { name, outcome, seconds, failure, .. } = test;
                let _ = writeln!(all, "  {outcome:?} {name} {seconds:?} {failure:?}");
            }
        }
        insta::assert_snapshot!(all);
    }

    #[test]
    fn odd_reports_are_read_as_they_are_meant() {
        let one = "<testsuite name=\"s\" failures=\"2\" errors=\"x\"><testcase name=\"a &lt;b&gt; &#10003;\" time=\"1,234.5\"/>\
                   <testcase name=\"c\" time=\"NaN\" status=\"notrun\"></testcase></testsuite>";
        assert_eq!(
            read(one),
            [
                ("a <b> \u{2713}".to_owned(), TestOutcome::Passed, Some(1234.5)),
                ("c".to_owned(), TestOutcome::Ignored, None),
                ("s: failed, not named (1 of 2)".to_owned(), TestOutcome::Failed, None),
                ("s: failed, not named (2 of 2)".to_owned(), TestOutcome::Failed, None),
            ]
        );
        assert_eq!(read("<testsuites></testsuites>"), []);
    }

    #[test]
    fn what_is_no_report_or_wants_too_much_is_refused_with_its_place() {
        let deep = "<a>".repeat(101);
        let bomb =
            "<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]>\n<testsuite><testcase name=\"&c;\"/></testsuite>";
        let many = format!("<testsuite>{}</testsuite>", "<testcase/>".repeat(MOST_TESTS + 1));
        for (content, part) in [
            ("", "neither"),
            ("<html/>", "neither"),
            ("<testsuite>\n<testcase name='a'>", "cut off"),
            ("<testsuite>\n</testcase>", "line 2"),
            ("<testsuite>\n<testcase name='a/></testsuite>", "line"),
            ("<testsuite><testcase><failure>&own;</failure></testcase></testsuite>", "&own;"),
            ("<testsuite><testcase name=\"&own;\"/></testsuite>", "own"),
            (&deep, "100 elements"),
            (bomb, "document type"),
            (&many, "more than 100000 tests"),
            ("<testsuite failures=\"99999999999\"/>", "more than 100000 tests"),
        ] {
            let why = super::tests(content.as_bytes()).expect_err("refused");
            assert!(why.contains(part), "{why}");
        }
    }
}
