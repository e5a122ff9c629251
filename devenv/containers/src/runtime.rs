//! The container runtime: units are containers of an engine, identified by their labels.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use devenv_model::artifact::Artifact;
use devenv_model::container::PullPolicy;
use devenv_model::exec::ExecOrder;
use devenv_model::intent::UnitIntent;
use devenv_model::manifest::EmulatorKind;
use devenv_model::observed::{Exit, Observed, ObservedUnit, UnitState};
use devenv_model::unit::{Probe, is_emulator, is_own};
use devenv_supervisor::probe::Prober;
use futures_util::future::{BoxFuture, join_all, ready, try_join_all};
use tokio::sync::{Mutex, OnceCell};

use crate::container::ContainerSpec;
use crate::dockerfile_images::{DockerfileImage, Known, forget_replaced};
use crate::engine::{ContainerEngine, ContainerState, ContainerSummary, HostError, Phase, RestartsWhen};
use crate::exec::exec;
use crate::files;
use crate::image_digest::remembered_digest;
use crate::images::Images;
use crate::scope::{CONFIG_HASH, KEEPS_DATA, PROBE, SERVES, Scope, UNIT};
use crate::spec::{Surroundings, spec};
use devenv_runtime::{
    Cancel, Emitter, Error, ImageBuild, LocalProject, LogOptions, Missing, OWN_FUNCTION_HOST, Observation, Progress,
    Runtime, RuntimeKind,
};

/// The interval between two inspections of a container that is not ready yet.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The interval between two inspections of ready containers, while others are awaited.
const WATCH_EVERY: Duration = Duration::from_millis(250);
/// The interval between two checks whether another command has taken the containers down.
const GONE_LOOK_EVERY: Duration = Duration::from_millis(500);
/// The number of log lines of a failed unit in its error.
const LOG_TAIL: usize = 20;

#[derive(Debug)]
pub(crate) struct ContainerRuntime {
    pub(crate) engine: Arc<dyn ContainerEngine>,
    pub(crate) scope: Scope,
    pub(crate) project: LocalProject,
    build: ImageBuild,
    /// The image id of each built package.
    images: std::sync::Mutex<BTreeMap<String, String>>,
    /// The image id of each unit whose image a Dockerfile makes.
    unit_images: std::sync::Mutex<BTreeMap<String, String>>,
    prober: Prober,
    /// The ids of the environment's networks by name, once they exist.
    pub(crate) networks: OnceCell<BTreeMap<String, String>>,
    /// The restart count of each ready unit at the moment it became ready.
    ready: Mutex<BTreeMap<String, u32>>,
}

impl ContainerRuntime {
    pub(crate) fn new(engine: Arc<dyn ContainerEngine>, project: &LocalProject, build: ImageBuild) -> Self {
        Self {
            engine,
            scope: Scope::of(project),
            project: project.clone(),
            build,
            images: std::sync::Mutex::default(),
            unit_images: std::sync::Mutex::default(),
            prober: Prober::default(),
            networks: OnceCell::new(),
            ready: Mutex::default(),
        }
    }

    /// Returns the containers of this environment, by unit.
    pub(crate) async fn ours(&self) -> Result<BTreeMap<String, ContainerSummary>, Error> {
        let containers = self.engine.containers().await?;
        Ok(self.of_ours(containers).collect())
    }

    fn of_ours(&self, containers: Vec<ContainerSummary>) -> impl Iterator<Item = (String, ContainerSummary)> {
        containers
            .into_iter()
            .filter(|container| self.scope.is_ours(&container.labels))
            .filter_map(|container| Some((container.labels.get(UNIT)?.clone(), container)))
    }

    async fn observed(&self, unit: String, container: ContainerSummary) -> Result<Option<ObservedUnit>, Error> {
        let Some(state) = self.engine.inspect(&container.name).await? else {
            return Ok(None);
        };
        let ready = match state.phase {
            Phase::Running => self.passes(&container.labels, &state).await,
            _ => false,
        };
        // A container without its last parts is no container of the wanted unit.
        let hash = container.labels.get(CONFIG_HASH).filter(|_| self.is_whole(&unit, &container));
        let was_stopped = self.is_marked_as_stopped(&unit, &state);
        Ok(Some(ObservedUnit {
            name: unit,
            config_hash: hash.cloned().unwrap_or_default(),
            state: unit_state(&state, ready, was_stopped),
            // A stopped container holds no port, but keeps its bindings.
            bindings: container.bindings,
            restarts: state.restarts,
        }))
    }

