//! The digest of an engine's image. The engine's own id serves only to start containers: it differs from engine to
//! engine.

use devenv_artifacts::builds::Builds;

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

/// Reads the engine's whole image `id` into memory.
pub async fn saved_image(engine: &dyn ContainerEngine, id: &str) -> Result<OciImage, HostError> {
    let archive = engine.save(id).await?;
    OciImage::read(&archive.into(), id).map_err(|error| HostError {
        action: format!("read the image {id}"),
        cause: error.to_string(),
        kind: HostErrorKind::Other,
    })
}
