//! The images of this workspace's programs: checks whether they match the sources, and builds them.

use std::collections::BTreeMap;
use std::sync::Arc;

use devenv_supervisor::clock;

use crate::archive::{ImageSource, assemble};
use crate::build_in_engine::{self, Programs};
use crate::bundled_image;
use crate::engine::{ContainerEngine, EngineAbout};
use crate::oci::OciImage;
use crate::own_image::{EMULATOR, GUARD, OwnImage, Role};
use crate::scope::{ROOT, SYSTEM};
use crate::toolchain;
use devenv_artifacts::builds::{Binary, MadeImage};
use devenv_artifacts::cargo::{self, Built};
use devenv_artifacts::compilation::{Compilation, ImageWorkspace};
use devenv_artifacts::freshness;
use devenv_artifacts::repository::{head, is_committed, revision, source};
use devenv_engine::runtime::{BuildInEngine, ImageBuild, ImageKind};
use devenv_engine::{EMULATOR_IMAGE, OWN_EMULATOR};
use devenv_engine::{Error, Project, own_program};

/// The packages with an up-to-date image, with its id, and the other packages with the reason.
#[derive(Debug, Default)]
pub struct Known {
    pub ids: BTreeMap<String, String>,
    pub stale: BTreeMap<String, String>,
}

/// The default builder image for machines that cannot compile themselves.
const BUILDER: &str = "rust:1.95.0-bookworm";

#[derive(Debug)]
pub struct Images<'a> {
    engine: Arc<dyn ContainerEngine>,
    project: &'a Project,
    /// The build settings within the engine; `None` if this machine compiles.
    build: Option<BuildInEngine>,
    kind: ImageKind,
}

impl<'a> Images<'a> {
    /// `wanted` overrides the usual place to compile.
    pub fn new(engine: Arc<dyn ContainerEngine>, project: &'a Project, wanted: &ImageBuild) -> Self {
        let usual = || BuildInEngine { builder: BUILDER.to_owned(), platform: None };
        let build = wanted.in_engine.clone().or_else(|| (!can_compile(engine.about())).then(usual));
        // A compilation in the engine shares nothing with the programs of this machine.
        let kind = if build.is_some() { ImageKind::Shipped } else { wanted.kind };
        Self { engine, project, build, kind }
    }

    /// Compares files and asks the engine. Compiles nothing.
    pub async fn known(&self, packages: &[String]) -> Result<Known, Error> {
        let (own, packages) = apart(packages);
        let mut known = Known::default();
        for own in own {
            match self.own(EMULATOR)?.id(self.engine.as_ref()).await? {
                Some(id) => known.ids.insert(own, id),
                None => known.stale.insert(own, "image not built yet".to_owned()),
            };
        }
        if packages.is_empty() {
            return Ok(known);
        }
        let mut remembered = self.project.builds.read();
        let before = remembered.clone();
        let root = &self.project.instance.root;
        let compilation = self.compilation()?;
        let head = head(root).await;
        for package in &packages {
            if bundled_image::is_meant(self, package) {
                match bundled_image::known(self).await? {
                    Ok(id) => known.ids.insert(package.clone(), id),
                    Err(why) => known.stale.insert(package.clone(), why),
                };
                continue;
            }
            let key = compilation.key(package);
            let (Some(binary), Some(image)) = (remembered.binaries.get(&key), remembered.images.get_mut(&key)) else {
                known.stale.insert(package.clone(), "image not built yet".to_owned());
                continue;
            };
            let stale = match freshness::stale(root, &binary.path, Some(clock::time(binary.checked))) {
                Some(reason) => Some(reason),
                None if self.engine.image(&image.id).await?.is_none() => Some("image removed".to_owned()),
                // The same sources may now belong to another commit.
                None if image.head != head || !is_committed(image.revision.as_deref()) => {
                    let sources = freshness::sources(root, &binary.path).unwrap_or_default();
                    let now = revision(root, &sources).await;
                    image.head.clone_from(&head);
                    (now != image.revision).then(|| "sources belong to another commit now".to_owned())
                }
                None => None,
            };
            match stale {
                Some(reason) => known.stale.insert(package.clone(), reason),
                None => known.ids.insert(package.clone(), image.id.clone()),
            };
        }
        if remembered != before && known.stale.is_empty() {
            self.project.builds.write(&remembered);
        }
        Ok(known)
    }

