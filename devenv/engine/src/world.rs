//! One environment as a command sees it: the snapshot, the choices made from it, and what a plan's operations do here.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use devenv_model::container::ContainerSpec;
use devenv_model::manifest::{EmulatorKind, Service, StartOrder, Table};
use devenv_model::observed::{Observed, ObservedUnit, UnitState};
use devenv_model::reconcile::{Desired, DesiredUnit};
use devenv_model::unit::{EMULATOR, UnitSpec};
use devenv_resources::dynamo::store::Store;
use devenv_resources::endpoint::Endpoint;
use devenv_supervisor::clock;
use futures_util::future::join_all;
use tokio::sync::Mutex;

use crate::any_runtime::AnyRuntime;
use crate::builds::{Binary, Builds};
use crate::cargo::{self, Built, Compilation};
use crate::choice::{Choice, ChosenEmulator};
use crate::containers::{ContainerRuntime, Images};
use crate::effects::{Effects, Runtime};
use crate::memory::Remembered;
use crate::ports::Ports;
use crate::{Emitter, Error, Project, desired, ports};

pub(crate) struct World<'a> {
    pub(crate) project: &'a Project,
    pub(crate) choice: &'a Choice,
    pub(crate) runtime: AnyRuntime,
    pub(crate) ports: Ports,
    pub(crate) observed: Observed,
    services: Vec<&'a Service>,
    /// What each package is as a unit: the path of its binary, or the id of its image.
    artifacts: Mutex<BTreeMap<String, String>>,
    emulator: Endpoint,
    store: Store,
}

/// A unit as its runtime is told of it.
enum Spec {
    Process(UnitSpec),
    Container(Box<ContainerSpec>),
}

impl Spec {
    fn config_hash(&self) -> String {
        match self {
            Self::Process(spec) => spec.config_hash(),
            Self::Container(spec) => spec.config_hash(),
        }
    }
}

impl<'a> World<'a> {
    /// Takes the one snapshot that the plan is made from, and chooses the ports. Changes nothing.
    pub(crate) async fn observe(
        project: &'a Project,
        choice: &'a Choice,
        services: &[String],
        emitter: &Emitter,
    ) -> Result<Self, Error> {
        let services = desired::selected(project, services)?;
        let runtime = AnyRuntime::connect(project, choice).await?;
        let remembered = Remembered::read(&project.state)?;
        let packages = packages(project, choice, &runtime, &services);
        let (artifacts, stale) = match &runtime {
            AnyRuntime::Processes(_) => binaries(project, &packages, &project.builds.read()),
            AnyRuntime::Containers(runtime) => {
                let known = Images::new(runtime.engine.clone(), project, choice.build.clone()).known(&packages).await?;
                (known.ids, known.stale)
            }
        };
        let seen = runtime.observe().await?;
        let mut observed = Observed {
            units: seen.units,
            leftovers: seen.leftovers,
            tables: None,
            stale,
            absent_images: BTreeSet::new(),
        };
        if let AnyRuntime::Containers(runtime) = &runtime {
            observed.absent_images = absent_images(project, choice, runtime, &services).await?;
        }
        let ports = ports::choose(project, choice, &observed, &seen.held_ports, &remembered.ports, emitter)?;
        let emulator = emulator_endpoint(choice, &ports)?;
        let store = Store::new(emulator.clone(), desired::region(project));
        let answers = match choice.emulator {
            ChosenEmulator::Outside(_) => true,
            ChosenEmulator::Own(_) => {
                matches!(observed.units.get(EMULATOR).map(|unit| &unit.state), Some(UnitState::Ready { .. }))
            }
        };
        if answers {
            let manifest = &project.manifest;
            observed.tables = Some(store.observe_tables(&manifest.tables, &manifest.seeds).await?);
        }
        let artifacts = Mutex::new(artifacts);
        Ok(Self { project, choice, runtime, ports, observed, services, artifacts, emulator, store })
    }

