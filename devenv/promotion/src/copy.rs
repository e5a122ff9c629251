//! Copies one image between registries, byte for byte.

use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::manifest::OciDescriptor;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};
use serde_json::Value;

use crate::cloud::{CloudError, CloudErrorKind, RegistryLogin};
use crate::error::Error;

/// The two manifest formats of a single image.
const MANIFESTS: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];

/// A repository and its login.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) host: String,
    pub(crate) repository: String,
    pub(crate) login: RegistryLogin,
}

impl Place {
    /// The repository of a reference, `HOST/REPOSITORY@sha256:...`.
    pub(crate) fn of(reference: &str, login: &RegistryLogin) -> Result<Self, Error> {
        let name = reference.split('@').next().unwrap_or_default();
        let (host, repository) =
            name.split_once('/').ok_or_else(|| failed(reference, "the reference names no registry"))?;
        Ok(Self { host: host.to_owned(), repository: repository.to_owned(), login: login.clone() })
    }

    fn client(&self) -> Client {
        // Only a registry on this machine uses plain HTTP.
        let local = self.host.split(':').next().is_some_and(|name| name == "127.0.0.1" || name == "localhost");
        let config = ClientConfig::default();
        if !local {
            return Client::new(ClientConfig { protocol: ClientProtocol::Https, ..config });
        }
        Client::new(ClientConfig {
            protocol: ClientProtocol::HttpsExcept(vec![self.host.clone()]),
            // Bypasses the caller's proxy: naming one replaces it, and `no_proxy` keeps every host away from this one.
            http_proxy: Some("http://127.0.0.1:9".to_owned()),
            no_proxy: Some("127.0.0.0/8,localhost".to_owned()),
            ..config
        })
    }

    fn auth(&self) -> RegistryAuth {
        RegistryAuth::Basic(self.login.user.clone(), self.login.password.clone())
    }
}

fn failed(what: &str, error: impl std::fmt::Display) -> Error {
    let (action, cause) = (format!("copy {what}"), error.to_string());
    Error::Cloud(CloudError { action, cause, kind: CloudErrorKind::Other })
}

/// Copies the manifest last, so that a repository never has an incomplete image.
pub(crate) async fn copy(from: &Place, to: &Place, digest: &str, tag: &str) -> Result<(), Error> {
    let (source, target) = (from.client(), to.client());
    let what = format!("{}/{}@{digest}", from.host, from.repository);
    let wrong = |error: oci_client::errors::OciDistributionError| failed(&what, error);
    let taken = Reference::with_digest(from.host.clone(), from.repository.clone(), digest.to_owned());
    let given = Reference::with_tag(to.host.clone(), to.repository.clone(), tag.to_owned());
    target.store_auth_if_needed(&to.host, &to.auth()).await;
    let (manifest, found) = source.pull_manifest_raw(&taken, &from.auth(), &MANIFESTS).await.map_err(wrong)?;
    if found != digest {
        return Err(failed(&what, format!("the registry returned {found}")));
    }
    let parsed: Value = serde_json::from_slice(&manifest).map_err(|error| failed(&what, error))?;
    let layers = parsed["layers"].as_array().into_iter().flatten();
    for blob in std::iter::once(&parsed["config"]).chain(layers) {
        let blob: OciDescriptor = serde_json::from_value(blob.clone()).map_err(|error| failed(&what, error))?;
        let mut content = Vec::new();
        source.pull_blob(&taken, &blob, &mut content).await.map_err(wrong)?;
        target.push_blob(&given, &content, &blob.digest).await.map_err(wrong)?;
    }
    let kind = parsed["mediaType"].as_str().unwrap_or(MANIFESTS[0]).to_owned();
    let kind = kind.parse().map_err(|error| failed(&what, error))?;
    target.push_manifest_raw(&given, manifest.clone(), kind).await.map_err(wrong)?;
    Ok(())
}
