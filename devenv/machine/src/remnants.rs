//! What `devenv prune` may remove: pure, but for looks at folders.
//!
//! An environment whose folder exists keeps everything while it runs, and its volumes for ever. No command refers to an environment
//! whose folder is gone: everything of it goes, and what still runs is ended first.

use camino::Utf8PathBuf;
use devenv_supervisor::runtime_directory::{self, RuntimeDirectory};
use serde::Serialize;

use crate::container_environments::ContainerEnvironment;
use crate::folders::{Folders, Presence};
use crate::list::{is_own, is_users, name, presence};
use crate::process_environments::Life;
use crate::survey::Survey;

/// Something that is left of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remnant {
    /// The name of the environment; of an image, its checkout.
    pub environment: String,
    pub why: Why,
    #[serde(flatten)]
    pub object: Object,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    FolderGone,
    Stopped,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Object {
    /// A supervisor and its units, or the processes that a killed one left.
    Processes {
        count: usize,
        #[serde(skip)]
        runtime: RuntimeDirectory,
    },
    RuntimeDirectory {
        path: Utf8PathBuf,
        #[serde(skip)]
        runtime: RuntimeDirectory,
    },
    Container {
        name: String,
        /// It is ended first.
        runs: bool,
    },
    Network {
        id: String,
    },
    Volume {
        name: String,
    },
    Image {
        name: String,
    },
}

/// In the order of the removal: a network goes after its containers, an image too.
pub fn remnants(survey: &Survey, folders: &dyn Folders) -> Vec<Remnant> {
    let mut found = of_processes(survey, folders);
    found.extend(of_containers(survey, folders));
    let images = survey.containers.images.iter().filter(|image| {
        let is_gone = !survey.containers.is_remote && folders.presence(&image.root) == Presence::Gone;
        is_gone && is_users(image.user, &image.root, folders)
    });
    found.extend(images.map(|image| Remnant {
        environment: name(&image.root, &image.root.join(".devenv")),
        why: Why::FolderGone,
        object: Object::Image { name: image.name.clone() },
    }));
    found
}

fn of_processes(survey: &Survey, folders: &dyn Folders) -> Vec<Remnant> {
    let mut found = Vec::new();
    for environment in &survey.processes {
        let facts = environment.facts.as_ref();
        let is_gone = facts.is_some_and(|facts| presence(folders, &facts.root, &facts.state, false) == Presence::Gone);
        let why = if is_gone { Why::FolderGone } else { Why::Stopped };
        let runtime = &environment.runtime;
        let name = facts.map_or_else(|| runtime.id().to_owned(), |facts| facts.name.clone());
        let processes = match &environment.life {
            Life::Running { units, .. } if is_gone => units.as_ref().map_or(0, Vec::len) + 1,
            Life::Left { processes, .. } if is_gone => processes.len(),
            Life::Stopped if !is_gone && has_running_containers(survey, runtime.id()) => continue,
            Life::Stopped => 0,
            // A silent supervisor's processes cannot be ended in order, and the others are in use.
            Life::Running { .. } | Life::Left { .. } | Life::Silent { .. } | Life::Changing { .. } => continue,
        };
        let remnant = |object| Remnant { environment: name.clone(), why, object };
        if processes > 0 {
            found.push(remnant(Object::Processes { count: processes, runtime: runtime.clone() }));
        }
        found.push(remnant(Object::RuntimeDirectory { path: runtime.path(), runtime: runtime.clone() }));
    }
    found
}

fn has_running_containers(survey: &Survey, id: &str) -> bool {
    let runs = |found: &&ContainerEnvironment| found.containers.iter().any(|container| container.running.is_some());
    survey.containers.environments.iter().filter(runs).any(|found| runtime_directory::id(&found.state) == id)
}

