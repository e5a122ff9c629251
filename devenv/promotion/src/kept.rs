//! The Terraform files of a release, kept beside its record.

use devenv_ledger::Ledger;
use devenv_releases::record::Release;

use crate::error::Error;
use crate::tree::Tree;

/// The file's name.
pub(crate) const TREE: &str = "terraform.tar";

/// The Terraform files of a release, as its promotion kept them.
pub(crate) async fn kept_tree(ledger: &Ledger, release: &Release) -> Result<Tree, Error> {
    let object = ledger.get(&ledger.key(&release.id, TREE)).await?;
    let wrong = || Error::KeptFiles { release: release.id.clone() };
    let tree = object.and_then(|object| Tree::unpack(&object.content).ok()).ok_or_else(wrong)?;
    if tree.digest() == release.terraform { Ok(tree) } else { Err(wrong()) }
}