    pub(crate) async fn desired(&self) -> Result<Desired, Error> {
        let manifest = &self.project.manifest;
        let mut units = Vec::new();
        if let ChosenEmulator::Own(kind) = self.choice.emulator {
            units.push(DesiredUnit {
                name: EMULATOR.to_owned(),
                config_hash: self.spec(EMULATOR).await?.config_hash(),
                package: self.emulator_package(kind).map(str::to_owned),
                image: self.emulator_image(kind).map(str::to_owned),
                depends_on: Vec::new(),
                start: StartOrder::AfterTables,
            });
        }
        for service in &self.services {
            units.push(DesiredUnit {
                name: service.name.clone(),
                config_hash: self.spec(&service.name).await?.config_hash(),
                package: service.package().map(str::to_owned),
                image: self.fetched_image(service).map(str::to_owned),
                depends_on: desired::dependencies(service),
                start: match self.runtime {
                    // A process is told the emulator's port, which is known when it listens.
                    AnyRuntime::Processes(_) => StartOrder::AfterTables,
                    AnyRuntime::Containers(_) => service.start,
                },
            });
        }
        let mut known: Vec<String> = manifest.services.keys().cloned().collect();
        if matches!(self.choice.emulator, ChosenEmulator::Own(_)) {
            known.push(EMULATOR.to_owned());
        }
        Ok(Desired {
            units,
            known,
            tables: manifest.tables.iter().map(|table| table.name.clone()).collect(),
            seeds: manifest.seeds.iter().map(|seed| (seed.table.clone(), seed.items.len())).collect(),
        })
    }

    /// The emulator, where it is this environment's own, and the selected services.
    pub(crate) fn units(&self) -> Vec<String> {
        let emulator = matches!(self.choice.emulator, ChosenEmulator::Own(_)).then(|| EMULATOR.to_owned());
        emulator.into_iter().chain(self.services.iter().map(|service| service.name.clone())).collect()
    }

    async fn spec(&self, unit: &str) -> Result<Spec, Error> {
        let project = self.project;
        match (&self.runtime, self.choice.emulator.clone()) {
            (AnyRuntime::Processes(_), _) if unit == EMULATOR => {
                Ok(Spec::Process(desired::processes::emulator(project, &self.ports)?))
            }
            (AnyRuntime::Processes(_), _) => {
                let artifacts = self.artifacts.lock().await;
                let (service, emulator) = (self.service(unit)?, self.emulator.to_string());
                let spec = desired::processes::service(project, service, &self.ports, &artifacts, &emulator)?;
                Ok(Spec::Process(spec))
            }
            (AnyRuntime::Containers(_), ChosenEmulator::Own(kind)) if unit == EMULATOR => {
                let image = match self.emulator_package(kind) {
                    Some(package) => self.artifacts.lock().await.get(package).cloned().unwrap_or_default(),
                    None => {
                        let named = project.manifest.emulator.image(kind);
                        named.ok_or(Error::NoEmulatorImage { emulator: kind.name() })?.to_owned()
                    }
                };
                let spec = desired::containers::emulator(project, kind, image, &self.ports);
                Ok(Spec::Container(Box::new(spec)))
            }
            (AnyRuntime::Containers(_), ChosenEmulator::Own(kind)) => {
                let service = self.service(unit)?;
                let image = match service.package() {
                    Some(package) => self.artifacts.lock().await.get(package).cloned().unwrap_or_default(),
                    None => self.fetched_image(service).unwrap_or_default().to_owned(),
                };
                let spec = desired::containers::service(project, service, image, kind, &self.ports)?;
                Ok(Spec::Container(Box::new(spec)))
            }
            (AnyRuntime::Containers(_), ChosenEmulator::Outside(endpoint)) => {
                Err(Error::OutOfReach { endpoint: endpoint.to_string() })
            }
        }
    }

    /// Makes the containers that wait for the tables while the emulator starts: those that are absent and whose image is
    /// known.
    async fn prepare_services(&self, runtime: &ContainerRuntime) {
        let ready = |service: &&Service| {
            let built = service.package().is_none_or(|package| !self.observed.stale.contains_key(package));
            let fetched = service.image.as_ref().is_none_or(|image| !self.observed.absent_images.contains(image));
            let waits = service.start == StartOrder::AfterTables;
            waits && built && fetched && !self.observed.units.contains_key(&service.name)
        };
        let prepared = self.services.iter().copied().filter(ready).map(async |service| {
            if let Ok(Spec::Container(spec)) = self.spec(&service.name).await {
                runtime.prepare(*spec).await;
            }
        });
        join_all(prepared).await;
    }