fn of_containers(survey: &Survey, folders: &dyn Folders) -> Vec<Remnant> {
    let mut found = Vec::new();
    for environment in survey.containers.environments.iter().filter(|environment| is_own(environment, folders)) {
        let id = runtime_directory::id(&environment.state);
        let in_use = |life: &Life| matches!(life, Life::Changing { .. } | Life::Silent { .. });
        if survey.processes.iter().any(|known| known.runtime.id() == id && in_use(&known.life)) {
            continue;
        }
        let runs = environment.containers.iter().any(|container| container.running.is_some());
        let why = match presence(folders, &environment.root, &environment.state, survey.containers.is_remote) {
            Presence::Gone => Why::FolderGone,
            Presence::There if !runs => Why::Stopped,
            Presence::There | Presence::Unknown => continue,
        };
        let name = name(&environment.root, &environment.state);
        let containers = environment
            .containers
            .iter()
            .map(|container| Object::Container { name: container.name.clone(), runs: container.running.is_some() });
        let networks = environment.networks.iter().map(|id| Object::Network { id: id.clone() });
        // The data of a stopped environment stays, as after `down`.
        let volumes = environment.volumes.iter().filter(|_| why == Why::FolderGone);
        let volumes = volumes.map(|name| Object::Volume { name: name.clone() });
        let objects = containers.chain(networks).chain(volumes);
        found.extend(objects.map(|object| Remnant { environment: name.clone(), why, object }));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container_environments::FoundImage;
    use crate::fakes::{FakeFolders, container, container_environment, process_environment, running, survey_of};
    use devenv_model::observed::Leftover;

    fn named(found: &[Remnant]) -> Vec<String> {
        let words = found.iter().map(|remnant| match &remnant.object {
            Object::Processes { count, .. } => format!("{count} processes"),
            Object::RuntimeDirectory { .. } => "runtime".to_owned(),
            Object::Container { name, .. } => format!("container {name}"),
            Object::Network { id } => format!("network {id}"),
            Object::Volume { name } => format!("volume {name}"),
            Object::Image { name } => format!("image {name}"),
        });
        words.collect()
    }

    fn left() -> Life {
        Life::Left { processes: vec![Leftover { unit: "api".to_owned(), pid: 9 }], memory: None }
    }

    #[test]
    fn a_running_environment_is_not_touched() {
        let folders = FakeFolders::with(&["/shop"]);
        for life in [running(7), Life::Silent { supervisor: 7 }, Life::Changing { command: 8 }, left()] {
            let survey = survey_of(vec![process_environment("/shop", life.clone())], Vec::new());
            assert_eq!(named(&remnants(&survey, &folders)), [""; 0], "{life:?}");
        }
        let containers = container_environment("/shop", vec![container("api", true), container("db", false)]);
        // Containers have no supervisor: nothing holds the locks in their runtime directory.
        let survey = survey_of(vec![process_environment("/shop", Life::Stopped)], vec![containers]);
        assert_eq!(named(&remnants(&survey, &folders)), [""; 0]);
    }

    #[test]
    fn everything_of_a_folder_that_is_gone_goes() {
        let folders = FakeFolders::with(&[]);
        let containers = container_environment("/gone", vec![container("api", true)]);
        for (life, first) in [(running(7), Some("2 processes")), (left(), Some("1 processes")), (Life::Stopped, None)] {
            let survey = survey_of(vec![process_environment("/gone", life)], vec![containers.clone()]);
            let all = remnants(&survey, &folders);
            let rest = ["runtime", "container api", "network n1", "volume v1"];
            let expected: Vec<&str> = first.into_iter().chain(rest).collect();
            assert_eq!(named(&all), expected);
            assert!(all.iter().all(|remnant| remnant.why == Why::FolderGone));
        }
        let silent = survey_of(vec![process_environment("/gone", Life::Silent { supervisor: 7 })], Vec::new());
        assert_eq!(named(&remnants(&silent, &folders)), [""; 0]);
    }

    #[test]
    fn a_stopped_environment_keeps_its_volumes() {
        let folders = FakeFolders::with(&["/shop"]);
        let containers = container_environment("/shop", vec![container("api", false)]);
        let survey = survey_of(vec![process_environment("/shop", Life::Stopped)], vec![containers.clone()]);
        assert_eq!(named(&remnants(&survey, &folders)), ["runtime", "container api", "network n1"]);
        let changing = survey_of(vec![process_environment("/shop", Life::Changing { command: 7 })], vec![containers]);
        assert_eq!(named(&remnants(&changing, &folders)), [""; 0], "a command may be about to start it");
    }

    #[test]
    fn nobody_elses_objects_go() {
        let folders = FakeFolders::with(&[]).owned_by(1001, "/theirs");
        let mut labelled = container_environment("/gone", vec![container("api", false)]);
        labelled.user = Some(1001);
        let unlabelled = ContainerEnvironment { user: None, ..container_environment("/theirs/shop", Vec::new()) };
        let mut survey = survey_of(Vec::new(), vec![labelled, unlabelled]);
        let image = |root: &str, user| FoundImage { name: "api:local-dev".to_owned(), root: root.into(), user };
        survey.containers.images = vec![image("/gone", Some(1001)), image("/theirs/shop", None)];
        assert_eq!(named(&remnants(&survey, &folders)), [""; 0]);
        survey.containers.images = vec![image("/gone", None)];
        assert_eq!(named(&remnants(&survey, &folders)), ["image api:local-dev"]);
        survey.containers.is_remote = true;
        assert_eq!(named(&remnants(&survey, &folders)), [""; 0], "the folder may exist on its machine");
    }

    #[test]
    fn a_runtime_directory_without_a_description_goes_when_nothing_lives_by_it() {
        let folders = FakeFolders::with(&[]);
        for (life, goes) in [(Life::Stopped, true), (running(7), false), (left(), false)] {
            let mut environment = process_environment("/shop", life);
            environment.facts = None;
            assert_eq!(!remnants(&survey_of(vec![environment], Vec::new()), &folders).is_empty(), goes);
        }
    }
}