    async fn passes(&self, labels: &BTreeMap<String, String>, state: &ContainerState) -> bool {
        match probe(labels) {
            Probe::Healthcheck => state.healthy == Some(true),
            probe => self.prober.passes(&probe).await,
        }
    }

    /// Waits until one of these units ends; returns its exit code and the end of its log.
    async fn lost(&self, units: &[String]) -> Error {
        loop {
            tokio::time::sleep(WATCH_EVERY).await;
            for unit in units {
                let ready = self.ready.lock().await.get(unit).copied();
                // The caller that waits for readiness reports an engine that does not answer.
                let Ok(state) = self.engine.inspect(&self.scope.container(unit)).await else { continue };
                if let Some(cause) = end_of(state.as_ref(), ready) {
                    return self.failed(unit, cause).await;
                }
            }
        }
    }

    async fn failed(&self, unit: &str, cause: String) -> Error {
        Error::UnitFailed { unit: unit.to_owned(), cause, log: self.last_lines(unit, LOG_TAIL).await }
    }

    /// Simulates a crash: SIGKILL, then a start.
    async fn crash(&self, unit: &str) -> Result<(), Error> {
        let name = self.scope.container(unit);
        self.engine.kill(&name).await?;
        // The engine answers the kill before the container has stopped.
        while self.engine.inspect(&name).await?.is_some_and(|state| state.phase == Phase::Running) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.engine.start(&name).await?;
        Ok(())
    }

    /// Begins an outage: a stop, or a pause if a stop would lose the data.
    async fn interrupt(&self, unit: &str) -> Result<(), Error> {
        let name = self.scope.container(unit);
        if self.keeps_data(unit).await? {
            if let Some(state) = self.engine.inspect(&name).await? {
                self.mark_as_stopped(unit, &state)?;
            }
            self.engine.stop(&name).await?;
        } else {
            self.engine.pause(&name).await?;
        }
        Ok(())
    }

    /// Notes that a command stops this run of the unit. A program that heeds SIGTERM ends with exit code 0, as one that has
    /// completed does.
    fn mark_as_stopped(&self, unit: &str, state: &ContainerState) -> Result<(), Error> {
        if state.restarts_when == RestartsWhen::Ended || state.phase != Phase::Running {
            return Ok(());
        }
        // Somebody may have removed its folders.
        self.project.state.prepare()?;
        let path = self.project.state.stopped_mark(unit);
        devenv_supervisor::files::replace_cache(&path, state.started.to_string().as_bytes())
            .map_err(|source| Error::State { path, source })
    }

    fn is_marked_as_stopped(&self, unit: &str, state: &ContainerState) -> bool {
        let noted = || std::fs::read_to_string(self.project.state.stopped_mark(unit)).ok();
        state.restarts_when != RestartsWhen::Ended && noted() == Some(state.started.to_string())
    }

    /// Ends an outage.
    async fn resume(&self, unit: &str) -> Result<(), Error> {
        let name = self.scope.container(unit);
        match self.engine.inspect(&name).await?.map(|state| state.phase) {
            Some(Phase::Paused) => self.engine.unpause(&name).await?,
            _ => self.engine.start(&name).await?,
        }
        self.await_ready(unit).await
    }

    async fn keeps_data(&self, unit: &str) -> Result<bool, Error> {
        let ours = self.ours().await?;
        Ok(ours.get(unit).and_then(|container| container.labels.get(KEEPS_DATA)).is_none_or(|keeps| keeps == "true"))
    }

    /// Stops and removes every container of this environment, then its network. Returns the units, services first.
    async fn take_down(&self) -> Result<Vec<String>, Error> {
        let ours = self.ours().await?;
        let (emulators, services): (Vec<_>, Vec<_>) = ours.into_iter().partition(|(unit, _)| is_emulator(unit));
        // Stop the services first: they finish their work while the emulator still answers.
        try_join_all(services.iter().map(|(_, container)| self.engine.stop(&container.name))).await?;
        let removals = services.iter().map(|(_, container)| self.engine.remove(&container.name));
        let removed = async { Ok(try_join_all(removals).await?) };
        let ends = emulators.iter().map(|(_, container)| self.end(&container.name));
        tokio::try_join!(removed, try_join_all(ends))?;
        let stopped = services.into_iter().chain(emulators).map(|(unit, _)| unit).collect();
        for network in self.engine.networks(&self.scope.filter()).await? {
            self.engine.remove_network(&network.id).await?;
        }
        files::forget(&self.kept_files())?;
        if self.project.instance.ephemeral {
            self.remove_data().await?;
        }
        Ok(stopped)
    }

