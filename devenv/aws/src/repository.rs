//! A repository by the registry's own protocol (`github.com/opencontainers/distribution-spec`): five kinds of requests, which are all that
//! an image needs to come and go byte for byte. ECR's API has no others for a whole layer.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use devenv_model::names::short_digest;
use devenv_promotion::{CloudError, CloudErrorKind, RegistryImage, RepositoryAddress};
use serde_json::Value;
use url::Url;

use crate::http::{Answer, Http, Request, is_on_this_machine};

/// Manifests of one image, in the two forms that registries keep.
pub(crate) const MANIFESTS: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];
/// Of a large layer on a slow line.
const WITHIN: Duration = Duration::from_mins(10);
/// As often as AWS's SDK tries.
const TRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Who may use a registry. A password is in no log.
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// A repository and who may use it.
pub(crate) struct Repository {
    http: Http,
    /// Of the registry, without a path.
    origin: String,
    name: String,
    authorization: String,
}

impl Repository {
    pub(crate) fn new(address: &RepositoryAddress, login: &Login) -> Self {
        // A registry on this machine speaks plain HTTP, and no other does.
        let plain = format!("http://{}", address.host);
        let origin = if is_on_this_machine(&plain) { plain } else { format!("https://{}", address.host) };
        Self {
            http: Http::to(&origin, WITHIN),
            origin,
            name: address.repository.clone(),
            authorization: format!("Basic {}", STANDARD.encode(format!("{}:{}", login.user, login.password))),
        }
    }

    /// Blobs first, the manifest last.
    pub(crate) async fn push(&self, tag: &str, image: &RegistryImage) -> Result<(), CloudError> {
        for (digest, blob) in &image.blobs {
            persistently(|| self.push_blob(digest, blob)).await?;
        }
        let url = self.url(&format!("manifests/{tag}"));
        persistently(|| self.push_manifest(&url, image)).await
    }

    /// Every part is compared with its digest, the manifest with that by which it was asked for.
    pub(crate) async fn pull(&self, digest: &str) -> Result<RegistryImage, CloudError> {
        let kinds = MANIFESTS.join(", ");
        let (path, headers) = (format!("manifests/{digest}"), [("accept", kinds.as_str())]);
        let manifest = persistently(|| self.get(&path, digest, &headers)).await?;
        let parsed: Value = serde_json::from_slice(&manifest).map_err(|error| self.failed(error.to_string()))?;
        let mut blobs = BTreeMap::new();
        let layers = parsed["layers"].as_array().into_iter().flatten();
        for descriptor in std::iter::once(&parsed["config"]).chain(layers) {
            let Some(digest) = descriptor["digest"].as_str() else {
                return Err(self.failed(format!("the manifest {digest} is none of an image")));
            };
            let path = format!("blobs/{digest}");
            let blob = persistently(|| self.get(&path, digest, &[])).await?;
            blobs.insert(digest.to_owned(), blob);
        }
        let media_type = parsed["mediaType"].as_str().unwrap_or(MANIFESTS[0]).to_owned();
        Ok(RegistryImage { digest: digest.to_owned(), media_type, manifest, blobs })
    }

    /// Nothing is sent where it is there already: also when it was sent, and the answer got lost.
    async fn push_blob(&self, digest: &str, blob: &Bytes) -> Result<(), CloudError> {
        let there = self.ask("HEAD", &self.url(&format!("blobs/{digest}")), &[], Bytes::new()).await?;
        if there.status == 200 {
            return Ok(());
        }
        if there.status != 404 {
            return self.accepted(there, 200).map(drop);
        }
        let begun = self.ask("POST", &self.url("blobs/uploads/"), &[], Bytes::new()).await?;
        let begun = self.accepted(begun, 202)?;
        let location = begun.location.ok_or_else(|| self.failed("the registry names no place for a blob"))?;
        let origin = Url::parse(&self.origin).map_err(|error| self.failed(error.to_string()))?;
        let mut url = origin.join(&location).map_err(|error| self.failed(format!("{location}: {error}")))?;
        if url.origin() != origin.origin() {
            return Err(self.failed(format!("the registry leads elsewhere, to {location}")));
        }
        url.query_pairs_mut().append_pair("digest", digest);
        let sent = self.ask("PUT", url.as_str(), &[("content-type", "application/octet-stream")], blob.clone()).await?;
        self.accepted(sent, 201).map(drop)
    }

    async fn push_manifest(&self, url: &str, image: &RegistryImage) -> Result<(), CloudError> {
        let headers = [("content-type", image.media_type.as_str())];
        let put = self.ask("PUT", url, &headers, image.manifest.clone()).await?;
        self.accepted(put, 201).map(drop)
    }

    async fn get(&self, path: &str, digest: &str, headers: &[(&'static str, &str)]) -> Result<Bytes, CloudError> {
        let answer = self.ask("GET", &self.url(path), headers, Bytes::new()).await?;
        // Layers lie elsewhere, at an address that is a secret by itself: the login is not for it.
        let answer = match (answer.status, &answer.location) {
            (301 | 302 | 303 | 307 | 308, Some(elsewhere)) => {
                let request = Request { method: "GET", url: elsewhere, headers: Vec::new(), body: Bytes::new() };
                Http::to(elsewhere, WITHIN).send(request).await?
            }
            _ => answer,
        };
        let content = self.accepted(answer, 200)?.body;
        let found = format!("sha256:{}", short_digest(&content, 32));
        if found == digest { Ok(content) } else { Err(self.failed(format!("the registry gave {found} for {digest}"))) }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/v2/{}/{path}", self.origin, self.name)
    }

    async fn ask(
        &self,
        method: &'static str,
        url: &str,
        headers: &[(&'static str, &str)],
        body: Bytes,
    ) -> Result<Answer, CloudError> {
        let headers = [&[("authorization", self.authorization.as_str())], headers].concat();
        self.http.send(Request { method, url, headers, body }).await
    }

    fn accepted(&self, answer: Answer, status: u16) -> Result<Answer, CloudError> {
        if answer.status == status {
            return Ok(answer);
        }
        let told = String::from_utf8_lossy(&answer.body);
        let kind = kind(answer.status, &told);
        Err(CloudError { kind, ..self.failed(format!("the registry answers {}: {}", answer.status, told.trim())) })
    }

    fn failed(&self, cause: impl Into<String>) -> CloudError {
        let action = format!("use the repository {}/{}", self.origin, self.name);
        CloudError { action, cause: cause.into(), kind: CloudErrorKind::Other }
    }
}

fn kind(status: u16, told: &str) -> CloudErrorKind {
    match status {
        401 => CloudErrorKind::Login,
        403 => CloudErrorKind::Denied,
        404 => CloudErrorKind::NotFound,
        429 | 503 => CloudErrorKind::Throttled,
        500.. => CloudErrorKind::Unavailable,
        // How ECR refuses to move a tag.
        409 => CloudErrorKind::Conflict,
        400 if told.contains("TAG_INVALID") || told.contains("ImageTagAlreadyExists") => CloudErrorKind::Conflict,
        _ => CloudErrorKind::Other,
    }
}

/// Does what may be done twice once more, as AWS's SDK does with a request.
async fn persistently<T, F>(mut work: impl FnMut() -> F) -> Result<T, CloudError>
where
    F: Future<Output = Result<T, CloudError>>,
{
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match work().await {
            Err(error) if error.may_pass() => tokio::time::sleep(pause).await,
            answer => return answer,
        }
        pause *= 2;
    }
    work().await
}

#[cfg(test)]
#[path = "repository_tests.rs"]
mod tests;
