//! Runs Cargo and reads its messages.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::compilation::Compilation;
use crate::error::BuildError;

/// The lines of the compiler's output that an error keeps: enough for the first mistakes.
const OUTPUT_KEPT: usize = 200;

/// Four fields of a line of `cargo build --message-format=json`. The crate `cargo_metadata` has them all, but makes every
/// first build some two seconds longer.
#[derive(Deserialize)]
struct Message {
    reason: String,
    /// The package's id, such as `path+file:///orders/services/order-api#0.1.0`.
    #[serde(default)]
    package_id: String,
    target: Option<Target>,
    executable: Option<Utf8PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// A program that Cargo built.
#[derive(Debug)]
pub struct Built {
    pub path: Utf8PathBuf,
    /// The version of the package.
    pub version: String,
}

/// Builds the packages and returns their binaries. `progress` gets each line of Cargo's standard error.
pub async fn build(
    compilation: &Compilation,
    packages: &[String],
    progress: impl Fn(String),
) -> Result<BTreeMap<String, Built>, BuildError> {
    let mut child = compilation.command(packages).spawn().map_err(|source| BuildError::CargoMissing { source })?;
    let lost = |source| BuildError::CargoMissing { source };
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
        return Err(BuildError::Failed { packages: packages.to_vec(), output: complaints(output) });
    }
    for package in packages {
        if !binaries.contains_key(package) {
            return Err(BuildError::NoBinary { package: package.clone() });
        }
    }
    Ok(binaries)
}

pub fn binary_of(line: &str) -> Option<(String, Built)> {
    let message: Message = serde_json::from_str(line).ok()?;
    if message.reason != "compiler-artifact" {
        return None;
    }
    let version = message.package_id.rsplit(['#', '@']).next().unwrap_or_default().to_owned();
    Some((message.target?.name, Built { path: message.executable?, version }))
}

/// The first lines of the output, without progress lines.
pub fn complaints(output: Vec<String>) -> Vec<String> {
    const PROGRESS: [&str; 8] =
        ["Compiling", "Fresh", "Downloading", "Downloaded", "Updating", "Locking", "Checking", "Blocking"];
    output
        .into_iter()
        .filter(|line| !PROGRESS.iter().any(|word| line.trim_start().starts_with(word)))
        .take(OUTPUT_KEPT)
        .collect()
}
