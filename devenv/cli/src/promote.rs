//! Runs `devenv-promote`, beside this program, in its place; builds it first if this program comes from a checkout.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use devenv_artifacts::error::BuildError;
use devenv_artifacts::freshness;
use devenv_doctor::{Finding, Fix, State};
use devenv_runtime::{Error, own_program};
use devenv_terminal::arguments::Global;
use devenv_terminal::exit::Exit;
use devenv_terminal::report::Failure;
use devenv_terminal::run::refuse;

const NAME: &str = "devenv-promote";
const INSTALL: &str = "cargo install --locked --path devenv/promote";

/// Whether `devenv-promote` can run, or must be built or installed first.
#[derive(Debug, PartialEq, Eq)]
enum Readiness {
    Ready,
    /// Where to build it, and why, as a part of a sentence.
    Stale(Checkout, String),
    Missing,
}

/// The sources of this program, and the settings it was built with.
#[derive(Debug, PartialEq, Eq)]
struct Checkout {
    root: Utf8PathBuf,
    /// Cargo's target directory.
    folder: Utf8PathBuf,
    /// Cargo's `--target`; `None` for this machine.
    target: Option<String>,
    profile: String,
}

/// Replaces this process by `devenv-promote` with the same arguments. Returns only an error.
pub(crate) fn run(global: &Global, name: &str) -> ExitCode {
    match ready(global.quiet) {
        Ok(program) => {
            let source = Command::new(&program).args(std::env::args_os().skip(1)).exec();
            let message = format!("cannot start {program}: {source}");
            refuse(global, name, Failure::new(message, &[], ("promote_start", Exit::Failed, Some(INSTALL.to_owned()))))
        }
        Err(failure) => refuse(global, name, failure),
    }
}

/// Returns the program's path, and builds the program first if it is stale.
fn ready(quiet: bool) -> Result<Utf8PathBuf, Failure> {
    let own = own_program()?;
    let program = own.with_file_name(NAME);
    match readiness(&own, &program) {
        Readiness::Ready => Ok(program),
        Readiness::Stale(checkout, why) => {
            checkout.build(&why, quiet)?;
            Ok(program)
        }
        Readiness::Missing => {
            let message = format!("promotions need {program}, which does not exist");
            let hint = format!("copy {NAME} of the same version there, or run in a checkout: {INSTALL}");
            Err(Failure::new(message, &[], ("promote_missing", Exit::PrerequisiteMissing, Some(hint))))
        }
    }
}

fn readiness(own: &Utf8Path, program: &Utf8Path) -> Readiness {
    match Checkout::of(own) {
        Some(checkout) => match freshness::stale(&checkout.root, program, None) {
            Some(why) => Readiness::Stale(checkout, why),
            None => Readiness::Ready,
        },
        None if program.is_file() => Readiness::Ready,
        None => Readiness::Missing,
    }
}

impl Checkout {
    /// Finds the checkout of a program in a target directory. Returns `None` for an installed program, or if the sources are gone.
    fn of(own: &Utf8Path) -> Option<Self> {
        let sources = freshness::recorded(own)?;
        let root = sources.iter().find_map(|source| source.as_str().strip_suffix("/devenv/cli/src/main.rs"))?;
        let root = Utf8PathBuf::from(root);
        if !root.join("devenv/promote/Cargo.toml").is_file() {
            return None;
        }
        let artifacts = own.parent()?;
        let above = artifacts.parent()?;
        let is_target_folder = |folder: &Utf8Path| folder.join(".rustc_info.json").is_file();
        let (folder, target) = match above.parent() {
            Some(folder) if !is_target_folder(above) && is_target_folder(folder) => {
                (folder, above.file_name().map(str::to_owned))
            }
            _ => (above, None),
        };
        let profile = match artifacts.file_name()? {
            "debug" => "dev",
            other => other,
        };
        Some(Self { root, folder: folder.to_owned(), target, profile: profile.to_owned() })
    }

