//! The very images that were tested, brought to the environment's registry. Nothing is built, and nothing in between makes a manifest
//! of its own: the digest that was tested is the digest that is released.

use std::collections::BTreeMap;

use devenv_containers::engine::ContainerEngine;
use devenv_containers::image_digest::saved_image;
use devenv_ledger::retry;
use devenv_releases::record::ReleasedImage;

use crate::cloud::{Cloud, ImageReference, PushedImage, RegistryImage, RepositoryAddress};
use crate::context::PromotionContext;
use crate::delivery::Delivery;
use crate::error::Error;

/// A tested image in the engine of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalImage {
    /// What the engine calls it.
    pub(crate) id: String,
    /// What everybody else calls it.
    pub(crate) digest: String,
    /// Such as `linux/amd64`.
    pub(crate) platform: String,
}

/// The environment to copy images from.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) cloud: Cloud,
}

type Released = BTreeMap<String, ReleasedImage>;

/// Pushes each image that is not there. One after the other: each is in memory as a whole.
pub(crate) async fn push(
    context: &PromotionContext<'_>,
    engine: &dyn ContainerEngine,
    delivery: &dyn Delivery,
    images: &BTreeMap<String, LocalImage>,
) -> Result<Released, Error> {
    for (service, image) in images {
        let content = async || {
            context.progress(format!("{service}: pushing"));
            let saved = saved_image(engine, &image.id).await?;
            let (digest, media_type) = (saved.digest(), saved.media_type());
            Ok(RegistryImage { digest, media_type, manifest: saved.manifest().clone(), blobs: saved.blobs() })
        };
        bring(context, delivery, service, &image.digest, content).await?;
    }
    released(context, delivery, images)
}

/// The same from another environment's registry.
pub(crate) async fn copy(
    context: &PromotionContext<'_>,
    delivery: &dyn Delivery,
    images: &Released,
    source: &Source,
) -> Result<Released, Error> {
    for (service, image) in images {
        let content = async || {
            context.progress(format!("{service}: copying"));
            let from = repository(&image.reference)?;
            Ok(retry(|| source.cloud.registry.pull(&from, image.digest())).await?)
        };
        bring(context, delivery, service, image.digest(), content).await?;
    }
    copied(delivery, images)
}

/// What images of this machine are called once they are pushed: that is known before.
pub(crate) fn released(
    context: &PromotionContext<'_>,
    delivery: &dyn Delivery,
    images: &BTreeMap<String, LocalImage>,
) -> Result<Released, Error> {
    let released = images.iter().map(|(service, image)| {
        let (host, repository) = delivery.repository(service)?;
        let reference = format!("{host}/{repository}@{}", image.digest);
        let (platform, tested) = (context.target.platform.clone(), image.digest.clone());
        Ok((service.clone(), ReleasedImage { reference, platform, tested }))
    });
    released.collect()
}

/// The same for images that are copied.
pub(crate) fn copied(delivery: &dyn Delivery, images: &Released) -> Result<Released, Error> {
    let copied = images.iter().map(|(service, image)| {
        let (host, repository) = delivery.repository(service)?;
        let reference = format!("{host}/{repository}@{}", image.digest());
        let (platform, tested) = (image.platform.clone(), image.digest().to_owned());
        Ok((service.clone(), ReleasedImage { reference, platform, tested }))
    });
    copied.collect()
}

/// An error unless the registry still has every image of the release.
pub(crate) async fn still_there(
    context: &PromotionContext<'_>,
    delivery: &dyn Delivery,
    images: &Released,
) -> Result<(), Error> {
    for (service, image) in images {
        let (_, repository) = delivery.repository(service)?;
        is_there(context, repository, service, image.digest()).await?;
    }
    Ok(())
}

/// Sees to it that the registry has this image under its tag. `content` is asked for only where it has not.
async fn bring(
    context: &PromotionContext<'_>,
    delivery: &dyn Delivery,
    service: &str,
    digest: &str,
    content: impl AsyncFnOnce() -> Result<RegistryImage, Error>,
) -> Result<(), Error> {
    let (host, repository) = delivery.repository(service)?;
    let tag = tag(digest);
    match find(context, repository, ImageReference::Tag(tag.clone())).await? {
        Some(there) if there.digest == digest => context.progress(format!("{service}: the registry has it already")),
        Some(there) => {
            return Err(Error::TagTaken { repository: repository.to_owned(), tag, digest: there.digest });
        }
        None => {
            let image = content().await?;
            if image.digest != digest {
                return Err(other(service, digest, image.digest));
            }
            let to = RepositoryAddress { host: host.to_owned(), repository: repository.to_owned() };
            context.cloud.registry.push(&to, &tag, &image).await?;
        }
    }
    is_there(context, repository, service, digest).await
}

async fn is_there(context: &PromotionContext<'_>, repository: &str, service: &str, digest: &str) -> Result<(), Error> {
    match find(context, repository, ImageReference::Digest(digest.to_owned())).await? {
        Some(there) if there.digest == digest => Ok(()),
        Some(there) => Err(other(service, digest, there.digest)),
        None => Err(other(service, digest, "nothing under its digest".to_owned())),
    }
}

fn other(service: &str, tested: &str, found: String) -> Error {
    Error::OtherImage { service: service.to_owned(), tested: tested.to_owned(), found }
}

async fn find(
    context: &PromotionContext<'_>,
    repository: &str,
    reference: ImageReference,
) -> Result<Option<PushedImage>, Error> {
    Ok(retry(|| context.cloud.registry.image(repository, &reference)).await?)
}

/// One image, one tag: it can never name another. Without one, a lifecycle policy would take the image away.
fn tag(digest: &str) -> String {
    digest.replace(':', "-")
}

/// The repository of a reference, `HOST/REPOSITORY@sha256:...`.
fn repository(reference: &str) -> Result<RepositoryAddress, Error> {
    let name = reference.split('@').next().unwrap_or_default();
    let parts = name.split_once('/');
    let (host, repository) = parts.ok_or_else(|| Error::NoRegistry { reference: reference.to_owned() })?;
    Ok(RepositoryAddress { host: host.to_owned(), repository: repository.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_a_registry_and_a_repository() {
        let address = repository("127.0.0.1:5000/shop/web@sha256:1f").expect("a repository");
        assert_eq!(address.to_string(), "127.0.0.1:5000/shop/web");
        assert_eq!((address.host.as_str(), address.repository.as_str()), ("127.0.0.1:5000", "shop/web"));
        repository("web@sha256:1f").expect_err("it names no registry");
        assert_eq!(tag("sha256:1f"), "sha256-1f");
    }
}