    fn service(&self, name: &str) -> Result<&'a Service, Error> {
        self.project.manifest.services.get(name).ok_or_else(|| Error::UnknownService {
            name: name.to_owned(),
            known: self.project.manifest.services.keys().cloned().collect(),
        })
    }

    /// The package from which the emulator's image is built; a process is this very program.
    fn emulator_package(&self, kind: EmulatorKind) -> Option<&'a str> {
        let of_containers = matches!(self.runtime, AnyRuntime::Containers(_)) && kind == EmulatorKind::Embedded;
        self.project.manifest.emulator.embedded_package.as_deref().filter(|_| of_containers)
    }

    /// The emulator's image where it is not built here; a process has none.
    fn emulator_image(&self, kind: EmulatorKind) -> Option<&'a str> {
        let containers = matches!(self.runtime, AnyRuntime::Containers(_));
        self.project.manifest.emulator.image(kind).filter(|_| containers)
    }

    /// The image of a service that is not built here.
    fn fetched_image(&self, service: &'a Service) -> Option<&'a str> {
        let containers = matches!(self.runtime, AnyRuntime::Containers(_));
        service.image.as_deref().filter(|_| containers && service.package().is_none())
    }

    /// Keeps what was chosen for the next run.
    pub(crate) fn remember(&self) -> Result<(), Error> {
        let mut remembered = Remembered::read(&self.project.state)?;
        let chosen = Some(self.choice.to_remember());
        if remembered.ports == self.ports && remembered.chosen == chosen {
            return Ok(());
        }
        remembered.ports.clone_from(&self.ports);
        remembered.chosen = chosen;
        remembered.keep(&self.project.state)
    }

    fn table(&self, name: &str) -> &Table {
        let table = self.project.manifest.tables.iter().find(|table| table.name == name);
        table.expect("a plan names tables of its manifest only")
    }
}

impl Effects for World<'_> {
    async fn build(&self, packages: &[String], progress: impl Fn(String) + Send + Sync) -> Result<(), Error> {
        let built = match &self.runtime {
            AnyRuntime::Processes(_) => build_binaries(self.project, packages, progress).await?,
            AnyRuntime::Containers(runtime) => {
                Images::new(runtime.engine.clone(), self.project, self.choice.build.clone())
                    .build(packages, progress)
                    .await?
            }
        };
        self.artifacts.lock().await.extend(built);
        Ok(())
    }

    async fn pull(&self, image: &str, progress: impl Fn(String) + Send + Sync) -> Result<(), Error> {
        match &self.runtime {
            AnyRuntime::Processes(_) => Ok(()),
            AnyRuntime::Containers(runtime) => runtime
                .engine
                .pull(image, &progress)
                .await
                .map_err(|error| Error::ImageAbsent { image: image.to_owned(), cause: error.cause }),
        }
    }

    async fn start(&self, unit: &str) -> Result<(), Error> {
        let spec = self.spec(unit).await?;
        // A build that changed nothing leaves the program as it was: then the running unit is the wanted one.
        let unchanged = self.observed.units.get(unit).is_some_and(|running| {
            running.config_hash == spec.config_hash()
                && !matches!(running.state, UnitState::Stopped { .. } | UnitState::Failed { .. })
        });
        if unchanged {
            return Ok(());
        }
        match (&self.runtime, spec) {
            (AnyRuntime::Processes(runtime), Spec::Process(spec)) => runtime.start(spec).await,
            (AnyRuntime::Containers(runtime), Spec::Container(spec)) if unit == EMULATOR => {
                // Its own container first: an engine makes one after the other, and this one is waited for.
                if !self.observed.units.contains_key(unit) {
                    runtime.prepare((*spec).clone()).await;
                }
                tokio::join!(runtime.start(*spec), self.prepare_services(runtime)).0
            }
            (AnyRuntime::Containers(runtime), Spec::Container(spec)) => runtime.start(*spec).await,
            _ => unreachable!("a specification is made for the runtime at hand"),
        }
    }

    async fn stop(&self, unit: &str) -> Result<(), Error> {
        self.runtime.remove(unit).await
    }

    async fn await_ready(&self, unit: &str) -> Result<(), Error> {
        self.runtime.await_ready(unit).await
    }

    async fn lost(&self, started: &[String], touched: &[String]) -> Error {
        let AnyRuntime::Containers(runtime) = &self.runtime else {
            // A supervisor starts a process that dies again, and the wait for it goes on.
            return std::future::pending().await;
        };
        let stands = |unit: &&ObservedUnit| {
            matches!(unit.state, UnitState::Ready { .. } | UnitState::Starting { .. }) && !touched.contains(&unit.name)
        };
        let standing = self.observed.units.values().filter(stands).map(|unit| unit.name.clone());
        let watched: Vec<String> = standing.chain(started.iter().cloned()).collect();
        runtime.lost(&watched).await
    }

    async fn end_leftover(&self, unit: &str) -> Result<(), Error> {
        self.runtime.end_leftover(unit).await
    }

    async fn ensure_table(&self, table: &str) -> Result<(), Error> {
        self.store.ensure_table(self.table(table)).await?;
        Ok(())
    }

    async fn apply_seed(&self, table: &str) -> Result<(), Error> {
        for seed in self.project.manifest.seeds.iter().filter(|seed| seed.table == table) {
            self.store.apply_seed(self.table(table), seed).await?;
        }
        Ok(())
    }
}

