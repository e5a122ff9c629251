//! The output of real runners, recorded once: `tests/outputs/RUNNER-VERSION-CASE.txt`.

use std::fmt::Write;

use super::every::EveryRunner;
use super::text::plain;

/// What devenv reads of a recorded output, one line per test.
fn read(name: &str) -> String {
    let path = format!("{}/tests/outputs/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let content = std::fs::read(path).expect("a recorded output");
    let mut runners = EveryRunner::default();
    for line in content.split(|byte| *byte == b'\n') {
        runners.line(&plain(line));
    }
    let (names, results) = runners.results();
    let filtered = if results.filtered { ", some left out" } else { "" };
    let mut text =
        format!("{name}: {}{filtered}\n", if names.is_empty() { "exit code".to_owned() } else { names.join(" and ") });
    for test in results.tests {
        let seconds = test.seconds.map_or_else(String::new, |seconds| format!(" {seconds:.3} s"));
        let _ = writeln!(text, "  {:?}{seconds} {}", test.outcome, test.name);
        let again = test.again.filter(|_| test.failure.is_some());
        let _ = again.map(|again| writeln!(text, "      again: {again}"));
        for line in test.failure.iter().flat_map(|text| text.lines().take(3)) {
            let _ = writeln!(text, "      | {line}");
        }
    }
    text
}

fn all(names: &[&str]) -> String {
    names.iter().map(|name| read(name)).collect()
}

#[test]
fn cargo() {
    insta::assert_snapshot!(all(&[
        "libtest-1.95.0",
        "nextest-0.9.143-default",
        "nextest-0.9.143-retried",
        "nextest-0.9.143-none"
    ]));
}

#[test]
fn pytest() {
    insta::assert_snapshot!(all(&[
        "pytest-9.2.0-default",
        "pytest-9.2.0-verbose",
        "pytest-9.2.0-quiet",
        "pytest-9.2.0-filtered-colour",
        "pytest-9.2.0-none",
        "pytest-9.2.0-collection",
    ]));
}

#[test]
fn jest() {
    insta::assert_snapshot!(all(&[
        "jest-30.5.2-default",
        "jest-30.5.2-verbose",
        "jest-30.5.2-one-file",
        "jest-30.5.2-filtered",
        "jest-30.5.2-none",
        "jest-30.5.2-broken",
    ]));
}

#[test]
fn vitest() {
    insta::assert_snapshot!(all(&[
        "vitest-4.1.12-default",
        "vitest-4.1.12-verbose",
        "vitest-4.1.12-one-file",
        "vitest-4.1.12-colour",
        "vitest-4.1.12-none",
        "vitest-4.1.12-broken",
    ]));
}

#[test]
fn go() {
    insta::assert_snapshot!(all(&[
        "go-1.19.8-default",
        "go-1.19.8-verbose",
        "go-1.19.8-none",
        "go-1.19.8-broken",
        "go-1.19.8-json",
        "go-1.19.8-json-broken",
    ]));
}

#[test]
fn no_line_of_one_runner_is_taken_for_a_result_of_another() {
    for (prefix, allowed) in [("pytest", "pytest"), ("jest", "jest"), ("vitest", "vitest")] {
        let folder = format!("{}/tests/outputs", env!("CARGO_MANIFEST_DIR"));
        for entry in std::fs::read_dir(folder).expect("recorded outputs").flatten() {
            let name = entry.file_name().into_string().expect("UTF-8");
            if let Some(stem) = name.strip_suffix(".txt").filter(|stem| stem.starts_with(prefix)) {
                let heading = read(stem);
                let heading = heading.lines().next().expect("a heading");
                assert!(heading.contains(&format!(": {allowed}")) || heading.ends_with(": exit code"), "{heading}");
            }
        }
    }
}
