//! The rows of `devenv ls`: pure, but for looks at folders.

use camino::{Utf8Path, Utf8PathBuf};
use devenv_model::names::environment_name;
use devenv_model::observed::UnitState;
use devenv_supervisor::runtime_directory;
use serde::Serialize;

use crate::container_environments::ContainerEnvironment;
use crate::folders::{Folders, Presence};
use crate::process_environments::{Life, ProcessEnvironment};
use crate::survey::Survey;

/// An environment, as `ls` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    pub name: String,
    /// The folder of `devenv.toml`; `None` if the environment has no description.
    pub root: Option<Utf8PathBuf>,
    /// The state directory, which distinguishes the environments of one folder.
    pub state_dir: Option<Utf8PathBuf>,
    pub folder: Presence,
    /// `process` or `docker`; `None` for a stopped environment of which only its runtime directory is left.
    pub runtime: Option<&'static str>,
    pub state: State,
    /// Units that are ready or, of containers, run.
    pub ready: Option<usize>,
    pub units: Option<usize>,
    /// In bytes.
    pub memory: Option<u64>,
    /// The start, in milliseconds since the Unix epoch.
    pub since: Option<u64>,
    /// The process that holds the environment: its supervisor, or the command that changes it.
    pub pid: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Running,
    /// The supervisor does not answer.
    Silent,
    /// The supervisor was killed, and its processes live on.
    Left,
    /// A command is changing the environment.
    Changing,
    Stopped,
}

/// Every environment of this user, by name and state directory.
pub fn list(survey: &Survey, folders: &dyn Folders) -> Vec<Row> {
    let containers: Vec<&ContainerEnvironment> =
        survey.containers.environments.iter().filter(|found| is_own(found, folders)).collect();
    let has_containers = |id: &str| containers.iter().any(|found| runtime_directory::id(&found.state) == id);
    let processes = survey
        .processes
        .iter()
        // A stopped environment with containers has a row for those.
        .filter(|found| {
            !(matches!(found.life, Life::Stopped | Life::Changing { .. }) && has_containers(found.runtime.id()))
        })
        .map(|found| of_processes(found, folders));
    let is_changing = |found: &ContainerEnvironment| {
        let id = runtime_directory::id(&found.state);
        survey.processes.iter().find_map(|known| match known.life {
            Life::Changing { command } if known.runtime.id() == id => Some(command),
            _ => None,
        })
    };
    let containers = containers.iter().map(|found| {
        let presence = presence(folders, &found.root, &found.state, survey.containers.is_remote);
        of_containers(found, presence, is_changing(found))
    });
    let mut rows: Vec<Row> = processes.chain(containers).collect();
    rows.sort_by(|one, other| (&one.name, &one.state_dir).cmp(&(&other.name, &other.state_dir)));
    rows
}

/// Whether this user made the environment: by its label, else by the owner of its folder.
pub(crate) fn is_own(found: &ContainerEnvironment, folders: &dyn Folders) -> bool {
    is_users(found.user, &found.root, folders)
}

pub(crate) fn is_users(label: Option<u32>, root: &Utf8Path, folders: &dyn Folders) -> bool {
    label.or_else(|| folders.owner(root)) == Some(folders.user())
}

/// Whether the environment's folder exists. One with a state directory elsewhere (a test run, a rehearsal) also needs that.
pub(crate) fn presence(folders: &dyn Folders, root: &Utf8Path, state: &Utf8Path, is_remote: bool) -> Presence {
    if is_remote {
        return Presence::Unknown;
    }
    match folders.presence(root) {
        Presence::There if state != root.join(".devenv") => folders.presence(state),
        presence => presence,
    }
}

pub(crate) fn name(root: &Utf8Path, state: &Utf8Path) -> String {
    environment_name(root.file_name().unwrap_or("project"), root, state)
}