    pub(crate) async fn end(&self, container: &str) -> Result<(), Error> {
        self.engine.stop(container).await?;
        self.engine.remove(container).await?;
        Ok(())
    }

    /// Removes the environment's volumes. Returns whether there were any.
    async fn remove_data(&self) -> Result<bool, Error> {
        let volumes = self.engine.volumes(&self.scope.filter()).await?;
        for volume in &volumes {
            self.engine.remove_volume(&volume.id).await?;
        }
        Ok(!volumes.is_empty())
    }
}

impl ContainerRuntime {
    /// Creates a unit's container ahead of its start, which makes the start faster. Ignores errors: the start meets them
    /// again and reports them.
    async fn prepare(&self, intent: &UnitIntent) {
        let made = async { self.create(intent, self.spec(intent)?).await };
        if let Err(error) = made.await {
            tracing::debug!(unit = intent.name, %error, "cannot create the container ahead of its start");
        }
    }

    fn spec(&self, intent: &UnitIntent) -> Result<ContainerSpec, Error> {
        let image = match &intent.artifact {
            Artifact::Image { reference } => reference.clone(),
            // The image of a package that is not built yet has no id: its spec differs from every running one.
            Artifact::Cargo { package } => self.known_images().get(package).cloned().unwrap_or_default(),
            Artifact::Dockerfile(_) => self.unit_images().get(&intent.service).cloned().unwrap_or_default(),
            Artifact::Command(_) => {
                let (unit, artifact) = (intent.name.clone(), intent.artifact.kind());
                return Err(Error::CannotRun { unit, artifact, runtime: RuntimeKind::Docker });
            }
        };
        let (services, folder) = (&self.project.manifest.services, &self.kept_files());
        let init = self.known_images().get(OWN_FUNCTION_HOST).cloned().unwrap_or_default();
        spec(intent, &image, Surroundings { scope: &self.scope, services, folder, init: &init })
    }

    fn known_images(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.images.lock().expect("no panic while held")
    }

