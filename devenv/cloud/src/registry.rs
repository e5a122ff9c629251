use std::fmt;

use futures_util::future::BoxFuture;

use crate::CloudError;

/// The registry of images (ECR).
pub trait Registry: Send + Sync + fmt::Debug {
    fn login(&self) -> BoxFuture<'_, Result<RegistryLogin, CloudError>>;
    /// An image by tag or digest; `repository` is without its host.
    fn image<'a>(
        &'a self,
        repository: &'a str,
        reference: &'a ImageReference,
    ) -> BoxFuture<'a, Result<Option<PushedImage>, CloudError>>;
}

#[derive(Clone, PartialEq, Eq)]
pub struct RegistryLogin {
    pub user: String,
    pub password: String,
}

/// Keeps the password out of logs.
impl fmt::Debug for RegistryLogin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RegistryLogin").field("user", &self.user).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageReference {
    Tag(String),
    Digest(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedImage {
    /// The digest of its manifest.
    pub digest: String,
    pub manifest: Vec<u8>,
}
