//! The operations that devenv needs of a container engine, in its own terms. Each kind of engine has an implementing crate.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;

use bytes::Bytes;
use devenv_model::container::{Attachment, Network};
use devenv_model::exec::ExecOrder;
use devenv_model::intent::Binding;
pub use devenv_runtime::{About, HostError, HostErrorKind, NoHost};
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use tokio::io::AsyncWrite;

use crate::container::ContainerSpec;

/// A container engine that answers.
pub trait ContainerEngine: Send + Sync + fmt::Debug {
    fn about(&self) -> &EngineAbout;

    /// Lists all containers, including stopped ones and those of other programs.
    fn containers(&self) -> BoxFuture<'_, Result<Vec<ContainerSummary>, HostError>>;
    fn inspect<'a>(&'a self, container: &'a str) -> BoxFuture<'a, Result<Option<ContainerState>, HostError>>;
    /// Creates a container without starting it. An absent volume is created without labels.
    fn create<'a>(&'a self, new: &'a NewContainer) -> BoxFuture<'a, Result<(), HostError>>;
    fn start<'a>(&'a self, container: &'a str) -> BoxFuture<'a, Result<(), HostError>>;
    /// Connects a container that does not run yet to one more network.
    fn connect<'a>(&'a self, container: &'a str, endpoint: &'a Endpoint) -> BoxFuture<'a, Result<(), HostError>>;
    /// Unpacks a tar archive in a folder of a container's file system. Owners and permissions are those of the archive. A read-only
    /// container takes it only where a volume is mounted.
    fn upload<'a>(
        &'a self,
        container: &'a str,
        folder: &'a str,
        archive: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), HostError>>;
    fn rename<'a>(&'a self, container: &'a str, name: &'a str) -> BoxFuture<'a, Result<(), HostError>>;
    /// Sends the stop signal, and SIGKILL after the container's own grace period. A stopped or missing container is no error.
    fn stop<'a>(&'a self, container: &'a str) -> BoxFuture<'a, Result<(), HostError>>;
    /// Sends SIGKILL.
    fn kill<'a>(&'a self, container: &'a str) -> BoxFuture<'a, Result<(), HostError>>;
    fn pause<'a>(&'a self, container: &'a str) -> BoxFuture<'a, Result<(), HostError>>;
    fn unpause<'a>(&'a self, container: &'a str) -> BoxFuture<'a, Result<(), HostError>>;
    /// Removes a container by force, with its anonymous volumes. A missing container is no error.
    fn remove<'a>(&'a self, container: &'a str) -> BoxFuture<'a, Result<(), HostError>>;
    /// Streams the container's log, oldest line first.
    fn log(&self, container: &str, query: &LogQuery) -> BoxStream<'static, Result<LogLine, HostError>>;

    /// Returns the memory that a running container uses, in bytes, without the cache of files; `None` if it does not run.
    fn memory<'a>(&'a self, container: &'a str) -> BoxFuture<'a, Result<Option<u64>, HostError>>;
    /// Starts a command in a running container.
    fn exec<'a>(&'a self, container: &'a str, order: &'a ExecOrder) -> BoxFuture<'a, Result<ExecSession, HostError>>;
    /// Sets the size of the terminal of a command that has one.
    fn resize_exec<'a>(&'a self, id: &'a str, size: TerminalSize) -> BoxFuture<'a, Result<(), HostError>>;
    fn inspect_exec<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<ExecState, HostError>>;

    fn image<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Image>, HostError>>;
    /// Loads an image archive: an OCI layout with a `manifest.json`.
    fn load(&self, archive: Vec<u8>) -> BoxFuture<'_, Result<(), HostError>>;
    fn tag<'a>(&'a self, image: &'a str, reference: &'a str) -> BoxFuture<'a, Result<(), HostError>>;
    /// Pulls an image, for the engine's own platform unless another is named; `progress` receives a line now and then.
    fn pull<'a>(
        &'a self,
        reference: &'a str,
        platform: Option<&'a str>,
        progress: &'a (dyn Fn(String) + Send + Sync),
    ) -> BoxFuture<'a, Result<(), HostError>>;
    /// Returns the whole image in memory, in the format of `docker save`. An image beyond the memory limit is an error.
    fn save<'a>(&'a self, image: &'a str) -> BoxFuture<'a, Result<Vec<u8>, HostError>>;
    /// Returns the ids of the images with this label and without a name.
    fn unnamed_images<'a>(&'a self, label: &'a str) -> BoxFuture<'a, Result<Vec<String>, HostError>>;
    /// Returns the names that begin with this prefix, of all images: tags, and references by digest.
    fn image_names<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, HostError>>;
    /// Removes an image, or one of its names if it has several. Without force: an image that a container uses stays, and the
    /// call fails.
    fn remove_image<'a>(&'a self, image: &'a str) -> BoxFuture<'a, Result<(), HostError>>;
    /// Builds a stage of a Dockerfile. `context` is a tar archive; `progress` receives each line. Returns a name of the image that
    /// it built: a part of its id, or the order's tag. A caller that stops waiting cancels the build.
    fn build<'a>(
        &'a self,
        order: &'a BuildOrder,
        context: ContextStream,
        progress: &'a (dyn Fn(String) + Send + Sync),
    ) -> BoxFuture<'a, Result<String, HostError>>;

    /// Returns every file of an image, as a tar archive.
    fn files<'a>(&'a self, image: &'a str) -> BoxFuture<'a, Result<Vec<u8>, HostError>>;

    /// Creates a bridge network unless one with this name and these labels exists. Returns its id.
    fn ensure_network<'a>(
        &'a self,
        name: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<String, HostError>> {
        Box::pin(async move {
            let Some(there) = self.network(name).await? else {
                let new = NewNetwork { name: name.to_owned(), network: Network::default(), labels: labels.clone() };
                return self.create_network(&new).await;
            };
            if labels.iter().all(|(name, value)| there.labels.get(name) == Some(value)) {
                return Ok(there.id);
            }
            let action = format!("create the network {name}");
            let cause = "a network of this name exists, but devenv did not create it".to_owned();
            Err(HostError { action, cause, kind: HostErrorKind::Conflict })
        })
    }
    /// Creates a network and returns its id. Another one may have its name.
    fn create_network<'a>(&'a self, new: &'a NewNetwork) -> BoxFuture<'a, Result<String, HostError>>;
    /// Returns the network with this name.
    fn network<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Labelled>, HostError>>;
    /// Returns the networks with this label, given as `name=value`.
    fn networks<'a>(&'a self, label: &'a str) -> BoxFuture<'a, Result<Vec<Labelled>, HostError>>;
    /// Removes a network. A missing network is no error.
    fn remove_network<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), HostError>>;
    fn create_volume<'a>(&'a self, new: &'a NewVolume) -> BoxFuture<'a, Result<(), HostError>>;
    /// Returns the volume with this name.
    fn volume<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Labelled>, HostError>>;
    /// Returns the volumes with this label, given as `name=value`.
    fn volumes<'a>(&'a self, label: &'a str) -> BoxFuture<'a, Result<Vec<Labelled>, HostError>>;
    /// Removes a volume. A missing volume is no error.
    fn remove_volume<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), HostError>>;

    /// Returns the names of the images with this label, given as `name` or `name=value`; of an image without a name, its id.
    fn labelled_images<'a>(&'a self, label: &'a str) -> BoxFuture<'a, Result<Vec<Labelled>, HostError>>;
}

