use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use devenv_cloud::{CloudError, CloudErrorKind, ImageReference, PushedImage, Registry, RegistryLogin};
use devenv_model::names::short_digest;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::json;

use crate::Faults;

type Repositories = BTreeMap<String, BTreeMap<String, PushedImage>>;

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

    /// Stores an image whose configuration has the digest `id`, as an engine's push does. Returns its manifest's digest.
    pub async fn push(&self, repository: &str, tag: &str, id: &str) -> Result<String, CloudError> {
        self.faults.meet(format!("push {repository}:{tag}"), || self.keep(repository, tag, id)).await
    }

    fn keep(&self, repository: &str, tag: &str, id: &str) -> Result<String, CloudError> {
        let failed = |cause: &str, kind| CloudError { action: format!("push {tag}"), cause: cause.to_owned(), kind };
        let mut images = self.lock();
        let tags = images.get_mut(repository);
        let tags = tags.ok_or_else(|| failed("RepositoryNotFoundException", CloudErrorKind::NotFound))?;
        let pushed = manifest(id);
        if tags.get(tag).is_some_and(|there| *there != pushed) {
            return Err(failed("ImageTagAlreadyExistsException", CloudErrorKind::Conflict));
        }
        tags.insert(tag.to_owned(), pushed.clone());
        Ok(pushed.digest)
    }

    fn find(&self, repository: &str, reference: &ImageReference) -> Result<Option<PushedImage>, CloudError> {
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

/// A manifest without layers, and its digest.
fn manifest(id: &str) -> PushedImage {
    let content = json!({ "schemaVersion": 2, "config": { "digest": id }, "layers": [] }).to_string().into_bytes();
    PushedImage { digest: format!("sha256:{}", short_digest(&content, 32)), manifest: content }
}

impl Registry for FakeRegistry {
    fn login(&self) -> BoxFuture<'_, Result<RegistryLogin, CloudError>> {
        let login = || Ok(RegistryLogin { user: "AWS".to_owned(), password: "secret".to_owned() });
        self.faults.meet("login".to_owned(), login).boxed()
    }

    fn image<'a>(
        &'a self,
        repository: &'a str,
        reference: &'a ImageReference,
    ) -> BoxFuture<'a, Result<Option<PushedImage>, CloudError>> {
        self.faults.meet(format!("image {repository}"), || self.find(repository, reference)).boxed()
    }
}
