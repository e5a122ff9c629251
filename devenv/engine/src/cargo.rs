//! The programs of this workspace: whether they are newer than their sources, and how they are built.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::Error;

/// How much of the compiler's output an error keeps: enough for the first mistakes whole.
const OUTPUT_KEPT: usize = 200;

/// Services are built as `devenv` itself was, so that a release `devenv` measures and runs release services.
pub(crate) const PROFILE: &str = if cfg!(debug_assertions) { "dev" } else { "release" };

/// Tells one build of a file from another without reading it.
pub(crate) fn fingerprint(path: &Utf8Path) -> String {
    let Ok(metadata) = std::fs::metadata(path) else {
        return String::new();
    };
    let modified =
        metadata.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok()).unwrap_or_default();
    format!("{}-{}", metadata.len(), modified.as_nanos())
}

/// Where the binary of `package` is expected, unless Cargo has said otherwise before.
pub(crate) fn expected_binary(root: &Utf8Path, package: &str) -> Utf8PathBuf {
    let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| root.join("target"), |target| root.join(target));
    let folder = if PROFILE == "dev" { "debug" } else { PROFILE };
    target.join(folder).join(package)
}

/// Why the binary must be built, or `None` when it is newer than every source that Cargo recorded for it.
///
/// Asking Cargo takes longer than all the rest of an unchanged `up`; the dep-info file it leaves beside each binary
/// holds the answer.
///
/// `checked` is when Cargo last looked and found it fresh, for it leaves a binary untouched that a change did not reach.
pub(crate) fn stale(root: &Utf8Path, binary: &Utf8Path, checked: Option<SystemTime>) -> Option<String> {
    let Ok(built) = modified(binary) else {
        return Some("not built yet".to_owned());
    };
    let built = checked.map_or(built, |checked| checked.max(built));
    let Ok(text) = std::fs::read_to_string(binary.with_extension("d")) else {
        return Some("its dep-info file is absent".to_owned());
    };
    let mut sources: Vec<Utf8PathBuf> = dep_info(&text);
    let mut manifests: Vec<Utf8PathBuf> = sources
        .iter()
        .filter_map(|source| source.ancestors().map(|folder| folder.join("Cargo.toml")).find(|path| path.is_file()))
        .collect();
    manifests.sort();
    manifests.dedup();
    sources.extend(manifests);
    for shared in ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo/config.toml"] {
        if root.join(shared).exists() {
            sources.push(root.join(shared));
        }
    }
    for source in sources {
        match modified(&source) {
            Ok(changed) if changed <= built => {}
            Ok(_) => return Some(format!("{} changed", source.strip_prefix(root).unwrap_or(&source))),
            Err(_) => return Some(format!("{} is gone", source.strip_prefix(root).unwrap_or(&source))),
        }
    }
    None
}

fn modified(path: &Utf8Path) -> std::io::Result<SystemTime> {
    std::fs::metadata(path)?.modified()
}

/// The prerequisites of the one rule in a dep-info file; a space within a path is written `\ `.
fn dep_info(text: &str) -> Vec<Utf8PathBuf> {
    let Some((_, prerequisites)) = text.lines().next().and_then(|line| line.split_once(": ")) else {
        return Vec::new();
    };
    let mut paths = Vec::new();
    let mut current = String::new();
    let mut characters = prerequisites.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.peek() == Some(&' ') => {
                current.push(' ');
                characters.next();
            }
            ' ' => {
                if !current.is_empty() {
                    paths.push(Utf8PathBuf::from(std::mem::take(&mut current)));
                }
            }
            other => current.push(other),
        }
    }
    if !current.is_empty() {
        paths.push(current.into());
    }
    paths
}

/// One line of `cargo build --message-format=json`.
#[derive(Deserialize)]
struct Message {
    reason: String,
    target: Option<Target>,
    executable: Option<Utf8PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Builds the packages and returns their binaries. `progress` is given each line that Cargo writes for people.
pub(crate) async fn build(
    root: &Utf8Path,
    packages: &[String],
    progress: impl Fn(String),
) -> Result<BTreeMap<String, Utf8PathBuf>, Error> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command
        .args(["build", "--message-format=json-render-diagnostics", "--profile", PROFILE])
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    for package in packages {
        // By binary, so that the features are those of the whole workspace: two selections would compile much twice.
        command.args(["--bin", package]);
    }
    let mut child = command.spawn().map_err(|source| Error::CargoMissing { source })?;
    let lost = |source| Error::CargoMissing { source };
    let stdout = child.stdout.take().expect("stdout is piped");
    let stderr = child.stderr.take().expect("stderr is piped");
    let mut artifacts = BufReader::new(stdout).lines();
    let mut words = BufReader::new(stderr).lines();
    let mut binaries = BTreeMap::new();
    let mut output = Vec::new();
    let (mut more_artifacts, mut more_words) = (true, true);
    while more_artifacts || more_words {
        tokio::select! {
            line = artifacts.next_line(), if more_artifacts => match line.map_err(lost)? {
                Some(line) => binaries.extend(binary_of(&line)),
                None => more_artifacts = false,
            },
            line = words.next_line(), if more_words => match line.map_err(lost)? {
                Some(line) => {
                    progress(line.trim().to_owned());
                    output.push(line);
                }
                None => more_words = false,
            },
        }
    }
    if !child.wait().await.map_err(lost)?.success() {
        return Err(Error::Build { packages: packages.to_vec(), output: complaints(output) });
    }
    for package in packages {
        if !binaries.contains_key(package) {
            return Err(Error::NoBinary { package: package.clone() });
        }
    }
    Ok(binaries)
}

fn binary_of(line: &str) -> Option<(String, Utf8PathBuf)> {
    let message: Message = serde_json::from_str(line).ok()?;
    if message.reason != "compiler-artifact" {
        return None;
    }
    Some((message.target?.name, message.executable?))
}

/// The output without the lines that only tell of progress.
fn complaints(output: Vec<String>) -> Vec<String> {
    const PROGRESS: [&str; 8] =
        ["Compiling", "Fresh", "Downloading", "Downloaded", "Updating", "Locking", "Checking", "Blocking"];
    output
        .into_iter()
        .filter(|line| !PROGRESS.iter().any(|word| line.trim_start().starts_with(word)))
        .take(OUTPUT_KEPT)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dep_info_paths_may_hold_spaces() {
        let paths = dep_info("/t/debug/api: /p/a\\ b/main.rs /p/lib.rs\n");
        assert_eq!(paths, ["/p/a b/main.rs", "/p/lib.rs"]);
    }

    #[test]
    fn a_binary_is_stale_when_a_source_is_newer_or_gone() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
        let binary = root.join("api");
        let source = root.join("main.rs");
        assert_eq!(stale(root, &binary, None).as_deref(), Some("not built yet"));
        std::fs::write(&source, "").expect("writable");
        std::fs::write(&binary, "").expect("writable");
        std::fs::write(root.join("api.d"), format!("{binary}: {source}\n")).expect("writable");
        assert_eq!(stale(root, &binary, None), None);
        let later = SystemTime::now() + std::time::Duration::from_secs(5);
        std::fs::File::options()
            .write(true)
            .open(&source)
            .and_then(|file| file.set_modified(later))
            .expect("a time can be set");
        assert_eq!(stale(root, &binary, None).as_deref(), Some("main.rs changed"));
        assert_eq!(stale(root, &binary, Some(later)), None);
        std::fs::remove_file(&source).expect("it is there");
        assert_eq!(stale(root, &binary, None).as_deref(), Some("main.rs is gone"));
    }
}
