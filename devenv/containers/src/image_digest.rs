//! The digest of an image that an engine has. The engine's own id is what containers are started by, and nothing else: it
//! differs from engine to engine.

use devenv_artifacts::builds::Builds;

use crate::engine::{ContainerEngine, HostError, HostErrorKind};
use crate::oci::OciImage;

/// Of its manifest. Remembered for an image that was made here and is the newest of its package; any other is read from the engine.
pub async fn image_digest(engine: &dyn ContainerEngine, builds: &Builds, id: &str) -> Result<String, HostError> {
    match builds.images.values().find(|made| made.id == id) {
        Some(made) => Ok(made.digest.clone()),
        None => Ok(saved_image(engine, id).await?.digest()),
    }
}

/// The whole image that an engine calls `id`, in memory.
pub async fn saved_image(engine: &dyn ContainerEngine, id: &str) -> Result<OciImage, HostError> {
    let archive = engine.save(id).await?;
    OciImage::read(&archive.into(), id).map_err(|error| HostError {
        action: format!("read the image {id}"),
        cause: error.to_string(),
        kind: HostErrorKind::Other,
    })
}
