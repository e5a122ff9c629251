//! Pulls an image that the container engine lacks.

use devenv_containers::engine::ContainerEngine;
use devenv_model::event::Event;
use devenv_runtime::Emitter;

use crate::error::Error;

pub(crate) async fn pull_if_absent(engine: &dyn ContainerEngine, image: &str, emitter: &Emitter) -> Result<(), Error> {
    if engine.image(image).await?.is_none() {
        let progress = |line| emitter.emit(Event::StageProgress { line, detail: true });
        let pulled = engine.pull(image, None, &progress).await;
        pulled.map_err(|error| devenv_runtime::Error::ImageAbsent { image: image.to_owned(), cause: error.cause })?;
    }
    Ok(())
}
