//! The images that Dockerfiles make: whether they match their sources, and their builds.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use camino::Utf8PathBuf;
use devenv_artifacts::command_build::OUTPUT_KEPT;
use devenv_artifacts::contents::{IMAGE, Look, Memory};
use devenv_artifacts::context::Context;
use devenv_artifacts::error::{BuildError, FilesError};
use devenv_model::dockerfile::DockerfileBuild;
use devenv_model::names::{instance_name, short_digest};
use devenv_runtime::{Error, LocalProject};

use crate::context_tar::archive;
use crate::engine::{BuildOrder, ContainerEngine, HostError};
use crate::scope::{ROOT, UNIT};

/// Words of the engine's own builder about what only BuildKit can do.
const BUILDKIT_ONLY: [&str; 6] = [
    "BuildKit",
    "Unknown flag: link",
    "Unknown flag: parents",
    "Unknown flag: exclude",
    "Unknown flag: checksum",
    "Unknown flag: keep",
];
/// The number of attempts, if the engine loses layers of its cache.
const ATTEMPTS: usize = 3;
/// Lines of the builder about its own containers and layers.
const NOISE: [&str; 3] = ["---> ", "Removing intermediate container", "Successfully "];

/// The Dockerfile of one service.
#[derive(Debug)]
pub(crate) struct DockerfileImage<'a> {
    pub(crate) engine: &'a dyn ContainerEngine,
    pub(crate) project: &'a LocalProject,
    pub(crate) unit: &'a str,
    pub(crate) build: &'a DockerfileBuild,
}

/// What is known of an image without building it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// The engine's id of the image that matches its sources.
    Current(String),
    Stale(String),
}

impl DockerfileImage<'_> {
    /// Compares the files of the context, and asks the engine for the image. Builds nothing.
    pub(crate) async fn known(&self) -> Result<Known, Error> {
        let (_, look) = self.look().await?;
        if let Some(reason) = look.stale {
            return Ok(Known::Stale(reason));
        }
        let id = self.memory().read().map(|made| made.result).unwrap_or_default();
        match self.engine.image(&id).await? {
            Some(image) => Ok(Known::Current(image.id)),
            None => Ok(Known::Stale("its image was removed".to_owned())),
        }
    }

    /// Builds the image. Returns the engine's id of it.
    pub(crate) async fn make(&self, progress: &(dyn Fn(String) + Send + Sync)) -> Result<String, Error> {
        // The files as they were before the build: a change meanwhile is found by the next look.
        let (context, look) = self.look().await?;
        let mut attempt = 1;
        let id = loop {
            match self.attempt(context.clone(), progress).await {
                Err(Error::Build(BuildError::Unit { cause, .. })) if attempt < ATTEMPTS && is_lost_layer(&cause) => {
                    attempt += 1;
                    progress("a layer was removed meanwhile; building again".to_owned());
                }
                other => break other?,
            }
        };
        for tag in &self.build.tags {
            self.engine.tag(&id, tag).await?;
        }
        self.memory().keep(&look, &id);
        Ok(id)
    }

    async fn attempt(&self, context: Context, progress: &(dyn Fn(String) + Send + Sync)) -> Result<String, Error> {
        let text = context.text.clone();
        let order = self.order(&context);
        let last = Mutex::new(VecDeque::new());
        let listen = |line: String| {
            if NOISE.iter().any(|noise| line.starts_with(noise)) {
                return;
            }
            let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.len() == OUTPUT_KEPT {
                last.pop_front();
            }
            last.push_back(line.clone());
            drop(last);
            progress(line);
        };
        let (parts, failure) = archive(context);
        let built = self.engine.build(&order, parts, &listen).await;
        let output: Vec<String> = last.into_inner().unwrap_or_else(PoisonError::into_inner).into();
        let built = match built {
            Ok(built) => built,
            Err(error) => {
                let cause = failure.take().unwrap_or(error.cause);
                return Err(self.failed(cause, output, &text));
            }
        };
        let absent = || Error::NoImage { package: self.unit.to_owned() };
        Ok(self.engine.image(&built).await?.ok_or_else(absent)?.id)
    }

    fn failed(&self, cause: String, output: Vec<String>, dockerfile: &str) -> Error {
        let needs_buildkit = needs_buildkit(&cause, dockerfile);
        let name = self.reference();
        let remedy = if needs_buildkit {
            format!(
                "devenv uses the engine's own builder, and this Dockerfile needs BuildKit: build it with \
                 DOCKER_BUILDKIT=1 docker build -t {name} {}, and write `image: {name}` instead of `build`",
                self.build.context
            )
        } else {
            "correct the Dockerfile or its files, then: devenv up".to_owned()
        };
        BuildError::Unit { unit: self.unit.to_owned(), cause, output, remedy }.into()
    }

    async fn look(&self) -> Result<(Context, Look), Error> {
        let (build, memory, unit) = (self.build.clone(), self.memory(), self.unit.to_owned());
        let root = self.project.instance.root.clone();
        let own = [self.project.state.path().to_owned(), self.project.builds.folder().to_owned()];
        let looking = move || {
            let failed = |source| BuildError::Files { unit: unit.clone(), source };
            let context = Context::of(&build, &own).map_err(failed)?;
            let made = memory.read();
            let unread = |source| FilesError::Read { path: build.context.clone(), source };
            let look = context.look(&build, made.as_ref(), &root).map_err(|error| failed(unread(error)))?;
            if let Some(made) = made {
                memory.refresh(&look, &made);
            }
            Ok::<_, BuildError>((context, look))
        };
        // A first look reads every file.
        Ok(tokio::task::spawn_blocking(looking).await.expect("no panic while looking")?)
    }

    fn memory(&self) -> Memory {
        Memory::new(self.project.builds.folder(), self.unit, IMAGE)
    }

    fn order(&self, context: &Context) -> BuildOrder {
        let build = self.build;
        let mut labels = build.labels.clone();
        labels.extend(self.labels());
        let is_image = |source: &&String| !source.contains('=');
        BuildOrder {
            dockerfile: context.dockerfile.clone(),
            arguments: build.args.clone(),
            tag: self.reference(),
            platform: build.platform.clone(),
            target: build.target.clone(),
            labels,
            cache_from: build.cache_from.iter().filter(is_image).cloned().collect(),
            network: build.network.clone(),
            extra_host: build.extra_hosts.first().map(|host| host.replacen('=', ":", 1)),
            shm_size: build.shm_size,
            no_cache: build.no_cache,
            pull: build.pull,
        }
    }

    fn labels(&self) -> BTreeMap<String, String> {
        let root = self.project.instance.root.to_string();
        [(ROOT, root), (UNIT, self.unit.to_owned())].map(|(name, value)| (name.to_owned(), value)).into()
    }

    fn reference(&self) -> String {
        reference(self.project, self.unit, self.build)
    }
}

