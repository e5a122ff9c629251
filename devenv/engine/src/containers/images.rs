//! The images of this workspace's programs: whether they are what the sources say, and how they are made.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8Path;
use tokio::process::Command;

use super::archive::{ImageSource, assemble};
use super::engine::ContainerEngine;
use super::scope::SYSTEM;
use crate::cargo::{self, Built, Compilation};
use crate::state_directory::Binary;
use crate::{Error, Project, clock};

/// The name of the embedded emulator's image.
const EMULATOR_IMAGE: &str = "devenv-emulator:local";

/// Which packages have an image as their sources want it, by id, and why the others have none.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) ids: BTreeMap<String, String>,
    pub(crate) stale: BTreeMap<String, String>,
}

#[derive(Debug)]
pub(crate) struct Images<'a> {
    engine: Arc<dyn ContainerEngine>,
    project: &'a Project,
}

impl<'a> Images<'a> {
    pub(crate) fn new(engine: Arc<dyn ContainerEngine>, project: &'a Project) -> Self {
        Self { engine, project }
    }

    /// Looks at files and asks the engine; compiles nothing.
    pub(crate) async fn known(&self, packages: &[String]) -> Result<Known, Error> {
        let remembered = self.project.state.remembered()?;
        let root = &self.project.instance.root;
        let compilation = self.compilation(None);
        let mut known = Known::default();
        for package in packages {
            let binary = remembered.binaries.get(&compilation.key(package));
            let path = binary.map_or_else(|| compilation.expected_binary(package), |binary| binary.path.clone());
            let reason = match (binary, remembered.images.get(package)) {
                (Some(binary), Some(id)) => match cargo::stale(root, &path, Some(clock::time(binary.checked))) {
                    None if self.engine.image(id).await?.is_some() => {
                        known.ids.insert(package.clone(), id.clone());
                        continue;
                    }
                    None => "its image is gone".to_owned(),
                    Some(reason) => reason,
                },
                _ => "its image is not built yet".to_owned(),
            };
            known.stale.insert(package.clone(), reason);
        }
        Ok(known)
    }

    /// Compiles the packages and makes their images. Returns the ids.
    pub(crate) async fn build(
        &self,
        packages: &[String],
        progress: impl Fn(String) + Send + Sync,
    ) -> Result<BTreeMap<String, String>, Error> {
        let begun = clock::now();
        let revision = Revision::of(&self.project.instance.root).await;
        let compilation = self.compilation(revision.commit.as_deref());
        let built = cargo::build(&compilation, packages, &progress).await?;
        let mut ids = BTreeMap::new();
        for (package, program) in &built {
            progress(format!("image {package}"));
            ids.insert(package.clone(), self.make(package, program, &revision).await?);
        }
        let mut remembered = self.project.state.remembered()?;
        for (package, Built { path, .. }) in built {
            remembered.binaries.insert(compilation.key(&package), Binary { path, checked: begun });
        }
        remembered.images.extend(ids.clone());
        self.project.state.remember(&remembered)?;
        self.forget_replaced().await;
        Ok(ids)
    }

    fn compilation(&self, commit: Option<&str>) -> Compilation {
        let architecture = match self.architecture() {
            "amd64" => "x86_64",
            "arm64" => "aarch64",
            other => other,
        };
        Compilation::of_images(&self.project.instance.root, architecture, commit)
    }

    /// Of the engine, which need not be this machine's.
    fn architecture(&self) -> &str {
        self.engine.about().platform.rsplit('/').next().unwrap_or_default()
    }

    async fn make(&self, package: &str, built: &Built, revision: &Revision) -> Result<String, Error> {
        let unreadable = |source| Error::ReadFile { path: built.path.clone(), source };
        let program = std::fs::read(&built.path).map_err(unreadable)?;
        let reference = self.reference(package);
        let archive = assemble(&ImageSource {
            name: package,
            program: &program,
            architecture: self.architecture(),
            labels: &self.labels(package, &built.version, revision),
            reference: reference.as_deref(),
        })
        .map_err(unreadable)?;
        // An engine of the classic kind knows an image by its configuration; another one by the name it was given.
        if self.engine.image(&archive.config_digest).await?.is_none() {
            self.engine.load(archive.bytes).await?;
        }
        if let Some(image) = self.engine.image(&archive.config_digest).await? {
            if let Some(reference) = &reference {
                self.engine.tag(&image.id, reference).await?;
            }
            return Ok(image.id);
        }
        let named = match &reference {
            Some(reference) => self.engine.image(reference).await?,
            None => None,
        };
        named.map(|image| image.id).ok_or_else(|| Error::NoImage { package: package.to_owned() })
    }

