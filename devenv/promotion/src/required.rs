//! The release that an environment takes over from the environments that it requires, if it is checked out and proven.

use devenv_artifacts::repository;
use devenv_ledger::Ledger;
use devenv_model::evidence::{Evidence, EvidenceError};
use devenv_model::gate::{AtHand, Filed, gate_recorded};
use devenv_model::manifest::{EvidenceOrigin, PromotePlace, PromoteTarget};
use devenv_releases::record::{Record, Release};
use devenv_releases::required::agreed;

use crate::account::{account_file, agree, target};
use crate::at_hand::{Candidate, Images};
use crate::carried;
use crate::cloud::CloudAddress;
use crate::context::PromotionContext;
use crate::error::Error;
use crate::tree::Tree;
use crate::{emulated_aws, push, recorded};

/// A required environment and its live release.
struct Required {
    ledger: Ledger,
    from: push::Source,
    live: Record,
}

/// The release that is live in every required environment.
pub(crate) async fn required(context: &PromotionContext<'_>) -> Result<Candidate, Error> {
    let environment = || context.name().to_owned();
    let mut all = Vec::new();
    for name in &context.target.requires {
        all.push(look(context, name).await?);
    }
    let live: Vec<_> =
        all.iter().map(|required| (required.ledger.environment.as_str(), &required.live.release)).collect();
    let release = agreed(&live)
        .map_err(|disagreement| Error::RequiredDiffer { environment: environment(), disagreement })?
        .clone();
    let (tree, at_hand) = checked_out(context, &release).await?;
    let mut files = Vec::new();
    for required in &all {
        files.extend(evidence(context.target.evidence, required).await?);
    }
    files.sort();
    // Several records may have the same file.
    files.dedup();
    let filed: Vec<Filed> = files.iter().map(|(name, content)| (name.clone(), read(name, content))).collect();
    let emulators = context.emulators();
    gate_recorded(&at_hand, &emulators, &filed).map_err(|refusal| {
        let required = context.target.requires.clone();
        Error::RequiredRefused { environment: environment(), required, refusal }
    })?;
    let evidence = files.into_iter().filter_map(|(name, content)| Some((name, content.ok()?))).collect();
    let from = all.swap_remove(0).from;
    Ok(Candidate { commit: at_hand.commit, tree, images: Images::Elsewhere { images: release.images, from }, evidence })
}

/// The live release of a required environment. An error if there is none.
async fn look(context: &PromotionContext<'_>, name: &str) -> Result<Required, Error> {
    let not_live = || Error::RequiredNotLive { environment: context.name().to_owned(), required: name.to_owned() };
    let other = target(context.project, name)?;
    let (ledger, from) = context.neighbour(other).await?.ok_or_else(not_live)?;
    let live = ledger.standing().await?.live.ok_or_else(not_live)?;
    Ok(Required { ledger, from, live })
}

/// The checked-out files, if they are the release's and its platform is this environment's.
async fn checked_out(context: &PromotionContext<'_>, release: &Release) -> Result<(Tree, AtHand), Error> {
    let root = &context.project.instance.root;
    let (environment, required) = (context.name().to_owned(), context.target.requires[0].clone());
    for (service, image) in &release.images {
        if image.platform != context.target.platform {
            let (wanted, found) = (context.target.platform.clone(), image.platform.clone());
            return Err(Error::WrongPlatform { environment, service: service.clone(), wanted, found });
        }
    }
    let (commit, tree, dirty) = tokio::join!(repository::head(root), Tree::of(root), repository::is_dirty(root));
    let (Some(commit), Some(tree)) = (commit, tree?) else {
        return Err(Error::NoRepository);
    };
    if commit != release.commit {
        let live = release.commit.clone();
        return Err(Error::OtherCommit { environment, required, live, at_hand: commit });
    }
    let its = target(context.project, &required)?;
    if carried::beside(context.project, its, tree.clone())?.digest() != release.terraform {
        return Err(Error::OtherTerraform { environment, required });
    }
    let images = release.images.iter().map(|(service, image)| (service.clone(), image.digest().to_owned())).collect();
    let configuration = carried::configuration(context.project, context.target);
    let at_hand = AtHand { images, terraform: tree.digest(), configuration, commit, dirty };
    Ok((carried::beside(context.project, context.target, tree)?, at_hand))
}

/// A file of evidence by name: its content, or the key of the missing object.
type Found = (String, Result<Vec<u8>, String>);

/// The evidence that the release's record names, or the key of a missing record. A rollback names none: its evidence is beside
/// the promotion that first made the release.
async fn evidence(origin: EvidenceOrigin, required: &Required) -> Result<Vec<Found>, Error> {
    let Required { ledger, live, .. } = required;
    let made = &live.release.id;
    let record = if *made == live.id { Some(live.clone()) } else { ledger.read(made).await?.map(|(record, _)| record) };
    let Some(record) = record else {
        let key = ledger.record_key(made);
        return Ok(vec![(key.clone(), Err(key))]);
    };
    let mut found = Vec::new();
    for name in record.evidence {
        let key = match origin {
            EvidenceOrigin::Promoter => ledger.key(made, &name),
            EvidenceOrigin::Recorded => recorded::key(ledger, &live.release.commit, &name),
        };
        let object = ledger.get(&key).await.map_err(Error::from)?;
        let content = object.map(|object| object.content).ok_or_else(|| format!("{key} in {}", ledger.bucket));
        found.push((name, content));
    }
    Ok(found)
}

fn read(name: &str, content: &Result<Vec<u8>, String>) -> Result<Evidence, EvidenceError> {
    match content {
        Ok(content) => Evidence::read(name, content),
        Err(key) => Err(EvidenceError::Absent(key.clone())),
    }
}

impl PromotionContext<'_> {
    /// Another environment of the project, for reading; `None` for a rehearsal that does not run.
    async fn neighbour(&self, other: &PromoteTarget) -> Result<Option<(Ledger, push::Source)>, Error> {
        let file = account_file(self.project, other)?;
        let address = match &other.place {
            PromotePlace::Account { account, region } => {
                agree(self.project, other, &file, account, region)?;
                CloudAddress::Account { region: region.clone() }
            }
            PromotePlace::Rehearsal { .. } => {
                match emulated_aws::running(self.project, self.tools.engines.as_ref(), other).await? {
                    Some(aws) => aws.address(),
                    None => return Ok(None),
                }
            }
        };
        let cloud = self.tools.clouds.connect(&address).await;
        let clock = self.tools.clock.clone();
        let (objects, environment) = (cloud.objects.clone(), other.name.clone());
        let ledger = Ledger { objects, bucket: file.bucket, environment, clock };
        Ok(Some((ledger, push::Source { cloud })))
    }
}
