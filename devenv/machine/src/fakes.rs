//! Processes and folders in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use camino::{Utf8Path, Utf8PathBuf};
use devenv_containers::engine::NoHost;
use devenv_model::observed::{ObservedUnit, UnitState};
use devenv_supervisor::environment_facts::EnvironmentFacts;
use devenv_supervisor::runtime_directory::{self, RuntimeDirectory};
use futures_util::future::{BoxFuture, ready};

use crate::container_environments::{ContainerEnvironment, ContainerSurvey, FoundContainer};
use crate::error::Error;
use crate::folders::{Folders, Presence};
use crate::process_environments::{Life, ProcessEnvironment, ProcessEnvironments};
use crate::survey::Survey;

const USER: u32 = 1000;

/// Every folder belongs to this user, unless a test gives it another owner.
#[derive(Debug)]
pub(crate) struct FakeFolders {
    there: BTreeSet<Utf8PathBuf>,
    others: BTreeMap<Utf8PathBuf, u32>,
}

impl FakeFolders {
    pub(crate) fn with(there: &[&str]) -> Self {
        Self { there: there.iter().map(Utf8PathBuf::from).collect(), others: BTreeMap::new() }
    }

    pub(crate) fn owned_by(mut self, user: u32, folder: &str) -> Self {
        self.others.insert(folder.into(), user);
        self
    }
}

impl Folders for FakeFolders {
    fn presence(&self, folder: &Utf8Path) -> Presence {
        if self.there.contains(folder) { Presence::There } else { Presence::Gone }
    }

    fn owner(&self, folder: &Utf8Path) -> Option<u32> {
        Some(folder.ancestors().find_map(|part| self.others.get(part).copied()).unwrap_or(USER))
    }

    fn user(&self) -> u32 {
        USER
    }
}

#[derive(Debug, Default)]
pub(crate) struct FakeProcesses(Mutex<Vec<ProcessEnvironment>>);

impl FakeProcesses {
    pub(crate) fn of(environments: Vec<ProcessEnvironment>) -> Self {
        Self(Mutex::new(environments))
    }

    /// A command takes the environment after it was looked at.
    pub(crate) fn use_again(&self, root: &str) {
        let mut all = self.0.lock().expect("no panic while held");
        let id = id(root);
        for environment in all.iter_mut().filter(|environment| environment.runtime.id() == id) {
            environment.runtime = RuntimeDirectory::new("/used".into(), &id);
        }
    }
}

impl ProcessEnvironments for FakeProcesses {
    fn find(&self) -> BoxFuture<'_, Result<Vec<ProcessEnvironment>, Error>> {
        Box::pin(ready(Ok(self.0.lock().expect("no panic while held").clone())))
    }

    fn end<'a>(&'a self, runtime: &'a RuntimeDirectory) -> BoxFuture<'a, Result<(), Error>> {
        for environment in self.0.lock().expect("no panic while held").iter_mut() {
            if environment.runtime == *runtime {
                environment.life = Life::Stopped;
            }
        }
        Box::pin(ready(Ok(())))
    }

    fn remove(&self, runtime: &RuntimeDirectory) -> Result<bool, Error> {
        if runtime.path().starts_with("/used") {
            return Ok(false);
        }
        let mut all = self.0.lock().expect("no panic while held");
        assert!(
            all.iter().any(|known| known.runtime == *runtime && known.life == Life::Stopped),
            "its processes ended first"
        );
        all.retain(|environment| environment.runtime != *runtime);
        Ok(true)
    }
}

fn id(root: &str) -> String {
    runtime_directory::id(&Utf8Path::new(root).join(".devenv"))
}

pub(crate) fn process_environment(root: &str, life: Life) -> ProcessEnvironment {
    let (root, state) = (Utf8PathBuf::from(root), Utf8Path::new(root).join(".devenv"));
    let facts = EnvironmentFacts::new(root.file_name().unwrap_or_default().to_owned(), root, state.clone());
    let runtime = RuntimeDirectory::new("/run/user/1000/devenv".into(), &runtime_directory::id(&state));
    ProcessEnvironment { runtime, facts: Some(facts), life }
}

/// A supervisor with one ready unit.
pub(crate) fn running(supervisor: u32) -> Life {
    let unit = ObservedUnit {
        name: "api".to_owned(),
        config_hash: String::new(),
        state: UnitState::Ready { pid: supervisor + 1, since: 0 },
        bindings: Vec::new(),
        restarts: 0,
    };
    Life::Running { supervisor, since: Some(3), units: Some(vec![unit]), memory: Some(1 << 20) }
}

pub(crate) fn container(name: &str, runs: bool) -> FoundContainer {
    FoundContainer { name: name.to_owned(), running: runs.then_some((5, Some(1 << 20))) }
}

/// With one network and one volume.
pub(crate) fn container_environment(root: &str, containers: Vec<FoundContainer>) -> ContainerEnvironment {
    ContainerEnvironment {
        root: root.into(),
        state: Utf8Path::new(root).join(".devenv"),
        user: Some(USER),
        containers,
        networks: vec!["n1".to_owned()],
        volumes: vec!["v1".to_owned()],
    }
}

pub(crate) fn survey_of(processes: Vec<ProcessEnvironment>, environments: Vec<ContainerEnvironment>) -> Survey {
    let containers = ContainerSurvey { environments, ..ContainerSurvey::default() };
    Survey { processes, containers, engine: Err(NoHost::default()) }
}
