//! How `devenv promote` finds `devenv-promote`: beside it, built from its sources, or not at all.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::folder::{DEVENV, Ran};

/// A stand-in for Cargo: prints that it compiles, and makes a program that prints its arguments, with its dep-info file.
const CARGO: &str = r#"#!/bin/sh
echo "   Compiling devenv-promote" >&2
echo "$@" >>"ROOT/asked"
[ ! -f "ROOT/broken" ] || exit 101
program="ROOT/target/debug/devenv-promote"
printf '#!/bin/sh\necho "promotes: $@"\nexit 7\n' >"$program"
chmod +x "$program"
echo "$program: ROOT/devenv/promote/main.rs" >"$program.d"
"#;

/// A folder with `devenv` in it.
struct Place(TempDir);

impl Place {
    fn new(devenv: &str) -> Self {
        let place = Self(tempfile::tempdir().expect("a temporary directory"));
        let program = place.write(devenv, "");
        std::fs::remove_file(&program).expect("ours");
        std::fs::hard_link(DEVENV, &program)
            .or_else(|_| std::fs::copy(DEVENV, &program).map(drop))
            .expect("the program can be copied");
        place
    }

    /// A checkout: `devenv` with its sources, and with the stand-in for Cargo.
    fn checkout() -> Self {
        let place = Self::new("target/debug/devenv");
        let root = place.0.path().display().to_string();
        for (path, text) in [
            ("devenv/cli/src/main.rs", ""),
            ("devenv/promote/Cargo.toml", ""),
            ("devenv/promote/main.rs", ""),
            ("target/debug/devenv.d", &format!("devenv: {root}/devenv/cli/src/main.rs\n")),
        ] {
            place.write(path, text);
        }
        let cargo = place.write("cargo", &CARGO.replace("ROOT", &root));
        std::fs::set_permissions(cargo, std::fs::Permissions::from_mode(0o755)).expect("ours");
        place
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        std::fs::write(&path, text).expect("writable");
        path
    }

    fn run(&self, devenv: &str, arguments: &[&str]) -> Ran {
        let mut command = Command::new(self.0.path().join(devenv));
        command.args(arguments).current_dir(self.0.path()).env("CARGO", self.0.path().join("cargo"));
        Ran::from(command.env("NO_COLOR", "1").output().expect("it starts"))
    }

    fn asked(&self) -> usize {
        std::fs::read_to_string(self.0.path().join("asked")).unwrap_or_default().lines().count()
    }
}

#[test]
fn where_it_is_missing_the_error_names_its_place_and_the_remedy() {
    let place = Place::new("devenv");
    let ran = place.run("devenv", &["promote", "dev", "--output", "plain"]);
    assert_eq!((ran.code, ran.out.as_str()), (4, ""), "{}", ran.err);
    assert!(ran.err.contains("/devenv-promote") && ran.err.contains("cargo install"), "{}", ran.err);
    let ran = place.run("devenv", &["history", "dev", "--output", "json"]);
    let result: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!((&result["command"], &result["error"]["code"]), (&"history".into(), &"promote_missing".into()));
}

#[test]
fn in_a_checkout_the_first_use_builds_it_and_the_second_runs_it() {
    let place = Place::checkout();
    let devenv = "target/debug/devenv";
    let ran = place.run(devenv, &["-C", "shop", "rollback", "dev", "--to", "r 1", "--yes"]);
    assert_eq!((ran.code, ran.out.as_str()), (7, "promotes: -C shop rollback dev --to r 1 --yes\n"), "{}", ran.err);
    assert!(ran.err.contains("building devenv-promote") && ran.err.contains("Compiling devenv-promote"), "{}", ran.err);
    let ran = place.run(devenv, &["promote", "dev"]);
    assert_eq!((ran.code, ran.err.as_str(), place.asked()), (7, "", 1));

    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    let source = std::fs::File::options().write(true).open(place.0.path().join("devenv/promote/main.rs"));
    source.expect("it is there").set_modified(later).expect("a time can be set");
    let ran = place.run(devenv, &["promote", "dev"]);
    assert!(ran.err.contains("main.rs changed"), "{}", ran.err);
    assert_eq!((ran.code, place.asked()), (7, 2));
}

#[test]
fn one_that_cannot_be_built_is_not_run() {
    let place = Place::checkout();
    place.write("broken", "");
    let ran = place.run("target/debug/devenv", &["promote", "dev", "--output", "plain"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("cargo could not build devenv-promote"), "{}", ran.err);
}

#[test]
fn wrong_arguments_are_found_before_it_is_looked_for() {
    let place = Place::new("devenv");
    for arguments in
        [&["promote"][..], &["promote", "dev", "--soon"], &["evidence"], &["history", "dev", "--limit", "x"]]
    {
        let ran = place.run("devenv", arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.err);
    }
    assert_eq!(place.run("devenv", &["promote", "--help"]).code, 0);
}
