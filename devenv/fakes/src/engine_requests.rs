//! The requests to a container engine in memory, each under its script of faults.

use std::fmt;

use devenv_containers::engine::{
    BuildOrder, ContainerEngine, ContainerState, ContainerSummary, ContextStream, Endpoint, EngineAbout, ExecOutput,
    ExecSession, ExecState, HostError, HostErrorKind, Image, Labelled, LogLine, LogQuery, NewContainer, NewNetwork,
    NewVolume, Phase, TerminalSize,
};
use devenv_containers::oci::{Blob, OciImage};
use devenv_model::exec::ExecOrder;
use devenv_model::names::short_digest;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde_json::Value;

use crate::FakeEngine;
use crate::engine::Answer;
use crate::engine_state::{StoredImage, failed, has};

impl ContainerEngine for FakeEngine {
    fn about(&self) -> &EngineAbout {
        &self.about
    }

    fn containers(&self) -> Answer<'_, Vec<ContainerSummary>> {
        self.meet("containers".to_owned(), move || Ok(self.lock().list()))
    }

    fn inspect<'a>(&'a self, container: &'a str) -> Answer<'a, Option<ContainerState>> {
        self.meet(format!("inspect {container}"), move || Ok(self.lock().state(container)))
    }

    fn create<'a>(&'a self, new: &'a NewContainer) -> Answer<'a, ()> {
        self.meet(format!("create {}", new.name), move || self.lock().create(new))
    }

    fn connect<'a>(&'a self, container: &'a str, endpoint: &'a Endpoint) -> Answer<'a, ()> {
        self.meet(format!("connect {container}"), move || self.lock().connect(container, endpoint))
    }

    fn upload<'a>(&'a self, container: &'a str, folder: &'a str, archive: Vec<u8>) -> Answer<'a, ()> {
        self.meet(format!("upload {container}"), move || self.lock().upload(container, folder, &archive))
    }

    fn rename<'a>(&'a self, container: &'a str, name: &'a str) -> Answer<'a, ()> {
        self.meet(format!("rename {container} {name}"), move || self.lock().rename(container, name))
    }

    fn start<'a>(&'a self, container: &'a str) -> Answer<'a, ()> {
        self.meet(format!("start {container}"), move || {
            let Some(started) = self.lock().start(container)? else { return Ok(()) };
            self.run_program(&started);
            Ok(())
        })
    }

    fn stop<'a>(&'a self, container: &'a str) -> Answer<'a, ()> {
        self.meet(format!("stop {container}"), move || {
            self.lock().stop(container);
            Ok(())
        })
    }

    fn kill<'a>(&'a self, container: &'a str) -> Answer<'a, ()> {
        self.meet(format!("kill {container}"), move || self.lock().kill(container))
    }

    fn pause<'a>(&'a self, container: &'a str) -> Answer<'a, ()> {
        let call = format!("pause {container}");
        self.meet(call, move || self.lock().turn("pause", container, Phase::Running, Phase::Paused))
    }

    fn unpause<'a>(&'a self, container: &'a str) -> Answer<'a, ()> {
        let call = format!("unpause {container}");
        self.meet(call, move || self.lock().turn("resume", container, Phase::Paused, Phase::Running))
    }

    fn remove<'a>(&'a self, container: &'a str) -> Answer<'a, ()> {
        self.meet(format!("remove {container}"), move || {
            let mut state = self.lock();
            state.containers.remove(container);
            state.uploads.remove(container);
            Ok(())
        })
    }

    /// A command that prints itself, and fails if its name is `false`.
    fn exec<'a>(&'a self, container: &'a str, order: &'a ExecOrder) -> Answer<'a, ExecSession> {
        let line = order.command.join(" ");
        self.meet(format!("exec {container} {line}"), move || {
            let runs = self.lock().state(container).is_some_and(|state| state.phase == Phase::Running);
            if !runs {
                return Err(failed(&format!("run {line}"), "it is not running", HostErrorKind::Conflict));
            }
            let printed = futures_util::stream::iter([Ok(ExecOutput::Out(format!("{line}\n").into_bytes()))]);
            Ok(ExecSession { id: line.clone(), output: printed.boxed(), input: Box::pin(tokio::io::sink()) })
        })
    }

    fn resize_exec<'a>(&'a self, id: &'a str, _: TerminalSize) -> Answer<'a, ()> {
        self.meet(format!("resize {id}"), || Ok(()))
    }

    fn inspect_exec<'a>(&'a self, id: &'a str) -> Answer<'a, ExecState> {
        let exit_code = Some(i64::from(id.starts_with("false")));
        self.meet(format!("inspect the command {id}"), move || Ok(ExecState { exit_code, pid: 0 }))
    }

    /// Does not follow: it ends with the last line so far.
    fn log(&self, container: &str, query: &LogQuery) -> BoxStream<'static, Result<LogLine, HostError>> {
        let written = self.lock().containers.get(container).map(|container| container.log.clone());
        let Some(written) = written else {
            let action = format!("read the log of the container {container}");
            let absent = failed(&action, "no such container", HostErrorKind::NotFound);
            return futures_util::stream::iter([Err(absent)]).boxed();
        };
        let skipped = query.tail.map_or(0, |tail| written.len().saturating_sub(tail));
        let lines = written.into_iter().skip(skipped).map(|text| Ok(LogLine { time: Timestamp::UNIX_EPOCH, text }));
        futures_util::stream::iter(lines.collect::<Vec<_>>()).boxed()
    }

    fn image<'a>(&'a self, reference: &'a str) -> Answer<'a, Option<Image>> {
        let call = format!("image {reference}");
        self.meet(call, move || Ok(self.lock().image(reference).map(StoredImage::described)))
    }

    fn load(&self, archive: Vec<u8>) -> Answer<'_, ()> {
        let archive = bytes::Bytes::from(archive);
        self.meet("load".to_owned(), move || {
            let unreadable =
                |cause: &dyn fmt::Display| failed("load an image", cause.to_string(), HostErrorKind::Other);
            let index = json_of(&archive, "index.json").ok_or_else(|| unreadable(&"no index"))?;
            let digest = index["manifests"][0]["digest"].as_str().unwrap_or_default();
            let image = OciImage::read(&archive, digest).map_err(|error| unreadable(&error))?;
            let saved = json_of(&archive, "manifest.json").unwrap_or_default();
            self.lock().store(&image, &self.about.platform, saved[0]["RepoTags"][0].as_str());
            Ok(())
        })
    }

    fn tag<'a>(&'a self, image: &'a str, reference: &'a str) -> Answer<'a, ()> {
        self.meet(format!("tag {image} {reference}"), move || {
            let mut state = self.lock();
            let absent = || failed(&format!("tag an image as {reference}"), "no such image", HostErrorKind::NotFound);
            let (image, platform) =
                state.image(image).map(|it| (it.image.clone(), it.platform.clone())).ok_or_else(absent)?;
            state.store(&image, &platform, Some(reference));
            Ok(())
        })
    }

    fn pull<'a>(
        &'a self,
        reference: &'a str,
        platform: Option<&'a str>,
        progress: &'a (dyn Fn(String) + Send + Sync),
    ) -> Answer<'a, ()> {
        self.meet(format!("pull {reference}"), move || {
            progress(format!("Pulling from {reference}"));
            let mut state = self.lock();
            let absent = || failed(&format!("pull {reference}"), "manifest unknown", HostErrorKind::NotFound);
            let image = state.offered.get(reference).cloned().ok_or_else(absent)?;
            state.store(&image, platform.unwrap_or(&self.about.platform), Some(reference));
            Ok(())
        })
    }

    fn save<'a>(&'a self, image: &'a str) -> Answer<'a, Vec<u8>> {
        self.meet(format!("save {image}"), move || {
            let absent = || failed(&format!("read the image {image}"), "no such image", HostErrorKind::NotFound);
            let image = self.lock().image(image).map(|found| found.image.clone()).ok_or_else(absent)?;
            Ok(image.archive(None).expect("memory is writable"))
        })
    }

    fn unnamed_images<'a>(&'a self, label: &'a str) -> Answer<'a, Vec<String>> {
        self.meet(format!("unnamed_images {label}"), move || {
            let state = self.lock();
            let unnamed = state.images.iter().filter(|image| image.names.is_empty() && has(&image.labels, label));
            Ok(unnamed.map(StoredImage::id).collect())
        })
    }

    fn image_names<'a>(&'a self, prefix: &'a str) -> Answer<'a, Vec<String>> {
        self.meet(format!("image_names {prefix}"), move || {
            let state = self.lock();
            let names = state.images.iter().flat_map(|image| &image.names);
            Ok(names.filter(|name| name.starts_with(prefix)).cloned().collect())
        })
    }

    fn remove_image<'a>(&'a self, image: &'a str) -> Answer<'a, ()> {
        self.meet(format!("remove_image {image}"), move || self.lock().remove_image(image))
    }

    /// Makes an image of the context's digest.
    fn build<'a>(
        &'a self,
        order: &'a BuildOrder,
        context: ContextStream,
        progress: &'a (dyn Fn(String) + Send + Sync),
    ) -> Answer<'a, String> {
        async move {
            let action = format!("build {}", order.tag);
            let context: Vec<_> = context
                .try_collect()
                .await
                .map_err(|error: std::io::Error| failed(&action, error.to_string(), HostErrorKind::Other))?;
            let context = context.concat();
            let layer = Blob::new(short_digest(&context, 32));
            let content = short_digest(&context, 32);
            let config =
                serde_json::json!({ "built": order.tag, "content": content, "config": { "Labels": order.labels } });
            let image = OciImage::new(Blob::new(config.to_string()), vec![layer]);
            self.meet(action.clone(), move || {
                progress(format!("Step 1 : {}", order.dockerfile));
                // The engine reads the Dockerfile out of the context.
                let text = text_of(&context, &order.dockerfile).unwrap_or_default();
                if text.contains("FAIL") {
                    return Err(failed(&action, "the command returned a non-zero code: 1", HostErrorKind::Other));
                }
                let platform = order.platform.as_deref().unwrap_or(&self.about.platform);
                let mut state = self.lock();
                state.store(&image, platform, Some(&order.tag));
                for stored in state.images.iter_mut().filter(|stored| stored.names.contains(&order.tag)) {
                    stored.labels.clone_from(&order.labels);
                }
                Ok(order.tag.clone())
            })
            .await
        }
        .boxed()
    }

    /// An empty archive: no image has a file.
    fn files<'a>(&'a self, image: &'a str) -> Answer<'a, Vec<u8>> {
        self.meet(format!("files {image}"), move || {
            let absent = || failed(&format!("read the files of {image}"), "no such image", HostErrorKind::NotFound);
            self.lock().image(image).map(|_| vec![0; 1024]).ok_or_else(absent)
        })
    }

    fn create_network<'a>(&'a self, new: &'a NewNetwork) -> Answer<'a, String> {
        self.meet(format!("create_network {}", new.name), move || Ok(self.lock().create_network(new)))
    }

    fn network<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Labelled>> {
        self.meet(format!("network {name}"), move || Ok(self.lock().network(name)))
    }

    fn networks<'a>(&'a self, label: &'a str) -> Answer<'a, Vec<Labelled>> {
        self.meet(format!("networks {label}"), move || Ok(self.lock().networks(label)))
    }

    fn remove_network<'a>(&'a self, id: &'a str) -> Answer<'a, ()> {
        self.meet(format!("remove_network {id}"), move || self.lock().remove_network(id))
    }

    fn create_volume<'a>(&'a self, new: &'a NewVolume) -> Answer<'a, ()> {
        self.meet(format!("create_volume {}", new.name), move || {
            self.lock().create_volume(new);
            Ok(())
        })
    }

    fn volume<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Labelled>> {
        self.meet(format!("volume {name}"), move || Ok(self.lock().volume(name)))
    }

    fn volumes<'a>(&'a self, label: &'a str) -> Answer<'a, Vec<Labelled>> {
        self.meet(format!("volumes {label}"), move || Ok(self.lock().volumes(label)))
    }

    fn remove_volume<'a>(&'a self, name: &'a str) -> Answer<'a, ()> {
        self.meet(format!("remove_volume {name}"), move || self.lock().remove_volume(name))
    }

    fn labelled_images<'a>(&'a self, label: &'a str) -> Answer<'a, Vec<Labelled>> {
        self.meet(format!("labelled_images {label}"), move || {
            let state = self.lock();
            let named = state.images.iter().filter(|image| has(&image.labels, label)).flat_map(|image| {
                let names =
                    if image.names.is_empty() { vec![image.id()] } else { image.names.iter().cloned().collect() };
                names.into_iter().map(|id| Labelled { id, labels: image.labels.clone() }).collect::<Vec<_>>()
            });
            Ok(named.collect())
        })
    }

    /// One mebibyte for every running container.
    fn memory<'a>(&'a self, container: &'a str) -> Answer<'a, Option<u64>> {
        self.meet(format!("memory {container}"), move || {
            Ok(self.lock().state(container).filter(|state| state.phase == Phase::Running).map(|_| 1 << 20))
        })
    }
}

/// A file of a build's context.
fn text_of(archive: &[u8], name: &str) -> Option<String> {
    let mut archive = tar::Archive::new(archive);
    let mut files = archive.entries().ok()?.flatten();
    let file = files.find(|file| file.path().is_ok_and(|path| path.as_os_str() == name))?;
    std::io::read_to_string(file).ok()
}

/// A JSON file of an image archive.
fn json_of(archive: &[u8], name: &str) -> Option<Value> {
    let mut archive = tar::Archive::new(archive);
    let mut files = archive.entries().ok()?.flatten();
    let file = files.find(|file| file.path().is_ok_and(|path| path.as_os_str() == name))?;
    serde_json::from_reader(file).ok()
}
