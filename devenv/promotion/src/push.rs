//! The very images that were tested, brought to the environment's registry. Nothing is built.

use std::collections::BTreeMap;

use devenv_containers::engine::ContainerEngine;
use devenv_model::promotion::record::ReleasedImage;
use futures_util::future::try_join_all;
use serde_json::Value;

use crate::cloud::{Cloud, ImageReference, PushedImage, RegistryLogin};
use crate::context::PromotionContext;
use crate::copy::{self, Place};
use crate::delivery::Delivery;
use crate::error::Error;
use crate::retry::retry;

/// Where images are copied from.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) cloud: Cloud,
}

/// Pushes each image under a tag made from its id, unless it is there, and returns what the registry then has.
pub(crate) async fn push(
    context: &PromotionContext<'_>,
    engine: &dyn ContainerEngine,
    delivery: &dyn Delivery,
    images: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, ReleasedImage>, Error> {
    let login = retry(|| context.cloud.registry.login()).await.map_err(Error::from)?;
    let one = async |service: &String, id: &String| -> Result<_, Error> {
        let (host, repository) = delivery.repository(service)?;
        let tag = tag(id);
        let there = find(context, repository, ImageReference::Tag(tag.clone())).await?;
        let pushed = match there {
            Some(there) if is_same(&there, id) => {
                context.progress(format!("{service}: the registry has it already"));
                there
            }
            Some(there) => {
                let (repository, digest) = (repository.to_owned(), there.digest);
                return Err(Error::TagTaken { repository, tag, digest });
            }
            None => {
                context.progress(format!("{service}: pushing"));
                send(engine, id, &format!("{host}/{repository}"), &tag, &login).await?;
                let found = find(context, repository, ImageReference::Tag(tag)).await?;
                found.filter(|found| is_same(found, id)).ok_or_else(|| Error::OtherImage {
                    service: service.clone(),
                    tested: id.clone(),
                    found: "nothing under its tag".to_owned(),
                })?
            }
        };
        let image = ReleasedImage {
            reference: format!("{host}/{repository}@{}", pushed.digest),
            platform: context.target.platform.clone(),
            tested: id.clone(),
        };
        Ok((service.clone(), image))
    };
    Ok(try_join_all(images.iter().map(|(service, id)| one(service, id))).await?.into_iter().collect())
}

/// Copies each image's manifest and layers from one registry to the other: through an engine, its digest could change.
pub(crate) async fn copy(
    context: &PromotionContext<'_>,
    delivery: &dyn Delivery,
    images: &BTreeMap<String, ReleasedImage>,
    source: &Source,
) -> Result<BTreeMap<String, ReleasedImage>, Error> {
    let (from, to) = tokio::join!(source.cloud.registry.login(), context.cloud.registry.login());
    let (from, to) = (from.map_err(Error::from)?, to.map_err(Error::from)?);
    let one = async |service: &String, image: &ReleasedImage| -> Result<_, Error> {
        let (host, repository) = delivery.repository(service)?;
        let digest = image.digest().to_owned();
        if find(context, repository, ImageReference::Digest(digest.clone())).await?.is_none() {
            context.progress(format!("{service}: copying"));
            let from = Place::of(&image.reference, &from)?;
            let to = Place { host: host.to_owned(), repository: repository.to_owned(), login: to.clone() };
            copy::copy(&from, &to, &digest, &tag(&image.tested)).await?;
        }
        let reference = format!("{host}/{repository}@{digest}");
        // The record of the other environment names a digest and what was tested; only the manifest joins them.
        let there = find(context, repository, ImageReference::Digest(digest)).await?;
        if !there.as_ref().is_some_and(|there| is_same(there, &image.tested)) {
            let found = there.map_or_else(|| "nothing under its digest".to_owned(), |there| there.digest);
            let (service, tested) = (service.clone(), image.tested.clone());
            return Err(Error::OtherImage { service, tested, found });
        }
        Ok((service.clone(), ReleasedImage { reference, ..image.clone() }))
    };
    Ok(try_join_all(images.iter().map(|(service, image)| one(service, image))).await?.into_iter().collect())
}

/// What the images would be called, where nothing is to be pushed: an image that is not in the registry yet goes by its id.
pub(crate) async fn look(
    context: &PromotionContext<'_>,
    delivery: &dyn Delivery,
    images: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, ReleasedImage>, Error> {
    let mut found = BTreeMap::new();
    for (service, id) in images {
        let (host, repository) = delivery.repository(service)?;
        let there = find(context, repository, ImageReference::Tag(tag(id))).await?;
        let digest = there.filter(|there| is_same(there, id)).map_or_else(|| id.clone(), |there| there.digest);
        let reference = format!("{host}/{repository}@{digest}");
        let (platform, tested) = (context.target.platform.clone(), id.clone());
        found.insert(service.clone(), ReleasedImage { reference, platform, tested });
    }
    Ok(found)
}

/// An error unless the registry still has every image of a release.
pub(crate) async fn still_there(
    context: &PromotionContext<'_>,
    delivery: &dyn Delivery,
    images: &BTreeMap<String, ReleasedImage>,
) -> Result<(), Error> {
    for (service, image) in images {
        let (_, repository) = delivery.repository(service)?;
        if find(context, repository, ImageReference::Digest(image.digest().to_owned())).await?.is_none() {
            let (tested, found) = (image.tested.clone(), "nothing under its digest".to_owned());
            return Err(Error::OtherImage { service: service.clone(), tested, found });
        }
    }
    Ok(())
}

/// The same for images that would be copied: their digests are known.
pub(crate) fn look_elsewhere(
    delivery: &dyn Delivery,
    images: &BTreeMap<String, ReleasedImage>,
) -> Result<BTreeMap<String, ReleasedImage>, Error> {
    let here = images.iter().map(|(service, image)| {
        let (host, repository) = delivery.repository(service)?;
        let reference = format!("{host}/{repository}@{}", image.digest());
        Ok((service.clone(), ReleasedImage { reference, ..image.clone() }))
    });
    here.collect()
}

async fn find(
    context: &PromotionContext<'_>,
    repository: &str,
    reference: ImageReference,
) -> Result<Option<PushedImage>, Error> {
    Ok(retry(|| context.cloud.registry.image(repository, &reference)).await?)
}

async fn send(
    engine: &dyn ContainerEngine,
    id: &str,
    repository: &str,
    tag: &str,
    login: &RegistryLogin,
) -> Result<(), Error> {
    let reference = format!("{repository}:{tag}");
    engine.tag(id, &reference).await?;
    let pushed = engine.push(repository, tag, &login.user, &login.password).await;
    // The name was for the push; the image stays.
    let _ = engine.remove_image(&reference).await;
    Ok(pushed?)
}

/// One image, one tag.
fn tag(id: &str) -> String {
    id.replace(':', "-")
}

/// A classic engine's id is the digest of the image's configuration, another's that of its manifest.
fn is_same(pushed: &PushedImage, id: &str) -> bool {
    let manifest: Value = serde_json::from_slice(&pushed.manifest).unwrap_or_default();
    pushed.digest == id || manifest["config"]["digest"] == id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_known_by_its_configuration_or_its_manifest() {
        let manifest = br#"{"schemaVersion": 2, "config": {"digest": "sha256:1"}, "layers": []}"#.to_vec();
        let pushed = PushedImage { digest: "sha256:2".to_owned(), manifest };
        assert!(is_same(&pushed, "sha256:1") && is_same(&pushed, "sha256:2") && !is_same(&pushed, "sha256:3"));
        assert_eq!(tag("sha256:1f"), "sha256-1f");
        let damaged = PushedImage { digest: "sha256:2".to_owned(), manifest: b"{".to_vec() };
        assert!(!is_same(&damaged, "sha256:1"));
    }
}
