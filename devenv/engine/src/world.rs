//! The world of the process runtime: what a plan's operations do here.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use camino::Utf8PathBuf;
use devenv_model::manifest::{ProcessRun, Service, Table};
use devenv_model::observed::{Observed, UnitState};
use devenv_model::reconcile::{Desired, DesiredUnit};
use devenv_model::unit::{EMULATOR, UnitSpec};
use tokio::sync::Mutex;

use crate::dynamo::{Endpoint, Store};
use crate::effects::{Effects, Runtime};
use crate::ports::Ports;
use crate::process_runtime::ProcessRuntime;
use crate::state_directory::{Binary, Remembered};
use crate::{Emitter, Error, Project, cargo, desired, ports};

pub(crate) struct World<'a> {
    pub(crate) project: &'a Project,
    pub(crate) runtime: ProcessRuntime,
    pub(crate) ports: Ports,
    pub(crate) observed: Observed,
    services: Vec<&'a Service>,
    binaries: Mutex<BTreeMap<String, Utf8PathBuf>>,
    store: Store,
}

impl<'a> World<'a> {
    /// Takes the one snapshot that the plan is made from, and chooses the ports. Changes nothing.
    pub(crate) async fn observe(project: &'a Project, services: &[String], emitter: &Emitter) -> Result<Self, Error> {
        let services = desired::selected(project, services)?;
        let runtime = ProcessRuntime::connect(&project.state).await?;
        let remembered = project.state.remembered()?;
        let (binaries, stale) = binaries(project, &services, &remembered);
        let (units, leftovers) = runtime.observe().await?;
        let mut observed = Observed { units, leftovers, tables: None, stale };
        let ports = ports::choose(project, &observed, &remembered.ports, emitter)?;
        let store = store(project, &ports)?;
        let emulator = observed.units.get(EMULATOR).map(|unit| &unit.state);
        if matches!(emulator, Some(UnitState::Ready { .. })) {
            let manifest = &project.manifest;
            observed.tables = Some(store.observe_tables(&manifest.tables, &manifest.seeds).await?);
        }
        Ok(Self { project, runtime, ports, observed, services, binaries: Mutex::new(binaries), store })
    }

    pub(crate) async fn desired(&self) -> Result<Desired, Error> {
        let manifest = &self.project.manifest;
        let binaries = self.binaries.lock().await;
        let emulator = desired::emulator(self.project, &self.ports)?;
        let mut units = vec![DesiredUnit {
            name: EMULATOR.to_owned(),
            config_hash: emulator.config_hash(),
            package: None,
            depends_on: Vec::new(),
        }];
        for service in &self.services {
            let spec = desired::service(self.project, service, &self.ports, &binaries)?;
            units.push(DesiredUnit {
                name: service.name.clone(),
                config_hash: spec.config_hash(),
                package: package(service).map(str::to_owned),
                depends_on: desired::dependencies(service),
            });
        }
        let known = manifest.services.keys().cloned().chain([EMULATOR.to_owned()]).collect();
        Ok(Desired {
            units,
            known,
            tables: manifest.tables.iter().map(|table| table.name.clone()).collect(),
            seeds: manifest.seeds.iter().map(|seed| (seed.table.clone(), seed.items.len())).collect(),
        })
    }

    async fn spec(&self, unit: &str) -> Result<UnitSpec, Error> {
        if unit == EMULATOR {
            return desired::emulator(self.project, &self.ports);
        }
        let binaries = self.binaries.lock().await;
        let service = self.project.manifest.services.get(unit).ok_or_else(|| Error::UnknownService {
            name: unit.to_owned(),
            known: self.project.manifest.services.keys().cloned().collect(),
        })?;
        desired::service(self.project, service, &self.ports, &binaries)
    }

    /// Keeps the chosen ports for the next run.
    pub(crate) fn remember_ports(&self) -> Result<(), Error> {
        let mut remembered = self.project.state.remembered()?;
        if remembered.ports == self.ports {
            return Ok(());
        }
        remembered.ports.clone_from(&self.ports);
        self.project.state.remember(&remembered)
    }

    fn table(&self, name: &str) -> &Table {
        let table = self.project.manifest.tables.iter().find(|table| table.name == name);
        table.expect("a plan names tables of its manifest only")
    }
}

impl Effects for World<'_> {
    async fn build(&self, packages: &[String], progress: impl Fn(String) + Send + Sync) -> Result<(), Error> {
        let begun = now();
        let built = cargo::build(&self.project.instance.root, packages, progress).await?;
        let mut remembered = self.project.state.remembered()?;
        for (package, path) in &built {
            let binary = Binary { path: path.clone(), checked: begun };
            remembered.binaries.insert(format!("{}/{package}", cargo::PROFILE), binary);
        }
        self.project.state.remember(&remembered)?;
        self.binaries.lock().await.extend(built);
        Ok(())
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
        self.runtime.start(spec).await
    }

    async fn stop(&self, unit: &str) -> Result<(), Error> {
        self.runtime.remove(unit).await
    }

    async fn await_ready(&self, unit: &str) -> Result<(), Error> {
        self.runtime.await_ready(unit).await
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

/// The client for the environment's emulator.
pub(crate) fn store(project: &Project, ports: &Ports) -> Result<Store, Error> {
    let endpoint = Endpoint::parse(&desired::emulator_url(ports))?;
    Ok(Store::new(endpoint, desired::region(project)))
}

/// Where each selected service's program is, and which of them must be built and why.
fn binaries(
    project: &Project,
    services: &[&Service],
    remembered: &Remembered,
) -> (BTreeMap<String, Utf8PathBuf>, BTreeMap<String, String>) {
    let root = &project.instance.root;
    let mut paths = BTreeMap::new();
    let mut stale = BTreeMap::new();
    for package in services.iter().filter_map(|service| package(service)) {
        let expected = cargo::expected_binary(root, package);
        let known = remembered.binaries.get(&format!("{}/{package}", cargo::PROFILE));
        let checked = known.filter(|binary| binary.path == expected || !expected.exists());
        let path = checked.map_or(expected, |binary| binary.path.clone());
        let looked = checked.map(|binary| UNIX_EPOCH + Duration::from_millis(binary.checked));
        if let Some(reason) = cargo::stale(root, &path, looked) {
            stale.insert(package.to_owned(), reason);
        }
        paths.insert(package.to_owned(), path);
    }
    (paths, stale)
}

fn package(service: &Service) -> Option<&str> {
    match &service.process.as_ref()?.run {
        ProcessRun::Package(package) => Some(package),
        ProcessRun::Command(_) => None,
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
