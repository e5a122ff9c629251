//! Where this program came from. Nothing is compiled in but what `devenv/dist/build` sets for a release: a commit that every build
//! knew would be a compilation for every commit.

use std::fmt;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_artifacts::freshness;
use devenv_document::input;

/// The commit of a release archive.
const RELEASE_COMMIT: Option<&str> = option_env!("DEVENV_RELEASE_COMMIT");
/// The targets of releases; another system is named by its architecture and kernel.
pub(crate) const TARGET: &str = match (
    cfg!(target_arch = "x86_64"),
    cfg!(target_arch = "aarch64"),
    cfg!(target_os = "linux"),
    cfg!(target_os = "macos"),
    cfg!(target_env = "musl"),
) {
    (true, _, true, _, false) => "x86_64-unknown-linux-gnu",
    (true, _, true, _, true) => "x86_64-unknown-linux-musl",
    (_, true, true, _, false) => "aarch64-unknown-linux-gnu",
    (_, true, true, _, true) => "aarch64-unknown-linux-musl",
    (true, _, _, true, _) => "x86_64-apple-darwin",
    (_, true, _, true, _) => "aarch64-apple-darwin",
    _ => std::env::consts::ARCH,
};
/// The list of installed programs that Cargo keeps, beside the folder of the programs.
const CARGO_LIST: &str = ".crates.toml";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Installation {
    /// A target directory of this checkout.
    Checkout {
        root: Utf8PathBuf,
    },
    /// `cargo install` from this source, such as `git+https://example.com/shop.git#0123abc`.
    Cargo {
        source: String,
    },
    Archive {
        commit: String,
    },
    Unknown,
}

impl Installation {
    pub(crate) fn of(program: &Utf8Path) -> Self {
        if let Some(commit) = RELEASE_COMMIT {
            return Self::Archive { commit: commit.to_owned() };
        }
        let sources = freshness::recorded(program).unwrap_or_default();
        let root = sources.iter().find_map(|source| source.as_str().strip_suffix("/devenv/cli/src/main.rs"));
        if let Some(root) = root {
            return Self::Checkout { root: root.into() };
        }
        let list = program.parent().and_then(Utf8Path::parent).map(|folder| folder.join(CARGO_LIST));
        let list = list.and_then(|path| input::read(&path, input::KEPT_LIMIT).ok());
        let source = list.and_then(|list| cargo_source(&String::from_utf8_lossy(&list)));
        source.map_or(Self::Unknown, |source| Self::Cargo { source })
    }

    /// The commit: of a checkout, the one that is checked out now, with `-dirty` if its files differ.
    pub(crate) fn commit(&self) -> Option<String> {
        match self {
            Self::Archive { commit } => Some(commit.clone()),
            Self::Cargo { source } => source.split_once('#').map(|(_, commit)| commit.to_owned()),
            Self::Checkout { root } => git(root, &["describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"])
                .filter(|commit| !commit.is_empty()),
            Self::Unknown => None,
        }
    }
}

impl fmt::Display for Installation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archive { .. } => formatter.write_str("a release archive"),
            Self::Cargo { source } => {
                write!(formatter, "cargo install, {}", source.split('#').next().unwrap_or(source))
            }
            Self::Checkout { root } => write!(formatter, "the checkout {root}"),
            Self::Unknown => formatter.write_str("unknown"),
        }
    }
}

/// The source in a line such as `"devenv 0.1.0 (git+https://example.com/shop.git#0123abc)" = ["devenv"]`.
fn cargo_source(list: &str) -> Option<String> {
    let line = list.lines().find(|line| line.starts_with("\"devenv "))?;
    let (_, rest) = line.split_once('(')?;
    Some(rest.split_once(')')?.0.to_owned())
}

fn git(root: &Utf8Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_remembers_the_source_of_what_it_installed() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let program = root.join("bin/devenv");
        assert_eq!(Installation::of(&program), Installation::Unknown);
        let list = "[v1]\n\"cargo-deny 0.20.2 (registry+https://example.com/index)\" = [\"cargo-deny\"]\n\
                    \"devenv 0.1.0 (git+https://example.com/shop.git?tag=v1#0123abc)\" = [\"devenv\"]\n";
        std::fs::write(root.join(CARGO_LIST), list).expect("writable");
        let installation = Installation::of(&program);
        assert_eq!(installation.commit().as_deref(), Some("0123abc"));
        assert_eq!(installation.to_string(), "cargo install, git+https://example.com/shop.git?tag=v1");
    }

    #[test]
    fn a_program_in_a_target_directory_comes_from_its_checkout() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let program = root.join("devenv");
        std::fs::write(root.join("devenv.d"), format!("{program}: /shop/devenv/cli/src/main.rs\n")).expect("writable");
        assert_eq!(Installation::of(&program), Installation::Checkout { root: "/shop".into() });
    }
}
