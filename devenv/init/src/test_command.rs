//! Finds the commands that test a project, by the files in its folder.

use std::collections::BTreeMap;

use crate::found::TestCommand;

/// The files that [`commands`] reads, by their paths from the root.
pub(crate) const READ: [&str; 16] = [
    "justfile",
    "Justfile",
    ".justfile",
    "Makefile",
    "makefile",
    "GNUmakefile",
    "test.sh",
    "tests.sh",
    "run-tests.sh",
    "scripts/test.sh",
    "tests/run.sh",
    "tests/test.sh",
    "smoke.sh",
    "scripts/smoke.sh",
    "package.json",
    "pyproject.toml",
];
/// The files whose presence suffices.
pub(crate) const PRESENT: [&str; 8] = [
    "Cargo.toml",
    "go.mod",
    "pytest.ini",
    "conftest.py",
    "tests/conftest.py",
    "pnpm-lock.yaml",
    "yarn.lock",
    "bun.lockb",
];
/// Written by `npm init`: it only fails.
const NO_TEST: &str = "no test specified";

/// Returns the commands, the most telling first: a recipe that somebody named `test`, a script, then the default of a language.
/// `texts` has the files of [`READ`], `present` names other files.
pub(crate) fn commands(texts: &BTreeMap<String, String>, present: &[String]) -> Vec<TestCommand> {
    let is_present = |name: &str| present.iter().any(|path| path == name) || texts.contains_key(name);
    let mut found = Vec::new();
    let mut add = |command: &[&str], because: &str| {
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        found.push(TestCommand { command, because: because.to_owned() });
    };
    let has_target = |names: &[&'static str]| {
        names.iter().copied().find(|name| texts.get(*name).is_some_and(|text| has_recipe(text, "test")))
    };
    if let Some(file) = has_target(&READ[0..3]) {
        add(&["just", "test"], &format!("the recipe test of {file}"));
    }
    if let Some(file) = has_target(&READ[3..6]) {
        add(&["make", "test"], &format!("the target test of {file}"));
    }
    for script in &READ[6..14] {
        if let Some(text) = texts.get(*script) {
            add(&[shell(text), script], script);
        }
    }
    if let Some(text) = texts.get("package.json")
        && has_npm_test(text)
    {
        let manager = [("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lockb", "bun")];
        let manager = manager.iter().find(|(lock, _)| is_present(lock)).map_or("npm", |(_, manager)| manager);
        add(&[manager, "run", "test"], "scripts.test of package.json");
    }
    let pyproject = texts.get("pyproject.toml").filter(|text| text.contains("pytest"));
    let python = if pyproject.is_some() { Some("pyproject.toml") } else { None };
    let python =
        python.or_else(|| ["pytest.ini", "conftest.py", "tests/conftest.py"].into_iter().find(|name| is_present(name)));
    let python = python.or_else(|| present.iter().map(String::as_str).find(|path| is_python_test(path)));
    if let Some(because) = python {
        add(&["pytest"], because);
    }
    if is_present("go.mod") {
        add(&["go", "test", "./..."], "go.mod");
    }
    if is_present("Cargo.toml") {
        add(&["cargo", "test"], "Cargo.toml");
    }
    found
}

/// Whether a line of a Makefile or justfile begins the recipe of this name.
fn has_recipe(text: &str, name: &str) -> bool {
    text.lines().any(|line| {
        let Some(rest) =
            line.strip_prefix(name).or_else(|| line.strip_prefix('@').and_then(|line| line.strip_prefix(name)))
        else {
            return false;
        };
        // `test := value` assigns a variable; a just recipe may have parameters before its colon.
        let begins = rest.starts_with([':', ' ', '\t']);
        begins && rest.split_once(':').is_some_and(|(before, after)| !after.starts_with('=') && !before.contains('='))
    })
}

fn shell(script: &str) -> &'static str {
    let first = script.lines().next().unwrap_or_default();
    if first.starts_with("#!") && first.contains("bash") { "bash" } else { "sh" }
}

fn has_npm_test(text: &str) -> bool {
    let package: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    package["scripts"]["test"].as_str().is_some_and(|script| !script.is_empty() && !script.contains(NO_TEST))
}

/// Whether pytest collects the file by its name: in the root or in `tests`.
pub(crate) fn is_python_test(path: &str) -> bool {
    let name = path.strip_prefix("tests/").unwrap_or(path);
    let stem = name.strip_suffix(".py").filter(|stem| !stem.contains('/'));
    stem.is_some_and(|stem| stem.starts_with("test_") || stem.ends_with("_test"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(texts: &[(&str, &str)], present: &[&str]) -> Vec<String> {
        let texts = texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let present: Vec<String> = present.iter().map(|name| (*name).to_owned()).collect();
        commands(&texts, &present).into_iter().map(|test| test.command.join(" ")).collect()
    }

    #[test]
    fn each_language_has_its_command() {
        assert_eq!(found(&[], &["Cargo.toml"]), ["cargo test"]);
        assert_eq!(found(&[], &["go.mod"]), ["go test ./..."]);
        assert_eq!(found(&[], &["tests/test_orders.py"]), ["pytest"]);
        assert_eq!(found(&[("pyproject.toml", "[tool.pytest.ini_options]\n")], &[]), ["pytest"]);
        assert_eq!(found(&[("pyproject.toml", "[project]\n")], &[]), [""; 0]);
        let package = ("package.json", r#"{ "scripts": { "test": "vitest run" } }"#);
        assert_eq!(found(&[package], &[]), ["npm run test"]);
        assert_eq!(found(&[package], &["pnpm-lock.yaml"]), ["pnpm run test"]);
        assert_eq!(found(&[package], &["yarn.lock"]), ["yarn run test"]);
        let none = r#"{ "scripts": { "test": "echo \"Error: no test specified\" && exit 1" } }"#;
        assert_eq!(found(&[("package.json", none)], &[]), [""; 0]);
        assert_eq!(found(&[("package.json", "{")], &[]), [""; 0]);
    }

    #[test]
    fn a_recipe_that_somebody_named_test_comes_first() {
        let makefile = ("Makefile", ".PHONY: test\ntest: build\n\tpytest\n");
        assert_eq!(found(&[makefile], &["Cargo.toml", "pytest.ini"]), ["make test", "pytest", "cargo test"]);
        assert_eq!(found(&[("justfile", "test *arguments:\n  cargo test\n")], &[]), ["just test"]);
        assert_eq!(found(&[("justfile", "@test:\n  cargo test\n")], &[]), ["just test"]);
        for other in ["test := 1\n", "testing: x\n", "tests:\n", "# test:\n", "  test: x\n", "all: test\n"] {
            assert_eq!(found(&[("Makefile", other)], &[]), [""; 0], "{other}");
        }
    }

    #[test]
    fn a_script_runs_in_the_shell_that_it_names() {
        assert_eq!(found(&[("test.sh", "#!/usr/bin/env bash\nset -e\n")], &[]), ["bash test.sh"]);
        assert_eq!(found(&[("scripts/test.sh", "#!/bin/sh\n")], &["go.mod"]), ["sh scripts/test.sh", "go test ./..."]);
    }
}
