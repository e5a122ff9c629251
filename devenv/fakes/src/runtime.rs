//! A runtime in memory and a project for it, for tests of the code above a runtime.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use camino::Utf8Path;
use devenv_artifacts::error::BuildError;
use devenv_model::artifact::Artifact;
use devenv_model::exec::ExecOrder;
use devenv_model::intent::{Binding, Lifetime, UnitIntent};
use devenv_model::manifest::EmulatorKind;
use devenv_model::observed::{Exit, Leftover, Observed, ObservedUnit, UnitState};
use devenv_runtime::settle::Making;
use devenv_runtime::{
    Abilities, About, ComposeOptions, Emitter, Error, Found, ImageBuild, LocalProject, Missing, NoHost, Observation,
    Progress, Project, ProjectOptions, Runtime, RuntimeHost, RuntimeKind, Runtimes,
};
use devenv_supervisor::state_directory::StateDirectory;
use futures_util::future::{BoxFuture, pending, ready};

const SETTINGS: &str = include_str!("shop/devenv.toml");
const COMPOSE: &str = include_str!("shop/compose.yaml");

/// A project without tables, whose units run on a [`FakeRuntime`].
pub struct FakeProject {
    folder: tempfile::TempDir,
    pub runtime: Arc<FakeRuntime>,
}

impl FakeProject {
    pub fn new() -> Self {
        let project = Self { folder: tempfile::tempdir().expect("a temporary directory"), runtime: Arc::default() };
        std::fs::create_dir(project.folder.path().join("tables")).expect("writable");
        project.write("devenv.toml", SETTINGS);
        project.write("compose.yaml", COMPOSE);
        project
    }

    pub fn path(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub fn write(&self, file: &str, content: &str) {
        std::fs::write(self.folder.path().join(file), content).expect("writable");
    }

    pub fn settings(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("devenv.toml")).expect("readable")
    }

    /// Changes an environment variable of the service `api`.
    pub fn greet(&self, greeting: &str) {
        self.write("compose.yaml", &COMPOSE.replace("hello", greeting));
    }

    pub fn options(&self) -> ProjectOptions {
        ProjectOptions {
            directory: Utf8Path::from_path(self.folder.path()).expect("UTF-8").to_owned(),
            compose: ComposeOptions::default(),
            state_dir: None,
            ephemeral: false,
            runtimes: Arc::new(FakeHosts(self.runtime.clone())),
        }
    }

    pub fn load(&self) -> Project {
        Project::load(&self.options()).expect("no mistake in it")
    }
}

impl Default for FakeProject {
    fn default() -> Self {
        Self::new()
    }
}

/// Its runtime directory is outside of its folder.
impl Drop for FakeProject {
    fn drop(&mut self) {
        let state = self.options().directory.join(".devenv");
        let _ = StateDirectory::new(&state).remove_runtime();
    }
}

/// Keeps units in memory, and one line per request.
#[derive(Debug, Default)]
pub struct FakeRuntime {
    units: Mutex<BTreeMap<String, ObservedUnit>>,
    /// The started units that run once.
    one_shots: Mutex<BTreeSet<String>>,
    done: Mutex<Vec<String>>,
    /// A unit that dies before it is ready.
    pub dies: Mutex<Option<&'static str>>,
    /// The state that a unit enters when another one is ready.
    pub becomes: Mutex<Option<(&'static str, UnitState)>>,
    pub leftovers: Mutex<Vec<Leftover>>,
    pub stale: Mutex<BTreeMap<String, String>>,
    pub stale_units: Mutex<BTreeMap<String, String>>,
    /// A unit whose build fails.
    pub build_fails: Mutex<Option<&'static str>>,
    pub absent_images: Mutex<BTreeSet<String>>,
    pub lost_data: Mutex<bool>,
    /// Whether its host does not answer.
    pub is_absent: Mutex<bool>,
}

impl FakeRuntime {
    /// The requests since the last call.
    pub fn done(&self) -> Vec<String> {
        std::mem::take(&mut self.done.lock().expect("not poisoned"))
    }

    pub fn set(&self, unit: &str, state: UnitState) {
        let host = "127.0.0.2:20180".parse().expect("an address");
        self.put(unit, "", state, vec![Binding { host, ..Binding::on_loopback(80, 0) }]);
    }

    /// Changes a unit's state and nothing else.
    pub fn set_state(&self, unit: &str, state: UnitState) {
        self.units.lock().expect("not poisoned").get_mut(unit).expect("it was started").state = state;
    }

    fn put(&self, unit: &str, config_hash: &str, state: UnitState, bindings: Vec<Binding>) {
        let observed =
            ObservedUnit { name: unit.to_owned(), config_hash: config_hash.to_owned(), state, bindings, restarts: 0 };
        self.units.lock().expect("not poisoned").insert(unit.to_owned(), observed);
    }

