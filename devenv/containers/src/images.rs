//! The images of this workspace's programs: checks whether they match the sources, and builds them.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8Path;
use devenv_supervisor::clock;

use crate::archive::{ImageSource, assemble};
use crate::build_in_engine::{self, Programs};
use crate::engine::{ContainerEngine, EngineAbout};
use crate::oci::OciImage;
use crate::own_image::OwnImage;
use crate::scope::{ROOT, SYSTEM};
use crate::toolchain;
use devenv_artifacts::builds::{Binary, MadeImage};
use devenv_artifacts::cargo;
use devenv_artifacts::compilation::{Compilation, ImageWorkspace};
use devenv_artifacts::freshness;
use devenv_artifacts::repository::{head, is_committed, revision, source};
use devenv_runtime::{
    BuildInEngine, EMULATOR_IMAGE, Error, ImageBuild, ImageKind, LocalProject, OWN_EMULATOR, OWN_FUNCTION_HOST,
    own_program,
};

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
    project: &'a LocalProject,
    /// The build settings within the engine; `None` if this machine compiles.
    build: Option<BuildInEngine>,
    kind: ImageKind,
}

impl<'a> Images<'a> {
    /// `wanted` overrides the usual place to compile.
    pub fn new(engine: Arc<dyn ContainerEngine>, project: &'a LocalProject, wanted: &ImageBuild) -> Self {
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
            match self.own(&own)?.known().await? {
                Ok(id) => known.ids.insert(own, id),
                Err(why) => known.stale.insert(own, why),
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
            ids.insert(own.clone(), self.own(own)?.make(progress).await?);
        }
        if packages.is_empty() {
            return Ok(ids);
        }
        let begun = clock::now();
        let root = &self.project.instance.root;
        let compilation = self.compilation()?;
        let Programs { built, c_library } = match &self.build {
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
            let content = Content {
                name: &package,
                program: &program.path,
                libraries: &[],
                entrypoint: &[format!("/{package}")],
                revision: revision.as_deref(),
                c_library: c_library.as_deref(),
            };
            let (id, digest) = self.make(&content, labels, self.reference(&package).as_deref()).await?;
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
        self.forget_replaced(&self.project.manifest.name).await;
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

    pub(crate) fn project(&self) -> &LocalProject {
        self.project
    }

    pub(crate) fn engine(&self) -> &dyn ContainerEngine {
        self.engine.as_ref()
    }

    /// Makes an image, unless the engine has it, and gives it the name `reference`. Returns the engine's id of the image, and its
    /// digest.
    pub(crate) async fn make(
        &self,
        content: &Content<'_>,
        mut labels: BTreeMap<String, String>,
        reference: Option<&str>,
    ) -> Result<(String, String), Error> {
        let unreadable = |source| Error::ReadFile { path: content.program.to_owned(), source };
        let program = std::fs::read(content.program).map_err(unreadable)?;
        labels.extend(toolchain::labels(&program, content.c_library));
        let revision = content.revision.map(|revision| format!("GIT_COMMIT={revision}"));
        let image = assemble(&ImageSource {
            name: content.name,
            program: &program,
            libraries: content.libraries,
            entrypoint: content.entrypoint,
            architecture: self.architecture(),
            labels: &labels,
            environment: revision.as_slice(),
        })
        .map_err(unreadable)?;
        if loaded(self.engine.as_ref(), &image).await?.is_none() {
            self.engine.load(image.archive(reference).map_err(unreadable)?).await?;
        }
        let Some(id) = loaded(self.engine.as_ref(), &image).await? else {
            return Err(Error::NoImage { package: content.name.to_owned() });
        };
        if let Some(reference) = reference {
            self.engine.tag(&id, reference).await?;
        }
        Ok((id, image.digest()))
    }

    /// The image that this name stands for in place of a package.
    fn own(&self, name: &str) -> Result<OwnImage<'_>, Error> {
        if name == OWN_FUNCTION_HOST { OwnImage::function_host(self) } else { OwnImage::emulator(self) }
    }

    /// The image of this program, which must have the guard of a rehearsal in it. Makes it unless the engine has it; returns the
    /// engine's id.
    pub async fn own_guard(&self, progress: &(dyn Fn(String) + Send + Sync)) -> Result<String, Error> {
        let guard = OwnImage::guard(self)?;
        match guard.known().await? {
            Ok(id) => Ok(id),
            Err(_) => guard.make(progress).await,
        }
    }

    /// Returns the name of the image. A shipped image has the Compose file's name, so that plain `docker compose` and a
    /// promotion find it.
    fn reference(&self, package: &str) -> Option<String> {
        let manifest = &self.project.manifest;
        let is_emulator = manifest.emulator.embedded_package.as_deref() == Some(package);
        let name = if is_emulator {
            EMULATOR_IMAGE
        } else {
            let service = manifest.services.values().find(|service| service.package() == Some(package))?;
            service.image.as_deref().filter(|image| !image.contains('@'))?
        };
        Some(self.named(name))
    }

    /// Returns the name of an image of this kind whose shipped image is `name`.
    pub(crate) fn named(&self, name: &str) -> String {
        match self.kind {
            ImageKind::Shipped => name.to_owned(),
            ImageKind::Development => development_name(name),
        }
    }

    fn labels(
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

    /// Removes images of `system` that lost their name to a newer one. An image in use stays until its container is gone.
    pub(crate) async fn forget_replaced(&self, system: &str) {
        let label = format!("{SYSTEM}={system}");
        for image in self.engine.unnamed_images(&label).await.unwrap_or_default() {
            if let Err(error) = self.engine.remove_image(&image).await {
                tracing::debug!(%image, %error, "cannot remove a replaced image");
            }
        }
    }
}

/// The files of an image around one program.
pub(crate) struct Content<'a> {
    pub(crate) name: &'a str,
    pub(crate) program: &'a Utf8Path,
    /// Names and contents.
    pub(crate) libraries: &'a [(String, Vec<u8>)],
    pub(crate) entrypoint: &'a [String],
    /// The last commit that changed the program's sources.
    pub(crate) revision: Option<&'a str>,
    /// The C library that is linked in.
    pub(crate) c_library: Option<&'a str>,
}

/// The names that stand for images of devenv's own programs, and the packages.
fn apart(packages: &[String]) -> (Vec<String>, Vec<String>) {
    packages.iter().cloned().partition(|package| package == OWN_EMULATOR || package == OWN_FUNCTION_HOST)
}

/// Returns the engine's id of a loaded image. A classic store identifies an image by its configuration, a containerd
/// store by its manifest.
async fn loaded(engine: &dyn ContainerEngine, image: &OciImage) -> Result<Option<String>, Error> {
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
pub(crate) fn can_compile(about: &EngineAbout) -> bool {
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