    /// Compiles the packages and makes their images. Returns the image ids by package.
    pub async fn build(
        &self,
        packages: &[String],
        progress: &(dyn Fn(String) + Send + Sync),
    ) -> Result<BTreeMap<String, String>, Error> {
        let (own, packages) = &apart(packages);
        let mut ids = BTreeMap::new();
        for own in own {
            ids.insert(own.clone(), self.own(EMULATOR)?.make(self.engine.as_ref()).await?);
        }
        if packages.is_empty() {
            return Ok(ids);
        }
        let begun = clock::now();
        let root = &self.project.instance.root;
        let compilation = self.compilation()?;
        let (bundled, packages): (Vec<_>, Vec<_>) =
            packages.iter().cloned().partition(|package| bundled_image::is_meant(self, package));
        let packages = &packages[..];
        let mut ids = BTreeMap::new();
        for package in bundled {
            ids.insert(package, bundled_image::build(self, progress).await?);
        }
        let Programs { built, c_library } = match &self.build {
            _ if packages.is_empty() => Programs { built: BTreeMap::new(), c_library: None },
            None => {
                let built = cargo::build(&compilation, packages, progress).await?;
                Programs { built, c_library: toolchain::c_library().await }
            }
            Some(place) => {
                let (engine, machine) = (self.engine.as_ref(), self.machine());
                build_in_engine::build(engine, self.project, place, machine, packages, progress).await?
            }
        };
        let (head, source) = tokio::join!(head(root), source(root));
        let mut made = Vec::new();
        for (package, program) in built {
            progress(format!("image {package}"));
            let revision = revision(root, &freshness::sources(root, &program.path).unwrap_or_default()).await;
            let labels = self.labels(&package, &program.version, revision.as_deref(), source.as_deref());
            let (id, digest) = self.make(&package, &program, revision.as_deref(), labels, c_library.as_deref()).await?;
            let binary = Binary { path: program.path, checked: begun };
            let image = MadeImage { id: id.clone(), digest, revision, head: head.clone() };
            made.push((compilation.key(&package), binary, image));
            ids.insert(package, id);
        }
        let mut remembered = self.project.builds.read();
        for (key, binary, image) in made {
            remembered.binaries.insert(key.clone(), binary);
            remembered.images.insert(key, image);
        }
        self.project.builds.write(&remembered);
        self.forget_replaced().await;
        Ok(ids)
    }

    fn compilation(&self) -> Result<Compilation, Error> {
        let root = &self.project.instance.root;
        if self.kind == ImageKind::Development {
            return Ok(Compilation::of_development_images(root, own_program()?));
        }
        let packages = self.project.manifest.image_packages();
        Ok(Compilation::of_shipped_images(&ImageWorkspace { root, packages: &packages }, self.machine()))
    }

    /// Returns the architecture as images name it, such as `amd64`: the requested platform's, else the engine's, which may
    /// differ from this machine's.
    pub(crate) fn architecture(&self) -> &str {
        let asked_for = self.build.as_ref().and_then(|place| place.platform.as_deref());
        let platform = asked_for.unwrap_or(&self.engine.about().platform);
        platform.split('/').nth(1).unwrap_or_default()
    }

    /// Returns the architecture as compilers name it, such as `x86_64`.
    fn machine(&self) -> &str {
        match self.architecture() {
            "amd64" => "x86_64",
            "arm64" => "aarch64",
            other => other,
        }
    }

    pub(crate) fn project(&self) -> &Project {
        self.project
    }

    pub(crate) fn engine(&self) -> &dyn ContainerEngine {
        self.engine.as_ref()
    }

    /// Returns the engine's id of the image, and its digest.
    pub(crate) async fn make(
        &self,
        package: &str,
        built: &Built,
        revision: Option<&str>,
        mut labels: BTreeMap<String, String>,
        c_library: Option<&str>,
    ) -> Result<(String, String), Error> {
        let unreadable = |source| Error::ReadFile { path: built.path.clone(), source };
        let program = std::fs::read(&built.path).map_err(unreadable)?;
        labels.extend(toolchain::labels(&program, c_library));
        let reference = self.reference(package);
        let image = assemble(&ImageSource {
            name: package,
            program: &program,
            libraries: &[],
            entrypoint: &[format!("/{package}")],
            architecture: self.architecture(),
            labels: &labels,
            environment: &revision.map(|revision| format!("GIT_COMMIT={revision}")).into_iter().collect::<Vec<_>>(),
        })
        .map_err(unreadable)?;
        if loaded(self.engine.as_ref(), &image).await?.is_none() {
            self.engine.load(image.archive(reference.as_deref()).map_err(unreadable)?).await?;
        }
        let Some(id) = loaded(self.engine.as_ref(), &image).await? else {
            return Err(Error::NoImage { package: package.to_owned() });
        };
        if let Some(reference) = &reference {
            self.engine.tag(&id, reference).await?;
        }
        Ok((id, image.digest()))
    }