    fn note(&self, line: String) -> BoxFuture<'_, Result<(), Error>> {
        self.done.lock().expect("not poisoned").push(line);
        Box::pin(ready(Ok(())))
    }
}

impl Runtime for FakeRuntime {
    fn observe(&self) -> BoxFuture<'_, Result<Observation, Error>> {
        let units = self.units.lock().expect("not poisoned").clone();
        let leftovers = self.leftovers.lock().expect("not poisoned").clone();
        Box::pin(ready(Ok(Observation { units, leftovers, held_ports: BTreeMap::new() })))
    }

    fn missing<'a>(&'a self, artifacts: &'a [(String, Artifact)]) -> BoxFuture<'a, Result<Missing, Error>> {
        let packages: Vec<&str> = artifacts.iter().filter_map(|(_, artifact)| artifact.package()).collect();
        let images: Vec<&str> = artifacts.iter().filter_map(|(_, artifact)| artifact.image()).collect();
        let mut missing = Missing {
            stale: self.stale.lock().expect("not poisoned").clone(),
            stale_units: self.stale_units.lock().expect("not poisoned").clone(),
            absent_images: self.absent_images.lock().expect("not poisoned").clone(),
        };
        missing.stale.retain(|package, _| packages.contains(&package.as_str()));
        missing.absent_images.retain(|image| images.contains(&image.as_str()));
        Box::pin(ready(Ok(missing)))
    }

    fn config_hash(&self, intent: &UnitIntent) -> Result<String, Error> {
        Ok(format!("{:?} {:?} {:?}", intent.artifact, intent.environment, intent.bindings))
    }

    fn build<'a>(&'a self, packages: &'a [String], _: Progress<'a>) -> BoxFuture<'a, Result<(), Error>> {
        self.note(format!("build {}", packages.join(",")))
    }

    fn build_unit<'a>(&'a self, intent: &'a UnitIntent, _: Progress<'a>) -> BoxFuture<'a, Result<(), Error>> {
        if *self.build_fails.lock().expect("not poisoned") == Some(intent.name.as_str()) {
            let unit = intent.name.clone();
            let (cause, output, remedy) = ("exit code 1".to_owned(), Vec::new(), String::new());
            return Box::pin(ready(Err(BuildError::Unit { unit, cause, output, remedy }.into())));
        }
        self.stale_units.lock().expect("not poisoned").remove(&intent.name);
        self.note(format!("build unit {}", intent.name))
    }

    fn pull<'a>(&'a self, image: &'a str, _: Progress<'a>) -> BoxFuture<'a, Result<(), Error>> {
        self.note(format!("pull {image}"))
    }

    fn open<'a>(&'a self, observed: &'a Observed) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(ready(Ok(observed.units.is_empty())))
    }

    fn prepare<'a>(&'a self, intent: &'a UnitIntent) -> BoxFuture<'a, ()> {
        Box::pin(async { self.note(format!("prepare {}", intent.name)).await.expect("nothing fails") })
    }

    fn start<'a>(&'a self, intent: &'a UnitIntent) -> BoxFuture<'a, Result<(), Error>> {
        let hash = self.config_hash(intent).expect("nothing fails");
        if intent.lifetime == Lifetime::OneShot {
            self.one_shots.lock().expect("not poisoned").insert(intent.name.clone());
        }
        self.put(&intent.name, &hash, UnitState::Starting { pid: 7, since: 0 }, intent.bindings.clone());
        self.note(format!("start {}", intent.name))
    }

    fn remove<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        self.units.lock().expect("not poisoned").remove(unit);
        self.note(format!("remove {unit}"))
    }

    fn await_ready<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        if *self.dies.lock().expect("not poisoned") == Some(unit) {
            let error = Error::UnitFailed { unit: unit.to_owned(), cause: "it died".to_owned(), log: Vec::new() };
            return Box::pin(ready(Err(error)));
        }
        let is_one_shot = self.one_shots.lock().expect("not poisoned").contains(unit);
        if let Some(unit) = self.units.lock().expect("not poisoned").get_mut(unit) {
            unit.state = if is_one_shot { UnitState::Completed } else { UnitState::Ready { pid: 7, since: 0 } };
        }
        if let Some((other, state)) = self.becomes.lock().expect("not poisoned").take() {
            self.set_state(other, state);
        }
        Box::pin(async move {
            // A real wait lets other tasks run.
            tokio::task::yield_now().await;
            self.note(format!("ready {unit}")).await
        })
    }

    fn lost<'a>(&'a self, units: &'a [String]) -> BoxFuture<'a, Error> {
        Box::pin(async {
            self.note(format!("watch {}", units.join(","))).await.expect("nothing fails");
            pending().await
        })
    }

    fn crash<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        self.note(format!("crash {unit}"))
    }

    fn interrupt<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        self.set(unit, UnitState::Stopped { exit: Some(Exit::Signal(15)) });
        self.note(format!("interrupt {unit}"))
    }

    fn resume<'a>(&'a self, unit: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        self.note(format!("resume {unit}"))
    }

    fn exec<'a>(
        &'a self,
        unit: &'a str,
        environment: &'a BTreeMap<String, String>,
        order: &'a ExecOrder,
    ) -> BoxFuture<'a, Result<i32, Error>> {
        let own = environment.keys().map(String::as_str).filter(|name| !name.starts_with("AWS_"));
        let line = format!("exec {} in {unit} with {}", order.command.join(" "), own.collect::<Vec<_>>().join(","));
        Box::pin(async {
            self.note(line).await?;
            Ok(7)
        })
    }

    fn last_lines<'a>(&'a self, unit: &'a str, _: usize) -> BoxFuture<'a, Vec<String>> {
        Box::pin(ready(vec![format!("the end of {unit}")]))
    }

    fn detach(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.note("detach".to_owned())
    }

    fn take_down(&self) -> BoxFuture<'_, Result<Vec<String>, Error>> {
        let units = std::mem::take(&mut *self.units.lock().expect("not poisoned")).into_keys().collect();
        Box::pin(async {
            self.note("take down".to_owned()).await?;
            Ok(units)
        })
    }

    fn ended(&self) -> BoxFuture<'_, ()> {
        Box::pin(pending())
    }

    fn data_place(&self, emulator: EmulatorKind) -> String {
        format!("memory of {}", emulator.name())
    }

    fn remove_data(&self) -> BoxFuture<'_, Result<bool, Error>> {
        Box::pin(async {
            self.note("remove data".to_owned()).await?;
            Ok(true)
        })
    }

    fn has_lost_data(&self) -> bool {
        *self.lost_data.lock().expect("not poisoned")
    }

    fn container_name(&self, unit: &str) -> Option<String> {
        Some(format!("shop-{unit}"))
    }
}

