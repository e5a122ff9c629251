//! The targets of a project, the account of each, and the owner of a run.

use camino::Utf8Path;
use devenv_document::input;
use devenv_model::manifest::PromoteTarget;
use devenv_runtime::Project;
use serde::Deserialize;

use crate::carried;
use crate::error::Error;

/// Far more than any account needs. Bytes.
const SIZE_LIMIT: u64 = 1024 * 1024;

/// The file beside the Terraform roots that names the account and the state's bucket.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct AccountFile {
    pub(crate) bucket: String,
    pub(crate) region: String,
    pub(crate) allowed_account_ids: Vec<String>,
}

impl AccountFile {
    pub(crate) fn new(bucket: String, region: &str, account: &str) -> Self {
        Self { bucket, region: region.to_owned(), allowed_account_ids: vec![account.to_owned()] }
    }
}

pub(crate) fn target<'a>(project: &'a Project, name: &str) -> Result<&'a PromoteTarget, Error> {
    let targets = &project.manifest.promote;
    let unknown = || Error::UnknownEnvironment { name: name.to_owned(), known: targets.keys().cloned().collect() };
    targets.get(name).ok_or_else(unknown)
}

pub(crate) fn account_file(project: &Project, target: &PromoteTarget) -> Result<AccountFile, Error> {
    if carried::is_carried(project, target) {
        return Ok(carried::account(project, target));
    }
    let path = target.terraform.join("account.tfvars.json");
    let wrong = |cause: String| Error::AccountFile { path: path.clone(), cause };
    let text = input::read(&project.instance.root.join(&path), SIZE_LIMIT).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))
}

/// An error unless the account file names the same account and region as devenv.toml.
pub(crate) fn agree(
    project: &Project,
    target: &PromoteTarget,
    file: &AccountFile,
    account: &str,
    region: &str,
) -> Result<(), Error> {
    let incomplete = |missing| Error::Incomplete { environment: target.name.clone(), missing };
    if account.is_empty() {
        return Err(incomplete("account"));
    }
    if region.is_empty() {
        return Err(incomplete("region"));
    }
    let path = project.instance.root.join(&target.terraform).join("account.tfvars.json");
    let path = path.strip_prefix(&project.instance.root).map(Utf8Path::to_owned).unwrap_or(path);
    if file.allowed_account_ids != [account] {
        let cause = format!("allowed_account_ids is not [\"{account}\"], as in devenv.toml");
        return Err(Error::AccountFile { path, cause });
    }
    if file.region != region {
        let cause = format!("region is {}, but {region} in devenv.toml", file.region);
        return Err(Error::AccountFile { path, cause });
    }
    Ok(())
}

/// `user@host`, in the form that Terraform writes into its lock.
pub(crate) fn owner() -> String {
    let user = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
    let user = user.unwrap_or_else(|| if rustix::process::getuid().is_root() { "root" } else { "somebody" }.to_owned());
    format!("{user}@{}", host())
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
