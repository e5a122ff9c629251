//! The project's things in the container engine, read with the engine's own command line.

use std::process::Command;

use super::project::Project;
use crate::Failure;

pub(super) fn docker(arguments: &[&str]) -> Result<String, Failure> {
    let output = Command::new("docker").args(arguments).output()?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?.trim().to_owned());
    }
    Err(format!("docker {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)).into())
}

/// The names of the project's containers.
pub(super) fn containers(project: &Project) -> Vec<String> {
    let filter = format!("label=devenv.root={}", project.root);
    let listed = docker(&["ps", "--all", "--format", "{{.Names}}", "--filter", &filter]);
    listed.unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Everything that has the project's label, by kind and id.
pub(super) fn things(project: &Project) -> Result<Vec<String>, Failure> {
    let filter = format!("label=devenv.root={}", project.root);
    let mut found = Vec::new();
    for kind in [&["ps", "--all", "--quiet"][..], &["network", "ls", "--quiet"], &["volume", "ls", "--quiet"]] {
        let listed = docker(&[kind, &["--filter", &filter]].concat())?;
        found.extend(listed.lines().map(|id| format!("{} {id}", kind[0])));
    }
    Ok(found)
}