    pub(crate) fn made_here(&self) -> Images<'_> {
        Images::new(self.engine.clone(), &self.project, &self.build)
    }

    fn unit_images(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.unit_images.lock().expect("no panic while held")
    }

    fn of_dockerfile<'a>(&'a self, unit: &'a str, artifact: &'a Artifact) -> Option<DockerfileImage<'a>> {
        let Artifact::Dockerfile(build) = artifact else { return None };
        Some(DockerfileImage { engine: self.engine.as_ref(), project: &self.project, unit, build })
    }

    async fn missing(&self, artifacts: &[(String, Artifact)]) -> Result<Missing, Error> {
        let packages = artifacts.iter().filter_map(|(_, artifact)| artifact.package());
        let packages: Vec<String> = packages.map(str::to_owned).collect();
        let known = self.made_here().known(&packages).await?;
        self.known_images().extend(known.ids);
        let mut absent_images = BTreeSet::new();
        for image in artifacts.iter().filter_map(|(_, artifact)| artifact.image()) {
            if self.engine.image(image).await?.is_none() {
                absent_images.insert(image.to_owned());
            }
        }
        let mut stale_units = BTreeMap::new();
        for (unit, artifact) in artifacts {
            let Some(image) = self.of_dockerfile(unit, artifact) else { continue };
            match image.known().await? {
                Known::Current(id) => {
                    self.unit_images().insert(unit.clone(), id);
                }
                Known::Stale(reason) => {
                    stale_units.insert(unit.clone(), reason);
                }
            }
        }
        Ok(Missing { stale: known.stale, stale_units, absent_images })
    }

    async fn build_unit(&self, intent: &UnitIntent, progress: Progress<'_>) -> Result<(), Error> {
        if let Some(image) = self.of_dockerfile(&intent.service, &intent.artifact) {
            let id = image.make(progress).await?;
            self.unit_images().insert(intent.service.clone(), id);
        }
        Ok(())
    }

    async fn build(&self, packages: &[String], progress: Progress<'_>) -> Result<(), Error> {
        let built = self.made_here().build(packages, progress).await?;
        self.known_images().extend(built);
        Ok(())
    }

    async fn pull(&self, image: &str, progress: Progress<'_>) -> Result<(), Error> {
        let mut policies =
            self.project.manifest.services.values().filter(|service| service.image.as_deref() == Some(image));
        if policies.clone().any(|service| service.container.execution.pull_policy == PullPolicy::Never) {
            return Err(Error::ImageAbsent { image: image.to_owned(), cause: "its `pull_policy` is never".to_owned() });
        }
        let platform = policies.find_map(|service| service.container.execution.platform.as_deref());
        let absent = |error: HostError| Error::ImageAbsent { image: image.to_owned(), cause: error.cause };
        self.engine.pull(image, platform, progress).await.map_err(absent)
    }

    async fn observe(&self) -> Result<Observation, Error> {
        let containers = self.engine.containers().await?;
        let held_ports = containers
            .iter()
            .filter(|container| container.runs && !self.scope.is_ours(&container.labels))
            .flat_map(|container| {
                let name = format!("the container {}", container.name);
                container.bindings.iter().map(move |binding| (binding.host.port(), name.clone()))
            })
            .collect();
        let ours = self.of_ours(containers).map(|(unit, container)| self.observed(unit, container));
        let units = try_join_all(ours).await?.into_iter().flatten().map(|unit| (unit.name.clone(), unit)).collect();
        Ok(Observation { units, leftovers: Vec::new(), held_ports })
    }

    async fn start(&self, intent: &UnitIntent) -> Result<(), Error> {
        let spec = self.spec(intent)?;
        let (unit, name) = (spec.name.clone(), self.scope.container(&spec.name));
        let known = self.ours().await?.remove(&unit);
        match known {
            Some(known)
                if self.is_whole(&unit, &known) && known.labels.get(CONFIG_HASH) == Some(&spec.config_hash()) => {}
            Some(known) => {
                self.end(&known.name).await?;
                self.create(intent, spec).await?;
            }
            None => self.create(intent, spec).await?,
        }
        match self.engine.inspect(&name).await?.map(|state| state.phase) {
            Some(Phase::Paused) => self.engine.unpause(&name).await?,
            Some(Phase::Running) => {}
            _ => self.engine.start(&name).await?,
        }
        if matches!(intent.artifact, Artifact::Dockerfile(_)) {
            // Now that no container uses the old image.
            forget_replaced(self.engine.as_ref(), &self.project).await;
        }
        Ok(())
    }

    async fn await_ready(&self, unit: &str) -> Result<(), Error> {
        let name = self.scope.container(unit);
        let labels = self.ours().await?.remove(unit).map(|container| container.labels).unwrap_or_default();
        let probe = probe(&labels);
        let probing = self.prober.until_passes(&probe);
        tokio::pin!(probing);
        let first = self.engine.inspect(&name).await?.map_or(0, |state| state.restarts);
        loop {
            // Inspect first, because a dead container never passes its probe; and less often than the probe runs.
            let Some(state) = self.engine.inspect(&name).await? else {
                return Err(self.failed(unit, "its container was removed".to_owned()).await);
            };
            match state.phase {
                Phase::Running if state.restarts == first => {}
                Phase::Created | Phase::Paused => {}
                Phase::Running => return Err(self.failed(unit, STARTED_AGAIN.to_owned()).await),
                Phase::Exited { .. } if has_completed(&state) => return Ok(()),
                Phase::Restarting { exit_code } | Phase::Exited { exit_code, .. } => {
                    let when = if probe == Probe::Completed { "" } else { " before it was ready" };
                    return Err(self.failed(unit, why_ended(&state, exit_code) + when).await);
                }
            }
            let by_engine = probe == Probe::Healthcheck;
            let passes = by_engine && state.healthy == Some(true);
            let passed = passes
                || tokio::select! {
                    () = &mut probing, if !by_engine => true,
                    () = tokio::time::sleep(LOOK_EVERY) => false,
                };
            if passed {
                self.ready.lock().await.insert(unit.to_owned(), state.restarts);
                return Ok(());
            }
        }
    }

    /// Waits until another command has taken the containers down.
    async fn ended(&self) {
        while self.ours().await.is_ok_and(|ours| !ours.is_empty()) {
            tokio::time::sleep(GONE_LOOK_EVERY).await;
        }
    }

    /// Returns the digest of each service's running image. Skips devenv's own units, which no release has: an emulator's name identifies
    /// it, and its image may be too large to read.
    async fn running_images(&self) -> Result<BTreeMap<String, String>, Error> {
        let mut builds = self.project.builds.read();
        let before = builds.clone();
        let mut digests = BTreeMap::new();
        for (unit, container) in self.ours().await? {
            if !is_own(&unit) {
                let service =
                    self.project.manifest.service_of(&unit).map_or(unit.clone(), |service| service.name.clone());
                let engine = self.engine.as_ref();
                let digest = remembered_digest(engine, &mut builds, &service, &container.image).await?;
                digests.insert(service, digest);
            }
        }
        if builds != before {
            self.project.builds.write(&builds);
        }
        Ok(digests)
    }
}