    /// Names the package: it is no default member, so that its TLS is compiled into nothing else.
    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["build", "--package", NAME, "--profile", &self.profile];
        arguments.extend(["--target-dir", self.folder.as_str()]);
        arguments.extend(self.target.iter().flat_map(|target| ["--target", target]));
        arguments.into_iter().map(str::to_owned).collect()
    }

    /// Runs Cargo, which prints its progress on standard error.
    fn build(&self, why: &str, quiet: bool) -> Result<(), Error> {
        if !quiet {
            let _ = writeln!(io::stderr(), "building {NAME} ({why})");
        }
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(self.arguments()).args(quiet.then_some("--quiet")).current_dir(&self.root);
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
        if status.map_err(|source| BuildError::CargoMissing { source })?.success() {
            return Ok(());
        }
        Err(BuildError::Failed { packages: vec![NAME.to_owned()], output: Vec::new() }.into())
    }
}

/// The finding about `devenv-promote` for `devenv doctor`.
pub(crate) fn finding() -> Finding {
    let readiness = own_program().map(|own| readiness(&own, &own.with_file_name(NAME)));
    let (state, message, fix) = match readiness {
        Ok(Readiness::Ready) => (State::Ok, format!("{NAME} is here"), None),
        Ok(Readiness::Stale(_, why)) => (State::Ok, format!("the next promotion builds {NAME} ({why})"), None),
        Ok(Readiness::Missing) | Err(_) => {
            let message = format!("{NAME} is not beside devenv; only promote, rollback, history and evidence need it");
            (State::Warning, message, Some(Fix { command: INSTALL.to_owned(), safe: false }))
        }
    };
    Finding { check: "promotion", state, message, fix }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A `devenv` in a folder, with the dep-info file of a checkout beside it.
    fn built(root: &Utf8Path, artifacts: &str) -> Utf8PathBuf {
        for (path, text) in [
            ("devenv/cli/src/main.rs", ""),
            ("devenv/promote/Cargo.toml", ""),
            ("target/.rustc_info.json", "{}"),
            (&format!("{artifacts}/devenv"), ""),
            (&format!("{artifacts}/devenv.d"), &format!("devenv: {root}/devenv/cli/src/main.rs\n")),
        ] {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
            std::fs::write(path, text).expect("writable");
        }
        root.join(artifacts).join("devenv")
    }

    fn stale(own: &Utf8Path) -> (Checkout, String) {
        match readiness(own, &own.with_file_name(NAME)) {
            Readiness::Stale(checkout, why) => (checkout, why),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn in_a_checkout_it_is_built_as_this_program_was() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let target = root.join("target");
        for (artifacts, expected) in [
            ("target/debug", format!("build --package devenv-promote --profile dev --target-dir {target}")),
            ("target/release", format!("build --package devenv-promote --profile release --target-dir {target}")),
            (
                "target/x86_64-unknown-linux-gnu/release",
                format!(
                    "build --package devenv-promote --profile release --target-dir {target} --target x86_64-unknown-linux-gnu"
                ),
            ),
        ] {
            let (checkout, why) = stale(&built(root, artifacts));
            assert_eq!((checkout.arguments().join(" "), why.as_str()), (expected, "not built yet"));
        }
    }

    #[test]
    fn what_is_newer_than_its_sources_is_not_built_again() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let own = built(root, "target/debug");
        let program = own.with_file_name(NAME);
        let source = root.join("devenv/promote/main.rs");
        std::fs::write(&source, "").expect("writable");
        std::fs::write(program.with_extension("d"), format!("{program}: {source}\n")).expect("writable");
        std::fs::write(&program, "").expect("writable");
        assert_eq!(readiness(&own, &program), Readiness::Ready);
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
        let file = std::fs::File::options().write(true).open(&source).expect("it is there");
        file.set_modified(later).expect("a time can be set");
        assert_eq!(stale(&own).1, "devenv/promote/main.rs changed");
    }

    #[test]
    fn outside_a_checkout_it_is_there_or_missing() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let own = Utf8Path::from_path(folder.path()).expect("UTF-8").join("devenv");
        let program = own.with_file_name(NAME);
        assert_eq!(readiness(&own, &program), Readiness::Missing);
        std::fs::write(&program, "").expect("writable");
        assert_eq!(readiness(&own, &program), Readiness::Ready);
    }
}