    /// The image of this program, which must have the guard of a rehearsal in it. Makes it unless the engine has it; returns the
    /// engine's id.
    pub async fn own_guard(&self) -> Result<String, Error> {
        let guard = self.own(GUARD)?;
        match guard.id(self.engine.as_ref()).await? {
            Some(id) => Ok(id),
            None => guard.make(self.engine.as_ref()).await,
        }
    }

    /// The image of this program, if the engine's containers can run it.
    fn own(&self, role: Role) -> Result<OwnImage, Error> {
        if !can_compile(self.engine.about()) {
            return Err(Error::NoEmulatorImage { emulator: "embedded" });
        }
        OwnImage::of(role, own_program()?, self.architecture())
    }

    /// Returns the name of the image. A shipped image has the Compose file's name, so that plain `docker compose` and a
    /// promotion find it.
    fn reference(&self, package: &str) -> Option<String> {
        let manifest = &self.project.manifest;
        let is_emulator = manifest.emulator.embedded_package.as_deref() == Some(package);
        let name = if is_emulator || bundled_image::is_meant(self, package) {
            EMULATOR_IMAGE
        } else {
            let service = manifest.services.values().find(|service| service.package() == Some(package))?;
            service.image.as_deref().filter(|image| !image.contains('@'))?
        };
        Some(match self.kind {
            ImageKind::Shipped => name.to_owned(),
            ImageKind::Development => development_name(name),
        })
    }

    pub(crate) fn labels(
        &self,
        package: &str,
        version: &str,
        revision: Option<&str>,
        source: Option<&str>,
    ) -> BTreeMap<String, String> {
        let known = [("title", Some(package)), ("version", Some(version)), ("revision", revision), ("source", source)];
        let mut labels: BTreeMap<String, String> = known
            .into_iter()
            .filter_map(|(name, value)| Some((format!("org.opencontainers.image.{name}"), value?.to_owned())))
            .collect();
        labels.insert(SYSTEM.to_owned(), self.project.manifest.name.clone());
        // The label of a shipped image would change its digest, which is the same in every checkout.
        if self.kind == ImageKind::Development {
            labels.insert(ROOT.to_owned(), self.project.instance.root.to_string());
        }
        labels
    }

    /// Removes images that lost their name to a newer one. An image in use stays until its container is gone.
    async fn forget_replaced(&self) {
        let label = format!("{SYSTEM}={}", self.project.manifest.name);
        for image in self.engine.unnamed_images(&label).await.unwrap_or_default() {
            if let Err(error) = self.engine.remove_image(&image).await {
                tracing::debug!(%image, %error, "cannot remove a replaced image");
            }
        }
    }
}

/// The names that stand for the emulator in this program, and the packages.
fn apart(packages: &[String]) -> (Vec<String>, Vec<String>) {
    packages.iter().cloned().partition(|package| package == OWN_EMULATOR)
}

/// Returns the engine's id of a loaded image. A classic store identifies an image by its configuration, a containerd
/// store by its manifest.
pub(crate) async fn loaded(engine: &dyn ContainerEngine, image: &OciImage) -> Result<Option<String>, Error> {
    for name in [image.config_digest(), image.digest()] {
        if let Some(found) = engine.image(&name).await? {
            return Ok(Some(found.id));
        }
    }
    Ok(None)
}

/// Returns the name of the development image beside the shipped image `name`: `api:local-dev` beside `api:local`.
fn development_name(name: &str) -> String {
    let has_tag = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
    format!("{name}{}dev", if has_tag { '-' } else { ':' })
}

/// Whether programs compiled on this machine run in the engine's containers.
fn can_compile(about: &EngineAbout) -> bool {
    let own = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    std::env::consts::OS == "linux" && about.platform == format!("linux/{own}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_development_image_has_a_name_beside_the_shipped_one() {
        for (shipped, development) in [
            ("api:local", "api:local-dev"),
            ("api", "api:dev"),
            ("127.0.0.1:5000/shop/api", "127.0.0.1:5000/shop/api:dev"),
            ("127.0.0.1:5000/shop/api:1.2", "127.0.0.1:5000/shop/api:1.2-dev"),
        ] {
            assert_eq!(development_name(shipped), development);
        }
    }
}
