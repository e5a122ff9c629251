//! What would be released, and whether it was tested.

use std::collections::BTreeMap;

use devenv_model::evidence::Evidence;
use devenv_model::gate::{AtHand, Filed, gate};
use devenv_model::manifest::{PromotePlace, PromoteTarget};
use devenv_model::promotion::ReleasedImage;

use super::account::account_file;
use super::cloud::CloudAddress;
use super::ledger::Ledger;
use super::push;
use super::site::Site;
use super::tree::Tree;
use super::{Error, rehearsal};
use crate::containers::ContainerEngine;
use crate::evidence::TERRAFORM;
use crate::{input, repository};

/// A release that has passed its gate.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) commit: String,
    pub(super) tree: Tree,
    pub(super) images: Images,
    /// By file name, in the order in which they were written.
    pub(super) evidence: Vec<(String, Vec<u8>)>,
}

#[derive(Debug)]
pub(super) enum Images {
    /// By service: the tested image's id.
    Here(BTreeMap<String, String>),
    /// In another environment's registry.
    Elsewhere { images: BTreeMap<String, ReleasedImage>, from: push::Source },
}

/// The images of this machine's engine, with evidence for each of the environment's emulators.
pub(super) async fn tested(site: &Site<'_>, engine: &dyn ContainerEngine) -> Result<Candidate, crate::Error> {
    let project = site.project;
    let root = &project.instance.root;
    let (commit, tree, dirty) = tokio::join!(repository::head(root), Tree::of(root), repository::is_dirty(root));
    let (Some(commit), Some(tree)) = (commit, tree?) else {
        return Err(Error::NoRepository { folder: TERRAFORM.to_owned() }.into());
    };
    let mut images = BTreeMap::new();
    for service in project.manifest.services.values() {
        let reference = service.image.clone().unwrap_or_else(|| format!("{}:local", service.name));
        let Some(image) = engine.image(&reference).await? else {
            return Err(Error::NoImage { service: service.name.clone(), reference }.into());
        };
        if image.platform != site.target.platform {
            return Err(Error::WrongPlatform {
                environment: site.name().to_owned(),
                service: service.name.clone(),
                wanted: site.target.platform.clone(),
                found: image.platform,
            }
            .into());
        }
        images.insert(service.name.clone(), image.id);
    }
    let at_hand = AtHand { images, terraform: tree.digest(), commit, dirty };
    let files = files(site)?;
    let filed: Vec<Filed> = files.iter().map(|(name, content)| (name.clone(), Evidence::read(name, content))).collect();
    let emulators: Vec<&str> = site.target.emulators.iter().map(|kind| kind.name()).collect();
    let passed = gate(&at_hand, &emulators, &filed).map_err(Error::from)?;
    let evidence = files.iter().filter(|(name, _)| passed.contains(&name.as_str())).cloned().collect();
    Ok(Candidate { commit: at_hand.commit, tree, images: Images::Here(at_hand.images), evidence })
}

fn files(site: &Site<'_>) -> Result<Vec<(String, Vec<u8>)>, crate::Error> {
    let folder = site.project.state.evidence();
    let failed = |source| crate::Error::ReadFile { path: folder.clone(), source };
    let mut files = Vec::new();
    let entries = match folder.read_dir_utf8() {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(files),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if entry.path().extension() == Some("json") {
            files.push((entry.file_name().to_owned(), input::read(entry.path(), input::KEPT_LIMIT).map_err(failed)?));
        }
    }
    // They begin with their time.
    files.sort();
    Ok(files)
}

/// What is live in another environment, if that is what is checked out.
pub(super) async fn required(
    site: &Site<'_>,
    required: &str,
    from: push::Source,
    ledger: &Ledger,
) -> Result<Candidate, crate::Error> {
    let root = &site.project.instance.root;
    let (environment, required) = (site.name().to_owned(), required.to_owned());
    let Some(live) = ledger.standing().await?.live else {
        return Err(Error::RequiredNotLive { environment, required }.into());
    };
    let (commit, tree) = tokio::join!(repository::head(root), Tree::of(root));
    let (Some(commit), Some(tree)) = (commit, tree?) else {
        return Err(Error::NoRepository { folder: TERRAFORM.to_owned() }.into());
    };
    if commit != live.release.commit {
        let live = live.release.commit;
        return Err(Error::OtherCommit { environment, required, live, at_hand: commit }.into());
    }
    if tree.digest() != live.release.terraform {
        return Err(Error::OtherTerraform { environment, required }.into());
    }
    let mut evidence = Vec::new();
    for name in &live.evidence {
        if let Some(object) = ledger.get(&ledger.key(&live.id, name)).await.map_err(Error::from)? {
            evidence.push((name.clone(), object.content));
        }
    }
    Ok(Candidate { commit, tree, images: Images::Elsewhere { images: live.release.images, from }, evidence })
}

impl Site<'_> {
    /// Another environment of the project, to read what is live there; `None` of a rehearsal that does not run.
    pub(super) async fn neighbour(
        &self,
        other: &PromoteTarget,
    ) -> Result<Option<(Ledger, push::Source)>, crate::Error> {
        let bucket = account_file(self.project, other)?.bucket;
        let address = match &other.place {
            PromotePlace::Account { region, .. } => CloudAddress::Account { region: region.clone() },
            PromotePlace::Rehearsal { .. } => match rehearsal::running(self.project, other).await? {
                Some(address) => address,
                None => return Ok(None),
            },
        };
        let cloud = self.project.clouds.connect(&address).await;
        let clock = self.project.promotion.clock.clone();
        let ledger = Ledger { objects: cloud.objects.clone(), bucket, environment: other.name.clone(), clock };
        Ok(Some((ledger, push::Source { cloud })))
    }
}
