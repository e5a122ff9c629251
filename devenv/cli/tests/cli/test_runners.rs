//! `devenv test` with the test commands of other languages.

use crate::project::Project;

/// A project whose test command is a shell script.
fn project(script: &str, settings: &str) -> Project {
    let project = Project::new();
    project.write("test.sh", script);
    let old = "command = [\"sh\", \"-c\", \"test -n \\\"$WEB_URL\\\" && test -z \\\"$AWS_PROFILE\\\"\"]";
    project.change("devenv.toml", old, &format!("command = [\"sh\", \"test.sh\"]\n{settings}"));
    project
}

#[test]
fn the_output_is_passed_on_and_its_tests_are_counted() {
    let project = project(
        "printf '\\033[31mtests/a.py::one PASSED\\033[0m\\n'\necho '== short test summary info =='\n\
         echo 'FAILED tests/a.py::two - AssertionError'\necho '== 1 failed, 2 passed in 0.10s =='\nexit 1\n",
        "",
    );
    let ran = project.run(&["test"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("\u{1b}[31mtests/a.py::one PASSED\u{1b}[0m\n"), "{}", ran.err);
    assert!(ran.out.contains("red: 2 passed, 1 failed"), "{}", ran.out);
    assert!(ran.out.contains("as reported by pytest"), "{}", ran.out);
    assert!(ran.out.contains("run again: devenv test -- tests/a.py::two"), "{}", ran.out);
    let report = std::fs::read_to_string(project.path().join(".devenv/junit.xml")).expect("a report");
    assert!(report.contains("tests=\"3\" failures=\"1\""), "{report}");
    let quiet = project.run(&["-q", "test"]);
    assert!(!quiet.err.contains("PASSED") && quiet.out.contains("AssertionError"), "{} {}", quiet.err, quiet.out);
}

#[test]
fn a_command_of_which_nothing_is_known_counts_by_its_exit_code_and_says_so() {
    let ran = project("echo all fine", "").done(&["test"]);
    assert!(ran.out.contains("green: 1 passed") && ran.out.contains("exit code alone"), "{}", ran.out);
    assert!(ran.err.contains("all fine"), "{}", ran.err);
}

#[test]
fn reports_that_the_command_writes_are_read() {
    let write = "mkdir -p out && echo '<testsuite><testcase classname=\"a\" name=\"b\" time=\"0.5\"/></testsuite>' > out/a.xml\n";
    let project = project(write, "junit = \"out/*.xml\"");
    let result = project.json(&["test"]);
    assert_eq!(result["results_from"], serde_json::json!(["junit"]), "{result}");
    assert_eq!((&result["passed"], &result["tests"][0]["name"]), (&1.into(), &"a::b".into()), "{result}");
    project.write("test.sh", "true");
    let ran = project.run(&["test"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("of an earlier run do not count"), "{}", ran.out);
}
