//! The digest of an engine's image. The engine's own id serves only to start containers: it differs from engine to
//! engine.

use devenv_artifacts::builds::{Builds, MadeImage};

use crate::engine::{ContainerEngine, HostError, HostErrorKind};
use crate::oci::OciImage;

/// Returns the digest of the image's manifest: remembered for the newest image of a package built here, else read from the
/// engine.
pub async fn image_digest(engine: &dyn ContainerEngine, builds: &Builds, id: &str) -> Result<String, HostError> {
    match builds.images.values().find(|made| made.id == id) {
        Some(made) => Ok(made.digest.clone()),
        None => Ok(saved_image(engine, id).await?.digest()),
    }
}

/// Like [`image_digest`], and remembers it as the service's: to read an image from the engine takes seconds, and the gate of a
/// promotion asks again.
pub(crate) async fn remembered_digest(
    engine: &dyn ContainerEngine,
    builds: &mut Builds,
    service: &str,
    id: &str,
) -> Result<String, HostError> {
    let digest = image_digest(engine, builds, id).await?;
    if builds.images.values().all(|made| made.id != id) {
        let made = MadeImage { id: id.to_owned(), digest: digest.clone(), revision: None, head: None };
        builds.images.insert(format!("service/{service}"), made);
    }
    Ok(digest)
}

/// Reads the engine's whole image `id` into memory.
pub async fn saved_image(engine: &dyn ContainerEngine, id: &str) -> Result<OciImage, HostError> {
    let archive = engine.save(id).await?;
    OciImage::read(&archive.into(), id).map_err(|error| HostError {
        action: format!("read the image {id}"),
        cause: error.to_string(),
        kind: HostErrorKind::Other,
    })
}