impl Runtime for ContainerRuntime {
    fn observe(&self) -> BoxFuture<'_, Result<Observation, Error>> {
        Box::pin(self.observe())
    }

    fn missing<'a>(&'a self, artifacts: &'a [(String, Artifact)]) -> BoxFuture<'a, Result<Missing, Error>> {
        Box::pin(self.missing(artifacts))
    }

    fn config_hash(&self, intent: &UnitIntent) -> Result<String, Error> {
        Ok(self.spec(intent)?.config_hash())
    }

    fn build<'a>(&'a self, packages: &'a [String], progress: Progress<'a>) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.build(packages, progress))
    }

    fn build_unit<'a>(&'a self, intent: &'a UnitIntent, progress: Progress<'a>) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.build_unit(intent, progress))
    }

    fn pull<'a>(&'a self, image: &'a str, progress: Progress<'a>) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.pull(image, progress))
    }

    fn open<'a>(&'a self, observed: &'a Observed) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(ready(Ok(observed.units.is_empty())))
    }

    fn prepare<'a>(&'a self, intent: &'a UnitIntent) -> BoxFuture<'a, ()> {
        Box::pin(self.prepare(intent))
    }

    fn start<'a>(&'a self, intent: &'a UnitIntent) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.start(intent))
    }

    fn remove<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async {
            // The Compose file may have changed the container's name since.
            let known = self.ours().await?.remove(unit).map(|container| container.name);
            self.end(&known.unwrap_or_else(|| self.scope.container(unit))).await
        })
    }

    fn await_ready<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.await_ready(unit))
    }

    fn memory<'a>(&'a self, units: &'a [ObservedUnit]) -> BoxFuture<'a, BTreeMap<String, u64>> {
        let running = units.iter().filter(|unit| unit.state.pid().is_some());
        let each = running.map(async |unit| {
            let memory = self.engine.memory(&self.scope.container(&unit.name)).await;
            Some((unit.name.clone(), memory.ok()??))
        });
        Box::pin(async { join_all(each).await.into_iter().flatten().collect() })
    }

    fn exec<'a>(
        &'a self,
        unit: &'a str,
        _environment: &'a BTreeMap<String, String>,
        order: &'a ExecOrder,
    ) -> BoxFuture<'a, Result<i32, Error>> {
        Box::pin(async { Ok(exec(self.engine.as_ref(), &self.scope.container(unit), order).await?) })
    }

    fn lost<'a>(&'a self, units: &'a [String]) -> BoxFuture<'a, Error> {
        Box::pin(self.lost(units))
    }

    fn crash<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.crash(unit))
    }

    fn interrupt<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.interrupt(unit))
    }

    fn resume<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.resume(unit))
    }

    fn logs<'a>(
        &'a self,
        units: &'a [String],
        options: &'a LogOptions,
        emitter: &'a Emitter,
        cancel: &'a Cancel,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(self.logs(units, options, emitter, cancel))
    }

    fn last_lines<'a>(&'a self, unit: &'a str, count: usize) -> BoxFuture<'a, Vec<String>> {
        Box::pin(self.last_lines(unit, count))
    }

    fn keep_logs(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.keep_logs())
    }

    fn take_down(&self) -> BoxFuture<'_, Result<Vec<String>, Error>> {
        Box::pin(self.take_down())
    }

    fn ended(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.ended())
    }

    fn data_place(&self, emulator: EmulatorKind) -> String {
        format!("the volume {}", self.scope.volume(emulator.name()))
    }

    fn remove_data(&self) -> BoxFuture<'_, Result<bool, Error>> {
        Box::pin(self.remove_data())
    }

    fn container_name(&self, unit: &str) -> Option<String> {
        Some(self.scope.container(unit))
    }

    fn images(&self) -> BoxFuture<'_, Result<Option<BTreeMap<String, String>>, Error>> {
        Box::pin(async { self.running_images().await.map(Some) })
    }
}

