use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::CloudError;

/// The registry of images (ECR).
pub trait Registry: Send + Sync + fmt::Debug {
    /// By tag or digest; the repository is given without its host.
    fn image<'a>(
        &'a self,
        repository: &'a str,
        reference: &'a ImageReference,
    ) -> BoxFuture<'a, Result<Option<PushedImage>, CloudError>>;
    /// Stores the image under a tag: first the blobs that are not there, then the manifest, so that a repository never has an image that
    /// is not whole. Once more is no error. A tag of another image is a [conflict](crate::CloudErrorKind::Conflict).
    fn push<'a>(
        &'a self,
        repository: &'a RepositoryAddress,
        tag: &'a str,
        image: &'a RegistryImage,
    ) -> BoxFuture<'a, Result<(), CloudError>>;
    /// The whole image of this digest, in memory. Every part was compared with its digest.
    fn pull<'a>(
        &'a self,
        repository: &'a RepositoryAddress,
        digest: &'a str,
    ) -> BoxFuture<'a, Result<RegistryImage, CloudError>>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryAddress {
    /// With its port, where it has one.
    pub host: String,
    /// Such as `orders/order-api`.
    pub repository: String,
}

impl fmt::Display for RepositoryAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.host, self.repository)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageReference {
    Tag(String),
    Digest(String),
}

/// An image that a registry has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedImage {
    /// The digest of its manifest.
    pub digest: String,
    pub manifest: Vec<u8>,
}

/// An image with everything that is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryImage {
    /// Of its manifest.
    pub digest: String,
    /// Of its manifest, as the manifest itself has it.
    pub media_type: String,
    pub manifest: Bytes,
    /// What the manifest names, by digest: the configuration and the layers.
    pub blobs: BTreeMap<String, Bytes>,
}
