//! The release at hand, and the gate that it passes.

use std::collections::BTreeMap;

use devenv_artifacts::repository;
use devenv_containers::dockerfile_images;
use devenv_containers::engine::ContainerEngine;
use devenv_containers::image_digest::image_digest;
use devenv_model::evidence::Evidence;
use devenv_model::gate::{AtHand, Filed, gate};
use devenv_model::manifest::{EvidenceOrigin, PromotePlace, Service};
use devenv_releases::record::ReleasedImage;
use devenv_runtime::Project;
use devenv_testing::evidence;

use crate::carried;
use crate::context::PromotionContext;
use crate::delivery::Delivery;
use crate::error::Error;
use crate::push::{self, LocalImage};
use crate::recorded;
use crate::tree::Tree;

/// A release that has passed its gate.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) commit: String,
    pub(crate) tree: Tree,
    pub(crate) images: Images,
    /// Contents by file name, oldest first.
    pub(crate) evidence: Vec<(String, Vec<u8>)>,
}

#[derive(Debug)]
pub(crate) enum Images {
    /// Of this machine's engine, by service.
    Here(BTreeMap<String, LocalImage>),
    /// In another environment's registry.
    Elsewhere { images: BTreeMap<String, ReleasedImage>, from: push::Source },
}

impl Candidate {
    /// Leaves out each tested image that is not built here and that the target has no repository for: such as a database, which a
    /// target's Terraform replaces by a managed one. A rehearsal has no functions either. An error if one of the others is for another
    /// platform than the target's.
    pub(crate) fn leave_out_the_unshipped(
        &mut self,
        context: &PromotionContext<'_>,
        delivery: &dyn Delivery,
    ) -> Result<(), Error> {
        let Images::Here(images) = &mut self.images else { return Ok(()) };
        let is_rehearsal = matches!(context.target.place, PromotePlace::Rehearsal { .. });
        let functions = &context.project.manifest.functions;
        let is_built = |name: &String| context.project.manifest.services.get(name).is_none_or(Service::is_built);
        images.retain(|service, _| {
            if is_rehearsal && functions.function(service).is_some() {
                let text =
                    format!("{service} is not part of the rehearsal: it is a function, and the emulated AWS runs none");
                context.emitter.notice(text);
                return false;
            }
            let ships = is_built(service) || delivery.repository(service).is_ok();
            if !ships {
                let text = format!("{service} is not part of the release: {} has no repository for it", context.name());
                context.emitter.notice(text);
            }
            ships
        });
        images.iter().try_for_each(|(service, image)| check_platform(context, service, &image.platform))
    }
}

fn check_platform(context: &PromotionContext<'_>, service: &str, platform: &str) -> Result<(), Error> {
    if platform == context.target.platform {
        return Ok(());
    }
    Err(Error::WrongPlatform {
        environment: context.name().to_owned(),
        service: service.to_owned(),
        wanted: context.target.platform.clone(),
        found: platform.to_owned(),
    })
}

/// The images of this machine's engine, with evidence for each of the environment's emulators.
pub(crate) async fn tested(context: &PromotionContext<'_>, engine: &dyn ContainerEngine) -> Result<Candidate, Error> {
    let project = context.project;
    let root = &project.instance.root;
    let (commit, tree, dirty) = tokio::join!(repository::head(root), Tree::of(root), repository::is_dirty(root));
    let (Some(commit), Some(tree)) = (commit, tree?) else {
        return Err(Error::NoRepository);
    };
    let builds = project.builds.read();
    let mut images = BTreeMap::new();
    // No test ran a service without replicas.
    for service in project.manifest.services.values().filter(|service| service.replicas > 0) {
        let reference = reference(project, service);
        let Some(image) = engine.image(&reference).await? else {
            return Err(Error::NoImage { service: service.name.clone(), reference });
        };
        // Whether an image that is not built here ships is known with the target's repositories.
        if service.is_built() {
            check_platform(context, &service.name, &image.platform)?;
        }
        let digest = image_digest(engine, &builds, &image.id).await?;
        images.insert(service.name.clone(), LocalImage { id: image.id, digest, platform: image.platform });
    }
    let digests = images.iter().map(|(service, image)| (service.clone(), image.digest.clone())).collect();
    let configuration = carried::configuration(project, context.target);
    let at_hand = AtHand { images: digests, terraform: tree.digest(), configuration, commit, dirty };
    // A function of that configuration and this program.
    let tree = carried::beside(project, context.target, tree)?;
    let files = match context.target.evidence {
        EvidenceOrigin::Promoter => evidence::files(&project.state.evidence())?,
        EvidenceOrigin::Recorded => recorded::files(&context.ledger, &at_hand.commit).await?,
    };
    let filed: Vec<Filed> = files.iter().map(|(name, content)| (name.clone(), Evidence::read(name, content))).collect();
    let emulators = context.emulators();
    let passed = gate(&at_hand, &emulators, &filed).map_err(|refusal| match context.target.evidence {
        EvidenceOrigin::Promoter => Error::from(refusal),
        EvidenceOrigin::Recorded => Error::NotRecorded { environment: context.name().to_owned(), refusal },
    })?;
    let evidence = files.iter().filter(|(name, _)| passed.contains(&name.as_str())).cloned().collect();
    Ok(Candidate { commit: at_hand.commit, tree, images: Images::Here(images), evidence })
}

/// The name of a service's image in the engine, as `devenv test --runtime docker` gives it.
fn reference(project: &Project, service: &Service) -> String {
    match (&service.build, &service.image) {
        (Some(build), _) => dockerfile_images::reference(project, &service.name, build),
        (None, Some(image)) => image.clone(),
        (None, None) => format!("{}:local", service.name),
    }
}