const STARTED_AGAIN: &str = "it ended, and the engine restarted it";

/// Whether a container has completed. If its file does not declare that it runs once, it may end only without a port and without a
/// health check (of its file or its image).
fn has_completed(state: &ContainerState) -> bool {
    matches!(state.phase, Phase::Exited { exit_code: 0, .. })
        && match state.restarts_when {
            RestartsWhen::Never => true,
            RestartsWhen::Failed => {
                let serves = state.labels.get(SERVES).is_some_and(|serves| serves == "true");
                !serves && state.healthy.is_none() && probe(&state.labels) == Probe::Started
            }
            RestartsWhen::Ended => false,
        }
}

fn why_ended(state: &ContainerState, exit_code: i64) -> String {
    match state.phase {
        Phase::Exited { out_of_memory: true, .. } => "it exceeded its memory limit".to_owned(),
        _ if !state.error.is_empty() => state.error.clone(),
        _ => format!("it ended with {}", exit(exit_code)),
    }
}

/// Returns why a unit no longer runs; `None` while it may still become ready. The engine may restart a unit that was
/// never ready (`restarts_when_ready` is `None`): its database may not exist yet.
fn end_of(state: Option<&ContainerState>, restarts_when_ready: Option<u32>) -> Option<String> {
    let Some(state) = state else {
        return Some("its container was removed".to_owned());
    };
    match state.phase {
        Phase::Exited { .. } if has_completed(state) => None,
        Phase::Exited { exit_code, .. } => Some(why_ended(state, exit_code)),
        Phase::Restarting { exit_code } if restarts_when_ready.is_some() => Some(why_ended(state, exit_code)),
        _ if restarts_when_ready.is_some_and(|before| state.restarts > before) => Some(STARTED_AGAIN.to_owned()),
        _ => None,
    }
}

fn probe(labels: &BTreeMap<String, String>) -> Probe {
    labels.get(PROBE).and_then(|probe| serde_json::from_str(probe).ok()).unwrap_or(Probe::Started)
}

fn unit_state(state: &ContainerState, ready: bool, was_stopped: bool) -> UnitState {
    let (pid, since) = (state.pid, state.started);
    match state.phase {
        Phase::Running if ready => UnitState::Ready { pid, since },
        Phase::Running => UnitState::Starting { pid, since },
        Phase::Created | Phase::Paused => UnitState::Stopped { exit: None },
        Phase::Restarting { exit_code } => UnitState::Backoff { exit: exit(exit_code), until: 0 },
        Phase::Exited { exit_code, .. } if was_stopped => UnitState::Stopped { exit: Some(exit(exit_code)) },
        Phase::Exited { out_of_memory: true, .. } => {
            UnitState::Failed { error: "it exceeded its memory limit".to_owned() }
        }
        Phase::Exited { .. } if !state.error.is_empty() => UnitState::Failed { error: state.error.clone() },
        Phase::Exited { .. } if has_completed(state) => UnitState::Completed,
        Phase::Exited { exit_code: 0, .. } => UnitState::Stopped { exit: Some(Exit::Code(0)) },
        Phase::Exited { exit_code, .. } => UnitState::Failed { error: format!("ended with {}", exit(exit_code)) },
    }
}

