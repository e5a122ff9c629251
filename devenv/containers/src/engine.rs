//! What devenv asks of a container engine, in its own terms. One crate implements it for each kind of engine.

use std::collections::BTreeMap;
use std::fmt;

pub use devenv_engine::runtime::{About, HostError, HostErrorKind, NoHost};
use devenv_model::intent::Binding;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

use crate::container::ContainerSpec;

/// A container engine that has answered.
pub trait ContainerEngine: Send + Sync + fmt::Debug {
    fn about(&self) -> &EngineAbout;

    /// Every container, whoever made it, whether it runs or not.
    fn containers(&self) -> BoxFuture<'_, Result<Vec<ContainerSummary>, HostError>>;
    fn inspect<'a>(&'a self, container: &'a str) -> BoxFuture<'a, Result<Option<ContainerState>, HostError>>;
    /// Makes a container and does not start it.
    fn create<'a>(&'a self, new: &'a NewContainer) -> BoxFuture<'a, Result<(), HostError>>;
    fn start<'a>(&'a self, container: &'a str) -> BoxFuture<'a, Result<(), HostError>>;
    /// SIGTERM, and SIGKILL after the container's own grace period. One that does not run, or is gone, is no error.
    fn stop<'a>(&'a self, container: &'a str) -> BoxFuture<'a, Result<(), HostError>>;
    /// SIGKILL.
    fn kill<'a>(&'a self, container: &'a str) -> BoxFuture<'a, Result<(), HostError>>;
    fn pause<'a>(&'a self, container: &'a str) -> BoxFuture<'a, Result<(), HostError>>;
    fn unpause<'a>(&'a self, container: &'a str) -> BoxFuture<'a, Result<(), HostError>>;
    /// With force, and with its anonymous volumes. One that is gone is no error.
    fn remove<'a>(&'a self, container: &'a str) -> BoxFuture<'a, Result<(), HostError>>;
    /// What it wrote, oldest first.
    fn log(&self, container: &str, query: &LogQuery) -> BoxStream<'static, Result<LogLine, HostError>>;

    fn image<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Image>, HostError>>;
    /// Takes over an image archive: an OCI layout with a `manifest.json`.
    fn load(&self, archive: Vec<u8>) -> BoxFuture<'_, Result<(), HostError>>;
    fn tag<'a>(&'a self, image: &'a str, reference: &'a str) -> BoxFuture<'a, Result<(), HostError>>;
    /// `progress` is given a line now and then.
    fn pull<'a>(
        &'a self,
        reference: &'a str,
        progress: &'a (dyn Fn(String) + Send + Sync),
    ) -> BoxFuture<'a, Result<(), HostError>>;
    /// The whole image in memory, as `docker save` writes it. One that is too large for that is an error.
    fn save<'a>(&'a self, image: &'a str) -> BoxFuture<'a, Result<Vec<u8>, HostError>>;
    /// Ids of the images that have this label and no name.
    fn unnamed_images<'a>(&'a self, label: &'a str) -> BoxFuture<'a, Result<Vec<String>, HostError>>;
    /// Not with force: an image that a container uses stays, and is the error.
    fn remove_image<'a>(&'a self, image: &'a str) -> BoxFuture<'a, Result<(), HostError>>;
    /// Builds the last stage of a Dockerfile. `context` is a tar archive; `progress` is given each line.
    fn build<'a>(
        &'a self,
        order: &'a BuildOrder,
        context: Vec<u8>,
        progress: &'a (dyn Fn(String) + Send + Sync),
    ) -> BoxFuture<'a, Result<(), HostError>>;

    /// Every file of an image, as a tar archive.
    fn files<'a>(&'a self, image: &'a str) -> BoxFuture<'a, Result<Vec<u8>, HostError>>;

    /// Makes a bridge network unless there is one of this name and these labels. Returns its id.
    fn ensure_network<'a>(
        &'a self,
        name: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<String, HostError>>;
    /// Networks that have this label, given as `name=value`.
    fn networks<'a>(&'a self, label: &'a str) -> BoxFuture<'a, Result<Vec<Labelled>, HostError>>;
    /// One that is gone is no error.
    fn remove_network<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), HostError>>;
    /// Volumes that have this label, given as `name=value`.
    fn volumes<'a>(&'a self, label: &'a str) -> BoxFuture<'a, Result<Vec<Labelled>, HostError>>;
    /// One that is gone is no error.
    fn remove_volume<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), HostError>>;
}

/// Finds the engine of this machine.
pub trait ContainerEngines: Send + Sync + fmt::Debug {
    fn connect(&self) -> BoxFuture<'_, Result<std::sync::Arc<dyn ContainerEngine>, NoHost>>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineAbout {
    pub host: About,
    /// Such as `linux/amd64`.
    pub platform: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerSummary {
    pub name: String,
    /// The id of its image.
    pub image: String,
    pub labels: BTreeMap<String, String>,
    /// Of the ports that are published, in their order.
    pub bindings: Vec<Binding>,
    pub runs: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerState {
    pub phase: Phase,
    /// On the engine's machine; 0 while it does not run.
    pub pid: u32,
    /// Milliseconds since the Unix epoch.
    pub started: u64,
    pub restarts: u32,
    /// Of the engine's own health check; `None` when it has none.
    pub healthy: Option<bool>,
    /// What the engine says of a container that it could not start.
    pub error: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Created,
    Running,
    Paused,
    /// It died and will be started again by the engine.
    Restarting {
        exit_code: i64,
    },
    Exited {
        exit_code: i64,
        out_of_memory: bool,
    },
}

/// A container to be made.
#[derive(Debug, Clone)]
pub struct NewContainer {
    pub name: String,
    pub spec: ContainerSpec,
    pub labels: BTreeMap<String, String>,
    pub network: JoinedNetwork,
    /// Of the volume, when the container is the first to use it.
    pub volume_labels: BTreeMap<String, String>,
}

/// Where a container sends and listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinedNetwork {
    /// On a network with this id, by its own name.
    Own(String),
    /// With the network namespace of the container of this name: one loopback, one address for both. Publishes no port.
    Of(String),
}

#[derive(Debug, Clone, Default)]
pub struct LogQuery {
    /// How many of the last lines; all when `None`.
    pub tail: Option<usize>,
    pub follow: bool,
    /// Seconds since the Unix epoch.
    pub since: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    pub time: jiff::Timestamp,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The engine's own: not the same in another engine.
    pub id: String,
    pub labels: BTreeMap<String, String>,
    /// Such as `linux/amd64`.
    pub platform: String,
    /// Bytes.
    pub size: u64,
}

/// A build inside the engine.
#[derive(Debug, Clone)]
pub struct BuildOrder {
    /// Path within the context.
    pub dockerfile: String,
    pub arguments: BTreeMap<String, String>,
    pub tag: String,
    pub platform: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// What it is removed by: a network's id, a volume's name.
    pub id: String,
    pub labels: BTreeMap<String, String>,
}