#[derive(Debug)]
struct FakeHosts(Arc<FakeRuntime>);

impl Runtimes for FakeHosts {
    /// Another runtime, without units.
    fn processes(&self) -> Arc<dyn RuntimeHost> {
        Arc::new(FakeHost(Arc::default(), RuntimeKind::Process))
    }

    fn find(&self) -> BoxFuture<'_, Result<Found, NoHost>> {
        if *self.0.is_absent.lock().expect("not poisoned") {
            return Box::pin(ready(Err(NoHost::default())));
        }
        let about = About { name: "Fake".to_owned(), address: "memory".to_owned(), chosen_by: "a test".to_owned() };
        Box::pin(ready(Ok(Found { host: Arc::new(FakeHost(self.0.clone(), RuntimeKind::Docker)), about })))
    }
}

#[derive(Debug)]
struct FakeHost(Arc<FakeRuntime>, RuntimeKind);

impl RuntimeHost for FakeHost {
    fn kind(&self) -> RuntimeKind {
        self.1
    }

    fn units_are(&self) -> &'static str {
        "fakes"
    }

    fn abilities(&self) -> Abilities {
        let is_engine = self.1 == RuntimeKind::Docker;
        Abilities { images: is_engine, network: is_engine, any_address: is_engine }
    }

    fn connect<'a>(&'a self, _: &'a LocalProject, _: &'a ImageBuild) -> BoxFuture<'a, Result<Arc<dyn Runtime>, Error>> {
        Box::pin(ready(Ok(self.0.clone() as Arc<dyn Runtime>)))
    }

    fn emulator_of<'a>(&'a self, _: &'a LocalProject) -> BoxFuture<'a, Result<Option<EmulatorKind>, Error>> {
        Box::pin(ready(Ok(None)))
    }

    fn clear<'a>(&'a self, _: &'a LocalProject, _: &'a Emitter) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(ready(Ok(())))
    }

    fn begin(&self, _: &LocalProject) -> Result<Option<Making>, Error> {
        Ok(None)
    }

    fn remove_part<'a>(
        &'a self,
        _: &'a LocalProject,
        _: &'a Utf8Path,
        _: &'a str,
        _: &'a Emitter,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(ready(Ok(false)))
    }

    fn remove_state<'a>(&'a self, state: &'a Utf8Path) -> BoxFuture<'a, Result<(), Error>> {
        self.0.note(format!("remove state {}", state.file_name().unwrap_or_default()))
    }
}
