//! Hosts: this machine itself, and its container engines.

use std::fmt;
use std::sync::Arc;

use camino::Utf8Path;
use devenv_model::manifest::EmulatorKind;
use devenv_model::observed::Leftover;
use futures_util::future::BoxFuture;

use crate::emitter::Emitter;
use crate::error::Error;
use crate::explained::explained;
use crate::host_error::NoHost;
use crate::interface::{Abilities, Runtime};
use crate::local_project::LocalProject;
use crate::request::{ImageBuild, RuntimeKind};
use crate::settle::Making;

/// The hosts of this machine.
pub trait Runtimes: Send + Sync + fmt::Debug {
    /// This machine itself, which runs units as its processes.
    fn processes(&self) -> Arc<dyn RuntimeHost>;
    /// Finds another host.
    fn find(&self) -> BoxFuture<'_, Result<Found, NoHost>>;
}

/// A host that has answered.
#[derive(Debug, Clone)]
pub struct Found {
    pub host: Arc<dyn RuntimeHost>,
    pub about: About,
}

/// Something that runs the units of any environment.
pub trait RuntimeHost: Send + Sync + fmt::Debug {
    fn kind(&self) -> RuntimeKind;
    /// The plural noun for units on this host, for messages, such as `processes`.
    fn units_are(&self) -> &'static str;
    fn abilities(&self) -> Abilities;
    /// The runtime of one environment.
    fn connect<'a>(
        &'a self,
        project: &'a LocalProject,
        images: &'a ImageBuild,
    ) -> BoxFuture<'a, Result<Arc<dyn Runtime>, Error>>;
    /// The emulator of an environment that has units here; `None` if it has none.
    fn emulator_of<'a>(&'a self, project: &'a LocalProject) -> BoxFuture<'a, Result<Option<EmulatorKind>, Error>>;
    /// Removes remnants of killed commands. Called before units are observed or taken down.
    fn clear<'a>(&'a self, project: &'a LocalProject, emitter: &'a Emitter) -> BoxFuture<'a, Result<(), Error>>;
    /// Stops all units that this host runs of an environment, and ends the leftovers of killed runs.
    fn take_down<'a>(
        &'a self,
        project: &'a LocalProject,
        emitter: &'a Emitter,
    ) -> BoxFuture<'a, Result<TakenDown, Error>> {
        Box::pin(async move {
            let runtime = self.connect(project, &ImageBuild::default()).await?;
            let stopped = explained(runtime.take_down(), emitter).await?;
            Ok(TakenDown { was_running: !stopped.is_empty(), stopped, leftovers: Vec::new() })
        })
    }
    /// Sets the mark of a host that finishes requests after the command is killed; held while units are made. `None` for other
    /// hosts.
    fn begin(&self, project: &LocalProject) -> Result<Option<Making>, Error>;
    /// Removes a part of an environment that has its own folder. Returns whether the part existed.
    fn remove_part<'a>(
        &'a self,
        project: &'a LocalProject,
        folder: &'a Utf8Path,
        name: &'a str,
        emitter: &'a Emitter,
    ) -> BoxFuture<'a, Result<bool, Error>>;
    /// Removes every remnant of the ended environment with this state directory.
    fn remove_state<'a>(&'a self, state: &'a Utf8Path) -> BoxFuture<'a, Result<(), Error>>;
}

/// The units of an environment that a host has stopped.
#[derive(Debug, Default)]
pub struct TakenDown {
    /// The names of the stopped units, in the order of their stops.
    pub stopped: Vec<String>,
    /// Ended processes of a killed run.
    pub leftovers: Vec<Leftover>,
    pub was_running: bool,
}

/// A host's description, for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The host's name and version, such as `Docker Engine 20.10.24`.
    pub name: String,
    /// The host's address, such as `unix:///var/run/docker.sock`.
    pub address: String,
    /// The source of the address, such as `DOCKER_HOST` or `the context colima`.
    pub chosen_by: String,
}