fn of_processes(found: &ProcessEnvironment, folders: &dyn Folders) -> Row {
    let facts = found.facts.as_ref();
    let mut row = Row {
        name: facts.map_or_else(|| found.runtime.id().to_owned(), |facts| facts.name.clone()),
        root: facts.map(|facts| facts.root.clone()),
        state_dir: facts.map(|facts| facts.state.clone()),
        folder: facts.map_or(Presence::Unknown, |facts| presence(folders, &facts.root, &facts.state, false)),
        runtime: Some("process"),
        state: State::Running,
        ready: None,
        units: None,
        memory: None,
        since: None,
        pid: None,
    };
    match &found.life {
        Life::Running { supervisor, since, units, memory } => {
            let is_ready = |state: &UnitState| matches!(state, UnitState::Ready { .. } | UnitState::Completed);
            row.ready = units.as_ref().map(|units| units.iter().filter(|unit| is_ready(&unit.state)).count());
            row.units = units.as_ref().map(Vec::len);
            row.memory = *memory;
            row.since = *since;
            row.pid = Some(*supervisor);
        }
        Life::Silent { supervisor } => {
            row.state = State::Silent;
            row.pid = Some(*supervisor);
        }
        Life::Left { processes, memory } => {
            row.state = State::Left;
            row.units = Some(processes.len());
            row.memory = *memory;
        }
        Life::Changing { command } => {
            row.state = State::Changing;
            row.runtime = None;
            row.pid = Some(*command);
        }
        Life::Stopped => {
            row.state = State::Stopped;
            row.runtime = None;
        }
    }
    row
}

fn of_containers(found: &ContainerEnvironment, folder: Presence, command: Option<u32>) -> Row {
    let running = || found.containers.iter().filter_map(|container| container.running);
    let runs = running().count();
    let memory = running().filter_map(|(_, memory)| memory).reduce(|one, other| one + other);
    Row {
        name: name(&found.root, &found.state),
        root: Some(found.root.clone()),
        state_dir: Some(found.state.clone()),
        folder,
        runtime: Some("docker"),
        state: match command {
            Some(_) => State::Changing,
            None if runs > 0 => State::Running,
            None => State::Stopped,
        },
        ready: Some(runs),
        units: Some(found.containers.len()),
        memory,
        since: running().map(|(since, _)| since).min(),
        pid: command,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{FakeFolders, container, container_environment, process_environment, running, survey_of};

    #[test]
    fn every_environment_of_this_user_has_a_row() {
        let folders = FakeFolders::with(&["/one", "/two"]);
        let survey = survey_of(
            vec![
                process_environment("/one", running(7)),
                process_environment("/gone", Life::Stopped),
                process_environment("/two", Life::Stopped),
            ],
            vec![container_environment("/two", vec![container("api", true), container("db", false)])],
        );
        let rows = list(&survey, &folders);
        let shown: Vec<(&str, Option<&str>, State, Presence)> = rows
            .iter()
            .map(|row| (row.root.as_ref().expect("known").as_str(), row.runtime, row.state, row.folder))
            .collect();
        assert_eq!(
            shown,
            [
                ("/gone", None, State::Stopped, Presence::Gone),
                ("/one", Some("process"), State::Running, Presence::There),
                ("/two", Some("docker"), State::Running, Presence::There),
            ]
        );
        assert_eq!(
            (rows[2].ready, rows[2].units, rows[2].memory, rows[2].since),
            (Some(1), Some(2), Some(1 << 20), Some(5))
        );
        assert_eq!((rows[1].ready, rows[1].units, rows[1].pid), (Some(1), Some(1), Some(7)));
    }

    #[test]
    fn another_users_containers_are_not_listed() {
        let folders = FakeFolders::with(&["/mine"]).owned_by(1001, "/theirs");
        let mut labelled = container_environment("/mine", vec![container("api", true)]);
        labelled.user = Some(1001);
        let unlabelled =
            ContainerEnvironment { user: None, ..container_environment("/theirs", vec![container("api", true)]) };
        assert_eq!(list(&survey_of(Vec::new(), vec![labelled, unlabelled]), &folders), []);
    }

    #[test]
    fn folders_of_a_remote_engine_are_not_called_gone() {
        let mut survey = survey_of(Vec::new(), vec![container_environment("/elsewhere", vec![container("api", true)])]);
        survey.containers.is_remote = true;
        assert_eq!(list(&survey, &FakeFolders::with(&[]))[0].folder, Presence::Unknown);
    }

    #[test]
    fn a_state_directory_elsewhere_must_exist_too() {
        let folders = FakeFolders::with(&["/shop"]);
        let look = |state: &str| presence(&folders, "/shop".into(), state.into(), false);
        assert_eq!(look("/shop/.devenv"), Presence::There, "git clean removes only this");
        assert_eq!(look("/shop/.devenv/test/t1"), Presence::Gone);
    }
}
