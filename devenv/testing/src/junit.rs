//! The JUnit report, which build servers read.

use std::time::Duration;

use camino::Utf8Path;
use devenv_model::event::TestOutcome;
use devenv_supervisor::files;
use quick_junit::{self as junit, NonSuccessKind, Report, TestCaseStatus, TestSuite};

use crate::error::Error;
use crate::run::TestRun;
use crate::runners::runner::TestCase;

/// Creates the report's folder and writes there, so that an unwritable path is an error before the tests run.
pub(crate) fn check(path: &Utf8Path) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    // A device or a pipe would be replaced by the report.
    if path.file_name().is_none() || path.metadata().is_ok_and(|facts| !facts.is_file()) {
        return Err(failed(std::io::Error::other("not a regular file")));
    }
    make_folder(path).map_err(failed)?;
    files::can_replace(path).map_err(failed)
}

/// Writes `run` as one JUnit test suite, atomically.
pub(crate) fn write(path: &Utf8Path, run: &TestRun, suite: &str) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    make_folder(path).and_then(|()| files::replace(path, text(run, suite).as_bytes())).map_err(failed)
}

fn make_folder(path: &Utf8Path) -> std::io::Result<()> {
    match path.parent().filter(|folder| !folder.as_str().is_empty()) {
        Some(folder) => std::fs::create_dir_all(folder),
        None => Ok(()),
    }
}

fn text(run: &TestRun, name: &str) -> String {
    let mut suite = TestSuite::new(name);
    suite.set_time(run.elapsed).add_test_cases(run.tests.iter().map(case));
    // Build servers read test cases only: a run without a red one would count as green.
    suite.add_test_cases(
        run.failure
            .as_deref()
            .map(|failure| junit::TestCase::new("test command", non_success(NonSuccessKind::Error, failure))),
    );
    // Most readers know `skipped`, and not the suite's `disabled`.
    suite.extra.insert("skipped".into(), run.count(TestOutcome::Ignored).to_string().into());
    let mut report = Report::new(name);
    report.set_time(run.elapsed).add_test_suite(suite);
    report.to_string().expect("a report is text")
}

fn case(test: &TestCase) -> junit::TestCase {
    let (class, name) = test.name.rsplit_once("::").unwrap_or(("", &test.name));
    let status = match test.outcome {
        TestOutcome::Passed => TestCaseStatus::success(),
        TestOutcome::Ignored => TestCaseStatus::skipped(),
        TestOutcome::Failed => non_success(NonSuccessKind::Failure, test.failure.as_deref().unwrap_or("failed")),
    };
    let mut case = junit::TestCase::new(name, status);
    case.set_classname(class);
    if let Some(time) = test.seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
        case.set_time(time);
    }
    case
}

/// Lists show the message: the first line of the text.
fn non_success(kind: NonSuccessKind, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(text.lines().next().unwrap_or_default()).set_description(text);
    status
}

#[cfg(test)]
mod tests {
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
            again: None,
        };
        let run = TestRun {
            tests: vec![
                case("orders::placed", TestOutcome::Passed, None),
                case("orders::refused", TestOutcome::Failed, Some("left: \"<a>\" & \u{1b}[31mred\nright")),
                case("slow", TestOutcome::Ignored, None),
            ],
            filtered: false,
            preparation: Duration::from_secs(9),
            elapsed: Duration::from_millis(1500),
            failure: None,
            output: Vec::new(),
            results_from: vec!["libtest".to_owned()],
            passed_on: false,
        };
        insta::assert_snapshot!(text(&run, "orders"));
    }

    #[test]
    fn a_run_that_is_red_as_a_whole_has_a_red_test_case() {
        let run = TestRun {
            tests: Vec::new(),
            filtered: true,
            preparation: Duration::ZERO,
            elapsed: Duration::from_millis(20),
            failure: Some("no test ran: the filter matches none".to_owned()),
            output: Vec::new(),
            results_from: vec!["libtest".to_owned()],
            passed_on: false,
        };
        let xml = text(&run, "orders");
        assert!(xml.contains("tests=\"1\" failures=\"0\" errors=\"1\""), "{xml}");
        assert!(xml.contains("<error message=\"no test ran"), "{xml}");
    }
}