/// Where the environment's emulator answers on this machine.
pub(crate) fn emulator_endpoint(choice: &Choice, ports: &Ports) -> Result<Endpoint, Error> {
    match &choice.emulator {
        ChosenEmulator::Outside(endpoint) => Ok(endpoint.clone()),
        ChosenEmulator::Own(kind) => {
            let port = ports.get(EMULATOR).and_then(|ports| ports.get(&kind.port())).copied().unwrap_or_default();
            Ok(Endpoint::parse(&format!("http://127.0.0.1:{port}"))?)
        }
    }
}

/// The packages that the selected units are built from.
fn packages(project: &Project, choice: &Choice, runtime: &AnyRuntime, services: &[&Service]) -> Vec<String> {
    let mut packages: Vec<String> =
        services.iter().filter_map(|service| service.package()).map(str::to_owned).collect();
    let embedded = choice.emulator == ChosenEmulator::Own(EmulatorKind::Embedded);
    if embedded && matches!(runtime, AnyRuntime::Containers(_)) {
        packages.extend(project.manifest.emulator.embedded_package.clone());
    }
    packages
}

/// Where each package's program is, and which of them must be built and why.
fn binaries(
    project: &Project,
    packages: &[String],
    builds: &Builds,
) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let root = &project.instance.root;
    let compilation = Compilation::of_processes(root);
    let mut paths = BTreeMap::new();
    let mut stale = BTreeMap::new();
    for package in packages {
        let expected = compilation.expected_binary(package);
        let known = builds.binaries.get(&compilation.key(package));
        let checked = known.filter(|binary| binary.path == expected || !expected.exists());
        let path = checked.map_or(expected, |binary| binary.path.clone());
        let looked = checked.map(|binary| clock::time(binary.checked));
        if let Some(reason) = cargo::stale(root, &path, looked) {
            stale.insert(package.clone(), reason);
        }
        paths.insert(package.clone(), path.into_string());
    }
    (paths, stale)
}

async fn build_binaries(
    project: &Project,
    packages: &[String],
    progress: impl Fn(String),
) -> Result<BTreeMap<String, String>, Error> {
    let begun = clock::now();
    let compilation = Compilation::of_processes(&project.instance.root);
    let built = cargo::build(&compilation, packages, progress).await?;
    let mut builds = project.builds.read();
    for (package, Built { path, .. }) in &built {
        builds.binaries.insert(compilation.key(package), Binary { path: path.clone(), checked: begun });
    }
    project.builds.write(&builds);
    Ok(built.into_iter().map(|(package, Built { path, .. })| (package, Utf8PathBuf::into_string(path))).collect())
}

/// Images that are named by the files and that the engine does not have.
async fn absent_images(
    project: &Project,
    choice: &Choice,
    runtime: &ContainerRuntime,
    services: &[&Service],
) -> Result<BTreeSet<String>, Error> {
    let of_emulator = match choice.emulator {
        ChosenEmulator::Own(kind) => project.manifest.emulator.image(kind),
        ChosenEmulator::Outside(_) => None,
    };
    let of_services = services.iter().filter(|service| service.package().is_none());
    let wanted = of_emulator.into_iter().chain(of_services.filter_map(|service| service.image.as_deref()));
    let mut absent = BTreeSet::new();
    for image in wanted {
        if runtime.engine.image(image).await?.is_none() {
            absent.insert(image.to_owned());
        }
    }
    Ok(absent)
}
