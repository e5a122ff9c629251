use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use devenv_cloud::{
    CloudError, CloudErrorKind, ImageReference, PushedImage, Registry, RegistryImage, RepositoryAddress,
};
use devenv_model::names::short_digest;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::Faults;

type Repositories = BTreeMap<String, BTreeMap<String, RegistryImage>>;

/// Repositories whose tags never move, as a foundation makes them.
#[derive(Debug, Clone)]
pub struct FakeRegistry {
    /// Images by repository and tag.
    images: Arc<Mutex<Repositories>>,
    faults: Faults,
}

impl FakeRegistry {
    pub fn new<'a>(faults: Faults, repositories: impl IntoIterator<Item = &'a str>) -> Self {
        let images = repositories.into_iter().map(|name| (name.to_owned(), BTreeMap::new())).collect();
        Self { images: Arc::new(Mutex::new(images)), faults }
    }

    /// Another client of the same repositories, with faults of its own.
    #[must_use]
    pub fn client(&self, faults: Faults) -> Self {
        Self { images: self.images.clone(), faults }
    }

    /// A copy of these repositories, with faults of its own.
    #[must_use]
    pub fn copied(&self, faults: Faults) -> Self {
        Self { images: Arc::new(Mutex::new(self.lock().clone())), faults }
    }

    /// An existing repository keeps its images.
    pub fn add_repository(&self, name: &str) {
        self.lock().entry(name.to_owned()).or_default();
    }

    /// Stores an image past every check and fault, even under the tag or the digest of another.
    pub fn overwrite(&self, repository: &str, tag: &str, image: RegistryImage) {
        self.lock().entry(repository.to_owned()).or_default().insert(tag.to_owned(), image);
    }

    /// Removes every image of a repository, as a lifecycle policy does.
    pub fn empty(&self, repository: &str) {
        self.lock().entry(repository.to_owned()).or_default().clear();
    }

    /// The digests of a repository's images, by tag.
    pub fn digests(&self, repository: &str) -> BTreeMap<String, String> {
        let images = self.lock();
        let tags = images.get(repository).into_iter().flatten();
        tags.map(|(tag, image)| (tag.clone(), image.digest.clone())).collect()
    }

    fn keep(&self, repository: &str, tag: &str, image: &RegistryImage) -> Result<(), CloudError> {
        let failed = |cause: &str, kind| CloudError { action: format!("push {tag}"), cause: cause.to_owned(), kind };
        let mut images = self.lock();
        let tags = images.get_mut(repository);
        let tags = tags.ok_or_else(|| failed("RepositoryNotFoundException", CloudErrorKind::NotFound))?;
        if !is_whole(image) {
            return Err(failed("MANIFEST_BLOB_UNKNOWN", CloudErrorKind::Other));
        }
        if tags.get(tag).is_some_and(|there| there.digest != image.digest) {
            return Err(failed("ImageTagAlreadyExistsException", CloudErrorKind::Conflict));
        }
        tags.insert(tag.to_owned(), image.clone());
        Ok(())
    }

    fn find(&self, repository: &str, reference: &ImageReference) -> Result<Option<RegistryImage>, CloudError> {
        let images = self.lock();
        let tags = images.get(repository).ok_or_else(|| CloudError {
            action: format!("look for an image in {repository}"),
            cause: "RepositoryNotFoundException".to_owned(),
            kind: CloudErrorKind::NotFound,
        })?;
        Ok(match reference {
            ImageReference::Tag(tag) => tags.get(tag),
            ImageReference::Digest(digest) => tags.values().find(|image| image.digest == *digest),
        }
        .cloned())
    }

    fn lock(&self) -> MutexGuard<'_, Repositories> {
        self.images.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A registry takes a manifest when it has all that the manifest names, and a blob under no digest but its own.
fn is_whole(image: &RegistryImage) -> bool {
    let manifest: Value = serde_json::from_slice(&image.manifest).unwrap_or_default();
    let layers = manifest["layers"].as_array().into_iter().flatten();
    let mut named = std::iter::once(&manifest["config"]).chain(layers).filter_map(|part| part["digest"].as_str());
    let are_theirs = image.blobs.iter().all(|(name, blob)| *name == digest(blob));
    are_theirs && image.digest == digest(&image.manifest) && named.all(|name| image.blobs.contains_key(name))
}

fn digest(blob: &[u8]) -> String {
    format!("sha256:{}", short_digest(blob, 32))
}

impl Registry for FakeRegistry {
    fn image<'a>(
        &'a self,
        repository: &'a str,
        reference: &'a ImageReference,
    ) -> BoxFuture<'a, Result<Option<PushedImage>, CloudError>> {
        let look = move || {
            let found = self.find(repository, reference)?;
            Ok(found.map(|image| PushedImage { digest: image.digest, manifest: image.manifest.into() }))
        };
        self.faults.meet(format!("image {repository}"), look).boxed()
    }

    fn push<'a>(
        &'a self,
        repository: &'a RepositoryAddress,
        tag: &'a str,
        image: &'a RegistryImage,
    ) -> BoxFuture<'a, Result<(), CloudError>> {
        let name = &repository.repository;
        self.faults.meet(format!("push {name}:{tag}"), || self.keep(name, tag, image)).boxed()
    }

    fn pull<'a>(
        &'a self,
        repository: &'a RepositoryAddress,
        digest: &'a str,
    ) -> BoxFuture<'a, Result<RegistryImage, CloudError>> {
        let name = &repository.repository;
        let pull = move || {
            let found = self.find(name, &ImageReference::Digest(digest.to_owned()))?;
            found.ok_or_else(|| CloudError {
                action: format!("pull {digest} from {name}"),
                cause: "MANIFEST_UNKNOWN".to_owned(),
                kind: CloudErrorKind::NotFound,
            })
        };
        self.faults.meet(format!("pull {name}@{digest}"), pull).boxed()
    }
}