/// The name of the image of a Dockerfile: the service's `image`, as Compose does, or a name of the checkout's own.
pub fn reference(project: &LocalProject, unit: &str, build: &DockerfileBuild) -> String {
    if let Some(image) = build.image.as_ref().filter(|image| !image.contains('@')) {
        return image.clone();
    }
    let root: &Utf8PathBuf = &project.instance.root;
    let checkout = instance_name(root.file_name().unwrap_or(&project.manifest.name), root);
    format!("{checkout}-{}:local", component(unit))
}

/// Removes images that lost their name to a newer one of this checkout. An image in use stays until its container is gone.
pub(crate) async fn forget_replaced(engine: &dyn ContainerEngine, project: &LocalProject) {
    let label = format!("{ROOT}={}", project.instance.root);
    for image in engine.unnamed_images(&label).await.unwrap_or_default() {
        let removed: Result<(), HostError> = engine.remove_image(&image).await;
        if let Err(error) = removed {
            tracing::debug!(%image, %error, "cannot remove a replaced image");
        }
    }
}

/// A service's name as a part of an image's name, where only lower-case letters, digits and single separators are allowed. Two
/// services have two names.
fn component(service: &str) -> String {
    let is_plain = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    let is_valid = service.split('-').all(|part| !part.is_empty() && part.chars().all(is_plain));
    if is_valid {
        return service.to_owned();
    }
    let plain: String = service.to_ascii_lowercase().chars().filter(|character| is_plain(*character)).collect();
    format!("{plain}-{}", short_digest(service, 3)).trim_start_matches('-').to_owned()
}

/// Whether the builder lost a layer of its cache: the removal of an image also removes the layers that no other image has, such
/// as those that a build is about to use.
fn is_lost_layer(cause: &str) -> bool {
    ["failed to get digest", "No such image: sha256:", "unknown parent image", "layer does not exist"]
        .iter()
        .any(|words| cause.contains(words))
}

/// Whether the builder failed because it is not BuildKit.
fn needs_buildkit(cause: &str, dockerfile: &str) -> bool {
    let is_known = BUILDKIT_ONLY.iter().any(|words| cause.contains(words));
    // A builder that does not know here-documents takes their lines for instructions.
    let has_here_document = cause.contains("unknown instruction") && dockerfile.contains("<<");
    // Only BuildKit sets BUILDPLATFORM and TARGETPLATFORM.
    let is_for_variable = cause.contains("failed to parse platform") && dockerfile.contains("PLATFORM");
    is_known || has_here_document || is_for_variable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_valid_and_of_one_service() {
        assert_eq!(component("order-api"), "order-api");
        let odd = ["Web", "web.", "we_b", "-", "Ä"].map(component);
        assert!(odd.iter().all(|name| component(name) == *name), "{odd:?}");
        assert!(odd.iter().all(|name| *name != "web"), "{odd:?}");
    }

    #[test]
    fn what_needs_buildkit_is_told_from_a_mistake() {
        assert!(needs_buildkit("the --mount option requires BuildKit. Refer to ...", ""));
        assert!(needs_buildkit("Unknown flag: link", ""));
        assert!(needs_buildkit("dockerfile parse error line 3: unknown instruction: APT-GET", "RUN <<EOF\n"));
        let platform = "failed to parse platform : \"\" is an invalid component of \"\"";
        assert!(needs_buildkit(platform, "FROM --platform=$BUILDPLATFORM python"));
        assert!(!needs_buildkit(platform, "FROM --platform=${WHERE} python"));
        assert!(!needs_buildkit("unknown instruction: RUM", "RUM x"));
        assert!(!needs_buildkit("The command '/bin/sh -c false' returned a non-zero code: 1", "RUN <<EOF"));
    }
}
