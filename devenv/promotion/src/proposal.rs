//! The proposal of a promotion: its images, commits and changes.

use devenv_artifacts::repository;
use devenv_model::promotion::proposal::{ImageChange, Proposal};
use devenv_releases::record::{Release, ReleasedImage};

use crate::context::PromotionContext;
use crate::delivery::Planned;

impl PromotionContext<'_> {
    pub(crate) async fn proposal(&self, live: Option<&Release>, release: &Release, planned: &Planned) -> Proposal {
        let digest = |image: &ReleasedImage| image.digest().to_owned();
        let images = release.images.iter().map(|(service, image)| ImageChange {
            service: service.clone(),
            from: live.and_then(|live| live.images.get(service)).map(digest),
            to: digest(image),
        });
        let commits = match live {
            Some(live) => repository::subjects(&self.project.instance.root, &live.commit, &release.commit).await,
            None => None,
        };
        Proposal {
            environment: self.name().to_owned(),
            images: images.collect(),
            commits,
            changes: planned.changes.clone(),
            plan: planned.text.clone(),
            is_empty: !planned.is_something,
        }
    }
}
