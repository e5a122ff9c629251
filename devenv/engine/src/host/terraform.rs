//! The Terraform of this machine: its program and its version.

use std::ffi::OsString;

use tokio::process::Command;

/// The variable that names a program to run instead of the `terraform` on the path.
const VARIABLE: &str = "DEVENV_TERRAFORM";
/// Since this version, the S3 backend locks without a table.
const NEEDED: (u64, u64) = (1, 11);

/// Why no promotion can use this Terraform.
#[derive(Debug, thiserror::Error)]
pub enum TerraformError {
    #[error("cannot run terraform: {cause}")]
    Missing { cause: String },
    #[error("terraform {found} is too old: {needed} or later is needed")]
    Version { found: String, needed: String },
}

/// The `terraform` on the path, or the program that `DEVENV_TERRAFORM` names.
pub fn terraform() -> OsString {
    std::env::var_os(VARIABLE).filter(|named| !named.is_empty()).unwrap_or("terraform".into())
}

/// The version of [`terraform`], if it is new enough.
pub async fn terraform_version() -> Result<String, TerraformError> {
    let missing = |cause: String| TerraformError::Missing { cause };
    let mut command = Command::new(terraform());
    command.args(["version", "-json"]).env("CHECKPOINT_DISABLE", "1");
    let output = command.output().await.map_err(|error| missing(error.to_string()))?;
    let answer: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|_| missing("it does not print its version".to_owned()))?;
    let found = answer["terraform_version"].as_str().unwrap_or_default().to_owned();
    if is_enough(&found) {
        return Ok(found);
    }
    Err(TerraformError::Version { found, needed: format!("{}.{}", NEEDED.0, NEEDED.1) })
}

fn is_enough(version: &str) -> bool {
    let mut numbers = version.split(['.', '-']).map(|part| part.parse::<u64>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= NEEDED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for (version, enough) in
            [("1.11.0", true), ("1.11.0-rc1", true), ("1.12.3", true), ("2.0.0", true), ("1.10.5", false), ("", false)]
        {
            assert_eq!(is_enough(version), enough, "{version}");
        }
    }
}
