//! A rehearsal without Terraform of its own: `devenv-rehearsal` has the files.

use std::collections::BTreeMap;

use devenv_model::manifest::{PromotePlace, PromoteTarget};
use devenv_rehearsal::account::{ACCOUNT, REGION, bucket};
use devenv_rehearsal::roots::files;
use devenv_rehearsal::services::digests;
use devenv_runtime::Project;

use crate::account::AccountFile;
use crate::error::Error;
use crate::tree::Tree;

/// Whether the target does with the roots that `devenv` carries: a rehearsal whose own folder is neither there nor named.
pub(crate) fn is_carried(project: &Project, target: &PromoteTarget) -> bool {
    matches!(target.place, PromotePlace::Rehearsal { .. })
        && !target.names_terraform
        && !project.instance.root.join(&target.terraform).exists()
}

/// Stands for the account file beside roots of the project's own.
pub(crate) fn account(project: &Project, target: &PromoteTarget) -> AccountFile {
    AccountFile::new(bucket(&project.manifest.name, &target.name), REGION, ACCOUNT)
}

/// What evidence must say of the services: those files have the variables of the shell and of env files, which no commit identifies.
pub(crate) fn configuration(project: &Project, target: &PromoteTarget) -> BTreeMap<String, String> {
    if is_carried(project, target) { digests(&project.manifest) } else { BTreeMap::new() }
}

/// A target's whole Terraform: the project's own files, and those that `devenv` carries for it.
pub(crate) fn beside(project: &Project, target: &PromoteTarget, own: Tree) -> Result<Tree, Error> {
    Ok(if is_carried(project, target) { own.with(files(&project.manifest, target)?) } else { own })
}