    /// As the Compose file calls it, so that plain `docker compose` finds it too.
    fn reference(&self, package: &str) -> Option<String> {
        let manifest = &self.project.manifest;
        if manifest.emulator.embedded_package.as_deref() == Some(package) {
            return Some(EMULATOR_IMAGE.to_owned());
        }
        let service = manifest.services.values().find(|service| service.package() == Some(package))?;
        service.image.clone().filter(|image| !image.contains('@'))
    }

    fn labels(&self, package: &str, version: &str, revision: &Revision) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::from([
            (SYSTEM.to_owned(), self.project.manifest.name.clone()),
            ("org.opencontainers.image.title".to_owned(), package.to_owned()),
        ]);
        let known = [
            ("revision", revision.commit.clone()),
            ("source", revision.source.clone()),
            ("version", Some(version.to_owned())),
        ];
        labels.extend(
            known.into_iter().filter_map(|(name, value)| Some((format!("org.opencontainers.image.{name}"), value?))),
        );
        labels
    }

    /// Images that lost their name to a newer one; those that a container uses stay until it is gone.
    async fn forget_replaced(&self) {
        let label = format!("{SYSTEM}={}", self.project.manifest.name);
        for image in self.engine.unnamed_images(&label).await.unwrap_or_default() {
            if let Err(error) = self.engine.remove_image(&image).await {
                tracing::debug!(%image, %error, "a replaced image stays");
            }
        }
    }
}

/// Where the sources come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Revision {
    /// The commit, with `-dirty` after it when the tree differs; `None` outside a repository.
    pub(crate) commit: Option<String>,
    /// The repository's address, without credentials; `None` when it is a folder of this machine.
    pub(crate) source: Option<String>,
}

impl Revision {
    pub(crate) async fn of(root: &Utf8Path) -> Self {
        let (commit, changes, address) = tokio::join!(
            git(root, &["rev-parse", "HEAD"]),
            git(root, &["status", "--porcelain", "--untracked-files=normal"]),
            git(root, &["config", "--get", "remote.origin.url"]),
        );
        let dirty = changes.is_none_or(|changes| !changes.is_empty());
        Self {
            commit: commit.map(|commit| if dirty { commit + "-dirty" } else { commit }),
            source: address.and_then(|address| network_address(&address)),
        }
    }
}

async fn git(root: &Utf8Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").arg("-C").arg(root).args(arguments).output().await.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// As a browser would open it: `git@host:path` becomes `https://host/path`; a folder of this machine is no address.
fn network_address(address: &str) -> Option<String> {
    let address = match address.split_once('@') {
        Some((user, rest)) if !user.contains('/') && rest.contains(':') => {
            format!("https://{}", rest.replacen(':', "/", 1))
        }
        _ => address.to_owned(),
    };
    let mut url = url::Url::parse(&address).ok()?;
    if !matches!(url.scheme(), "http" | "https" | "ssh" | "git") || url.host_str().is_none() {
        return None;
    }
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    let text = url.to_string();
    Some(text.strip_suffix(".git").unwrap_or(&text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_no_credentials_and_is_of_the_network() {
        let of = |address| network_address(address);
        assert_eq!(of("git@example.com:team/orders.git").as_deref(), Some("https://example.com/team/orders"));
        assert_eq!(of("https://me:secret@example.com/orders.git").as_deref(), Some("https://example.com/orders"));
        assert_eq!(of("https://example.com/orders").as_deref(), Some("https://example.com/orders"));
        for local in ["/home/me/orders", "../orders", "file:///home/me/orders", ""] {
            assert_eq!(of(local), None, "{local}");
        }
    }
}