/// Finds the engine of this machine.
pub trait ContainerEngines: Send + Sync + fmt::Debug {
    fn connect(&self) -> BoxFuture<'_, Result<std::sync::Arc<dyn ContainerEngine>, NoHost>>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineAbout {
    pub host: About,
    /// Operating system and architecture, such as `linux/amd64`.
    pub platform: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerSummary {
    pub name: String,
    /// The id of its image.
    pub image: String,
    pub labels: BTreeMap<String, String>,
    /// The bindings of the published ports, sorted.
    pub bindings: Vec<Binding>,
    /// The names of its networks.
    pub networks: Vec<String>,
    pub runs: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerState {
    pub phase: Phase,
    /// The process id on the engine's machine; 0 while the container does not run.
    pub pid: u32,
    /// Start time, in milliseconds since the Unix epoch.
    pub started: u64,
    pub restarts: u32,
    pub restarts_when: RestartsWhen,
    pub labels: BTreeMap<String, String>,
    /// The result of the engine's own health check; `None` if the container has none.
    pub healthy: Option<bool>,
    /// The engine's reason for a failed start; empty otherwise.
    pub error: String,
}

/// When an engine starts a container again that has ended by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RestartsWhen {
    #[default]
    Never,
    /// After an exit code other than 0.
    Failed,
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Created,
    Running,
    Paused,
    /// The container died and the engine is about to restart it.
    Restarting {
        exit_code: i64,
    },
    Exited {
        exit_code: i64,
        out_of_memory: bool,
    },
}

/// A command in a container, as it runs.
pub struct ExecSession {
    pub id: String,
    /// Ends with the command.
    pub output: BoxStream<'static, Result<ExecOutput, HostError>>,
    pub input: Pin<Box<dyn AsyncWrite + Send>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecOutput {
    Out(Vec<u8>),
    Err(Vec<u8>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalSize {
    pub rows: u16,
    pub columns: u16,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExecState {
    /// `None` while the command runs.
    pub exit_code: Option<i64>,
    /// The process id on the engine's machine; 0 if the command has ended.
    pub pid: u32,
}

/// A container to create.
#[derive(Debug, Clone)]
pub struct NewContainer {
    pub name: String,
    pub spec: ContainerSpec,
    pub labels: BTreeMap<String, String>,
    pub network: JoinedNetwork,
}

/// The network that a container is created on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinedNetwork {
    None,
    Own(Box<Endpoint>),
    /// The network namespace of the named container: both share one loopback and one address. Publishes no port.
    Of(String),
}

/// A container on a network, where it has the name of its unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The network's id, or the name of an external network.
    pub network: String,
    /// The name of the unit.
    pub unit: String,
    pub attachment: Attachment,
}

impl JoinedNetwork {
    /// A network where the unit has no other name and any address.
    pub fn own(network: &str, unit: &str) -> Self {
        let (network, unit) = (network.to_owned(), unit.to_owned());
        Self::Own(Box::new(Endpoint { network, unit, attachment: Attachment::default() }))
    }
}

/// A bridge network to create.
#[derive(Debug, Clone)]
pub struct NewNetwork {
    pub name: String,
    pub network: Network,
    pub labels: BTreeMap<String, String>,
}

/// A volume of the driver `local` to create.
#[derive(Debug, Clone)]
pub struct NewVolume {
    pub name: String,
    pub driver_options: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default)]
pub struct LogQuery {
    /// The number of last lines; `None` means all.
    pub tail: Option<usize>,
    pub follow: bool,
    /// Start of the query, in seconds since the Unix epoch.
    pub since: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    pub time: jiff::Timestamp,
    pub text: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// The engine's own id; another engine gives the same image another id.
    pub id: String,
    pub labels: BTreeMap<String, String>,
    /// Operating system and architecture, such as `linux/amd64`.
    pub platform: String,
    /// Size in bytes.
    pub size: u64,
    /// The program of a container that names none: the words of `entrypoint`, then those of `command`.
    pub entrypoint: Vec<String>,
    pub command: Vec<String>,
}

/// The parts of a build's context, a tar archive.
pub type ContextStream = BoxStream<'static, std::io::Result<Bytes>>;

/// A build inside the engine.
#[derive(Debug, Clone, Default)]
pub struct BuildOrder {
    /// The Dockerfile's path within the context.
    pub dockerfile: String,
    pub arguments: BTreeMap<String, String>,
    pub tag: String,
    pub platform: Option<String>,
    /// The stage to build; the last one if `None`.
    pub target: Option<String>,
    pub labels: BTreeMap<String, String>,
    /// Images whose layers the build may use.
    pub cache_from: Vec<String>,
    /// The network of the build's steps; the engine's default if `None`.
    pub network: Option<String>,
    /// `HOST:ADDRESS`
    pub extra_host: Option<String>,
    /// Bytes of shared memory; the engine's default if `None`.
    pub shm_size: Option<u64>,
    pub no_cache: bool,
    /// Whether the engine looks for newer base images.
    pub pull: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// The key for its removal: a network's id, a volume's name, an image's name.
    pub id: String,
    pub labels: BTreeMap<String, String>,
}
