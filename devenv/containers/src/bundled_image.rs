//! The emulator's image of a `devenv` that was installed without its sources: assembled from the program beside it.

use devenv_artifacts::builds::{Binary, MadeImage};
use devenv_artifacts::bundled::{self, Bundled};
use devenv_artifacts::cargo::Built;
use devenv_engine::runtime::{HostError, HostErrorKind};
use devenv_engine::{Error, own_program};
use devenv_supervisor::clock;

use crate::images::Images;

/// The key of the image among the remembered builds.
const KEY: &str = "bundled/devenv-emulator";

/// Whether `package` stands for the program beside this `devenv`.
pub(crate) fn is_meant(images: &Images<'_>, package: &str) -> bool {
    package == bundled::EMULATOR && images.project().manifest.emulator.embedded_package.is_none()
}

/// The engine's id of the image, or why it must be made.
pub(crate) async fn known(images: &Images<'_>) -> Result<Result<String, String>, Error> {
    let remembered = images.project().builds.read();
    let (Some(binary), Some(image)) = (remembered.binaries.get(KEY), remembered.images.get(KEY)) else {
        return Ok(Err("image not built yet".to_owned()));
    };
    let program = program(images)?;
    let written = std::fs::metadata(&program.path).and_then(|facts| facts.modified());
    if binary.path != program.path || !written.is_ok_and(|written| written <= clock::time(binary.checked)) {
        return Ok(Err("another devenv is installed".to_owned()));
    }
    let present = images.engine().image(&image.id).await?.is_some();
    Ok(if present { Ok(image.id.clone()) } else { Err("image removed".to_owned()) })
}

/// Makes the image, and returns the engine's id of it.
pub(crate) async fn build(images: &Images<'_>, progress: &(dyn Fn(String) + Send + Sync)) -> Result<String, Error> {
    let begun = clock::now();
    let Bundled { path, .. } = program(images)?;
    progress(format!("image {} from {path}", bundled::EMULATOR));
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let labels = images.labels(bundled::EMULATOR, &version, None, None);
    let built = Built { path: path.clone(), version };
    let (id, digest) = images.make(bundled::EMULATOR, &built, None, labels, None).await?;
    let builds = &images.project().builds;
    let mut remembered = builds.read();
    remembered.binaries.insert(KEY.to_owned(), Binary { path, checked: begun });
    remembered.images.insert(KEY.to_owned(), MadeImage { id: id.clone(), digest, revision: None, head: None });
    builds.write(&remembered);
    Ok(id)
}

fn program(images: &Images<'_>) -> Result<Bundled, Error> {
    let found = bundled::emulator(&own_program()?).ok_or(Error::NoEmulatorImage { emulator: "embedded" })?;
    let wanted = images.architecture();
    if found.architecture == wanted {
        return Ok(found);
    }
    let cause = format!("{} is for {}, and the container engine runs {wanted}", found.path, found.architecture);
    Err(HostError { action: "assemble the emulator's image".to_owned(), cause, kind: HostErrorKind::Other }.into())
}
