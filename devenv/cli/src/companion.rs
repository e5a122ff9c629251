//! Programs beside this one, which only some projects need: found there, or built first if this program comes from a checkout.

use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use devenv_artifacts::error::BuildError;
use devenv_artifacts::freshness;
use devenv_runtime::{Error, FUNCTION_HOST_PROGRAM, own_program};
use devenv_terminal::exit::Exit;
use devenv_terminal::report::Failure;

/// A program of a package of its own, so that `up` compiles it for no project that does without it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Companion {
    /// The name of the program and its package.
    pub(crate) name: &'static str,
    /// The package's folder in a checkout.
    pub(crate) folder: &'static str,
    /// What needs it, as the beginning of a sentence.
    pub(crate) user: &'static str,
    /// The code of the error without it.
    pub(crate) missing: &'static str,
}

pub(crate) const PROMOTE: Companion =
    Companion { name: "devenv-promote", folder: "devenv/promote", user: "promotions need", missing: "promote_missing" };
pub(crate) const FUNCTIONS: Companion = Companion {
    name: FUNCTION_HOST_PROGRAM,
    folder: "devenv/functions",
    user: "functions need",
    missing: "functions_missing",
};

/// Whether the program can run, or must be built or installed first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    Ready,
    /// Where to build it, and why, as a part of a sentence.
    Stale(Checkout, String),
    Missing,
}

/// The sources of this program, and the settings it was built with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Checkout {
    root: Utf8PathBuf,
    /// Cargo's target directory.
    folder: Utf8PathBuf,
    /// Cargo's `--target`; `None` for this machine.
    target: Option<String>,
    profile: String,
}

impl Companion {
    /// The command that installs the program, in a checkout.
    pub(crate) fn install(&self) -> String {
        format!("cargo install --locked --path {}", self.folder)
    }

    /// Returns the program's path, and builds the program first if it is stale.
    pub(crate) fn ready(&self, is_quiet: bool, tell: impl FnOnce(String)) -> Result<Utf8PathBuf, Failure> {
        let own = own_program()?;
        let program = own.with_file_name(self.name);
        match self.readiness(&own, &program) {
            Readiness::Ready => Ok(program),
            Readiness::Stale(checkout, why) => {
                tell(format!("building {} ({why})", self.name));
                checkout.build(self.name, is_quiet)?;
                Ok(program)
            }
            Readiness::Missing => {
                let message = format!("{} {program}, which does not exist", self.user);
                let hint =
                    format!("copy {} of the same version there, or run in a checkout: {}", self.name, self.install());
                Err(Failure::new(message, &[], (self.missing, Exit::PrerequisiteMissing, Some(hint))))
            }
        }
    }

    pub(crate) fn readiness(&self, own: &Utf8Path, program: &Utf8Path) -> Readiness {
        match Checkout::of(own, self.folder) {
            Some(checkout) => match freshness::stale(&checkout.root, program, None) {
                Some(why) => Readiness::Stale(checkout, why),
                None => Readiness::Ready,
            },
            None if program.is_file() => Readiness::Ready,
            None => Readiness::Missing,
        }
    }
}

impl Checkout {
    /// Finds the checkout of a program in a target directory. Returns `None` for an installed program, or if the sources in
    /// `package` are gone.
    fn of(own: &Utf8Path, package: &str) -> Option<Self> {
        let sources = freshness::recorded(own)?;
        let root = sources.iter().find_map(|source| source.as_str().strip_suffix("/devenv/cli/src/main.rs"))?;
        let root = Utf8PathBuf::from(root);
        if !root.join(package).join("Cargo.toml").is_file() {
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
    fn arguments(&self, name: &str) -> Vec<String> {
        let mut arguments = vec!["build", "--package", name, "--profile", &self.profile];
        arguments.extend(["--target-dir", self.folder.as_str()]);
        arguments.extend(self.target.iter().flat_map(|target| ["--target", target]));
        arguments.into_iter().map(str::to_owned).collect()
    }

    /// Runs Cargo, which prints its progress on standard error.
    fn build(&self, name: &str, is_quiet: bool) -> Result<(), Error> {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(self.arguments(name)).args(is_quiet.then_some("--quiet")).current_dir(&self.root);
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
        if status.map_err(|source| BuildError::CargoMissing { source })?.success() {
            return Ok(());
        }
        Err(BuildError::Failed { packages: vec![name.to_owned()], output: Vec::new() }.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = PROMOTE.name;

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
        match PROMOTE.readiness(own, &own.with_file_name(NAME)) {
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
            assert_eq!((checkout.arguments(NAME).join(" "), why.as_str()), (expected, "not built yet"));
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
        assert_eq!(PROMOTE.readiness(&own, &program), Readiness::Ready);
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
        assert_eq!(PROMOTE.readiness(&own, &program), Readiness::Missing);
        std::fs::write(&program, "").expect("writable");
        assert_eq!(PROMOTE.readiness(&own, &program), Readiness::Ready);
    }
}
