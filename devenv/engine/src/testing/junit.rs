//! The report in the form that build servers read.

use std::fmt::Write;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::event::TestOutcome;

use super::{Error, TestCase, TestRun};

/// Makes the folder of the report and writes there, so that a path which cannot be written is known before the tests run.
pub fn check(path: &Utf8Path) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    // A device or a pipe would be replaced by the report.
    if path.file_name().is_none() || path.metadata().is_ok_and(|facts| !facts.is_file()) {
        return Err(failed(std::io::Error::other("it is not a regular file")));
    }
    make_folder(path).map_err(failed)?;
    let draft = draft(path);
    std::fs::write(&draft, b"").and_then(|()| std::fs::remove_file(&draft)).map_err(failed)
}

/// Writes `run` as one JUnit test suite, whole or not at all.
pub fn write(path: &Utf8Path, run: &TestRun, suite: &str) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    let draft = draft(path);
    make_folder(path)
        .and_then(|()| std::fs::write(&draft, text(run, suite)))
        .and_then(|()| std::fs::rename(&draft, path))
        .map_err(|source| {
            let _ = std::fs::remove_file(&draft);
            failed(source)
        })
}

fn make_folder(path: &Utf8Path) -> std::io::Result<()> {
    match path.parent().filter(|folder| !folder.as_str().is_empty()) {
        Some(folder) => std::fs::create_dir_all(folder),
        None => Ok(()),
    }
}

fn draft(path: &Utf8Path) -> Utf8PathBuf {
    path.with_extension(format!("draft-{}", std::process::id()))
}

fn text(run: &TestRun, suite: &str) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let failures = run.count(TestOutcome::Failed);
    let errors = usize::from(run.failure.is_some());
    let counts = format!(
        "tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{}\" time=\"{:.3}\"",
        run.tests.len() + errors,
        run.count(TestOutcome::Ignored),
        run.elapsed.as_secs_f64()
    );
    let suite = escaped(suite);
    let _ = writeln!(xml, "<testsuites name=\"{suite}\" {counts}>\n  <testsuite name=\"{suite}\" {counts}>");
    for test in &run.tests {
        case(&mut xml, test);
    }
    if let Some(failure) = &run.failure {
        // Build servers judge by test cases alone: a run without a red one would pass for green.
        let text = escaped(failure);
        let first = text.lines().next().unwrap_or_default();
        let _ = writeln!(
            xml,
            "    <testcase classname=\"\" name=\"test command\"><error message=\"{first}\">{text}</error></testcase>"
        );
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

fn case(xml: &mut String, test: &TestCase) {
    let (class, name) = test.name.rsplit_once("::").unwrap_or(("", &test.name));
    let time = test.seconds.map_or_else(String::new, |seconds| format!(" time=\"{seconds:.3}\""));
    let _ = write!(xml, "    <testcase classname=\"{}\" name=\"{}\"{time}", escaped(class), escaped(name));
    match test.outcome {
        TestOutcome::Passed => xml.push_str("/>\n"),
        TestOutcome::Ignored => xml.push_str("><skipped/></testcase>\n"),
        TestOutcome::Failed => {
            let text = escaped(test.failure.as_deref().unwrap_or("failed"));
            let first = text.lines().next().unwrap_or_default();
            let _ = writeln!(xml, "><failure message=\"{first}\">{text}</failure></testcase>");
        }
    }
}

/// XML 1.0 has no way to write most control characters; they are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            other if other.is_control() || matches!(other, '\u{fffe}' | '\u{ffff}') => {}
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_path_that_cannot_be_written_is_known_beforehand() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let folder = Utf8Path::from_path(folder.path()).expect("UTF-8");
        std::fs::write(folder.join("file"), "").expect("writable");
        for path in [folder.to_owned(), folder.join("file/junit.xml"), "/dev/null".into(), "/proc/junit.xml".into()] {
            assert!(matches!(check(&path), Err(Error::Write { .. })), "{path}");
        }
        check(&folder.join("new/junit.xml")).expect("writable");
        assert!(!folder.join("new/junit.xml").exists());
    }

    #[test]
    fn a_report_holds_every_test() {
        let case = |name: &str, outcome, failure: Option<&str>| TestCase {
            name: name.to_owned(),
            outcome,
            seconds: Some(0.25),
            failure: failure.map(str::to_owned),
        };
        let run = TestRun {
            tests: vec![
                case("orders::placed", TestOutcome::Passed, None),
                case("orders::refused", TestOutcome::Failed, Some("left: \"<a>\" & \u{1b}[31mred\nright")),
                case("slow", TestOutcome::Ignored, None),
            ],
            filtered: false,
            elapsed: Duration::from_millis(1500),
            failure: None,
            output: Vec::new(),
        };
        insta::assert_snapshot!(text(&run, "orders"));
    }

    #[test]
    fn a_run_that_is_red_as_a_whole_has_a_red_test_case() {
        let run = TestRun {
            tests: Vec::new(),
            filtered: true,
            elapsed: Duration::from_millis(20),
            failure: Some("no test ran: the filter matches none".to_owned()),
            output: Vec::new(),
        };
        let xml = text(&run, "orders");
        assert!(xml.contains("tests=\"1\" failures=\"0\" errors=\"1\""), "{xml}");
        assert!(xml.contains("<error message=\"no test ran"), "{xml}");
    }
}
