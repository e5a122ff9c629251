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
    let mut command = Command::new(terraform());
    command.args(["version", "-json"]).env("CHECKPOINT_DISABLE", "1");
    let output = command.output().await.map_err(|error| TerraformError::Missing { cause: error.to_string() })?;
    version_in(&output.stdout)
}

/// The version in the output of `terraform version -json`, if it is new enough.
fn version_in(output: &[u8]) -> Result<String, TerraformError> {
    let unreadable = |_| TerraformError::Missing { cause: "it does not print its version".to_owned() };
    let answer: serde_json::Value = serde_json::from_slice(output).map_err(unreadable)?;
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
    fn only_a_printed_version_that_is_new_enough_serves() {
        let found = |output: &str| version_in(output.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(found(r#"{"terraform_version": "1.12.3"}"#), Ok("1.12.3".to_owned()));
        let too_old = "terraform 1.9.8 is too old: 1.11 or later is needed".to_owned();
        assert_eq!(found(r#"{"terraform_version": "1.9.8"}"#), Err(too_old));
        assert!(found("Terraform v1.12.3").is_err_and(|error| error.contains("does not print its version")));
    }

    #[test]
    fn versions() {
        for (version, enough) in
            [("1.11.0", true), ("1.11.0-rc1", true), ("1.12.3", true), ("2.0.0", true), ("1.10.5", false), ("", false)]
        {
            assert_eq!(is_enough(version), enough, "{version}");
        }
    }
}