/// Engines follow the shell: an end by a signal is 128 plus the signal's number.
fn exit(code: i64) -> Exit {
    let code = i32::try_from(code).unwrap_or(i32::MAX);
    if (129..160).contains(&code) { Exit::Signal(code - 128) } else { Exit::Code(code) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The labels of a container with a port.
    fn serving() -> BTreeMap<String, String> {
        let probe = Probe::Tcp { address: "127.0.0.1:80".parse().expect("an address") };
        [(PROBE.to_owned(), serde_json::to_string(&probe).expect("plain data"))].into()
    }

    #[test]
    fn a_unit_that_serves_nobody_has_completed_with_exit_code_0_unless_it_is_to_run_always() {
        let ended = |exit_code, restarts_when, labels| ContainerState {
            phase: Phase::Exited { exit_code, out_of_memory: false },
            pid: 0,
            started: 0,
            restarts: 0,
            restarts_when,
            labels,
            healthy: None,
            error: String::new(),
        };
        for (state, completes) in [
            (ended(0, RestartsWhen::Failed, BTreeMap::new()), true),
            (ended(0, RestartsWhen::Failed, serving()), false),
            (ended(0, RestartsWhen::Failed, [(SERVES.to_owned(), "true".to_owned())].into()), false),
            (ended(0, RestartsWhen::Failed, [(SERVES.to_owned(), "false".to_owned())].into()), true),
            (ContainerState { healthy: Some(false), ..ended(0, RestartsWhen::Failed, BTreeMap::new()) }, false),
            (ended(3, RestartsWhen::Failed, BTreeMap::new()), false),
            (ended(0, RestartsWhen::Ended, BTreeMap::new()), false),
            (ended(0, RestartsWhen::Never, serving()), true),
        ] {
            assert_eq!(unit_state(&state, false, false) == UnitState::Completed, completes, "{state:?}");
            assert_eq!(end_of(Some(&state), Some(0)).is_none(), completes, "{state:?}");
        }
    }

    #[test]
    fn an_end_is_told_from_a_start_that_is_tried_again() {
        let state = |phase, restarts| ContainerState {
            phase,
            pid: 0,
            started: 0,
            restarts,
            restarts_when: RestartsWhen::Failed,
            labels: serving(),
            healthy: None,
            error: String::new(),
        };
        let killed = state(Phase::Exited { exit_code: 137, out_of_memory: false }, 0);
        assert_eq!(end_of(Some(&killed), Some(0)).as_deref(), Some("it ended with signal 9"));
        assert_eq!(end_of(Some(&killed), None).as_deref(), Some("it ended with signal 9"));
        assert_eq!(end_of(None, None).as_deref(), Some("its container was removed"));
        let again = state(Phase::Restarting { exit_code: 7 }, 1);
        assert_eq!(end_of(Some(&again), Some(0)).as_deref(), Some("it ended with exit code 7"));
        assert_eq!(end_of(Some(&again), None), None);
        assert_eq!(end_of(Some(&state(Phase::Running, 2)), Some(1)).as_deref(), Some(STARTED_AGAIN));
        assert_eq!(end_of(Some(&state(Phase::Running, 1)), Some(1)), None);
        assert_eq!(end_of(Some(&state(Phase::Created, 0)), None), None);
    }

    #[test]
    fn a_unit_that_never_restarts_has_completed_with_exit_code_0_unless_a_command_stopped_it() {
        let ended = |exit_code, never_restarts: bool| ContainerState {
            phase: Phase::Exited { exit_code, out_of_memory: false },
            pid: 0,
            started: 0,
            restarts: 0,
            restarts_when: if never_restarts { RestartsWhen::Never } else { RestartsWhen::Failed },
            labels: serving(),
            healthy: None,
            error: String::new(),
        };
        assert_eq!(unit_state(&ended(0, true), false, false), UnitState::Completed);
        assert_eq!(unit_state(&ended(0, true), false, true), UnitState::Stopped { exit: Some(Exit::Code(0)) });
        assert_eq!(unit_state(&ended(143, true), false, true), UnitState::Stopped { exit: Some(Exit::Signal(15)) });
        assert_eq!(unit_state(&ended(0, false), false, false), UnitState::Stopped { exit: Some(Exit::Code(0)) });
        let failed = UnitState::Failed { error: "ended with exit code 3".to_owned() };
        assert_eq!(unit_state(&ended(3, true), false, false), failed);
        assert_eq!(end_of(Some(&ended(0, true)), Some(0)), None);
        assert!(end_of(Some(&ended(3, true)), Some(0)).is_some() && end_of(Some(&ended(0, false)), Some(0)).is_some());
    }
}
