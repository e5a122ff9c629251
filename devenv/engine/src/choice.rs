//! Which runtime and which emulator serve, and why.

use std::fmt;
use std::sync::Arc;

use devenv_model::event::Event;
use devenv_model::manifest::EmulatorKind;
use devenv_model::unit::EMULATOR;
use devenv_resources::endpoint::Endpoint;
use devenv_supervisor::leftovers;
use devenv_supervisor::lock::is_held;
use devenv_supervisor::restore::restore_files;
use serde::{Deserialize, Serialize};

use crate::containers::{BuildInEngine, ContainerEngine, Scope};
use crate::memory::{Remembered, RememberedChoice};
use crate::{Emitter, Error, Project};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuntimeKind {
    Process,
    Docker,
}

impl fmt::Display for RuntimeKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Process => "process",
            Self::Docker => "docker",
        })
    }
}

/// What was asked for; `None` leaves it to the machine, or to the environment that runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    pub runtime: Option<RuntimeKind>,
    pub emulator: Option<EmulatorKind>,
    /// Of an emulator that somebody else runs on this machine.
    pub emulator_url: Option<String>,
    /// Compiles for images in the engine also where this machine could.
    pub build: Option<BuildInEngine>,
}

/// What serves.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) runtime: ChosenRuntime,
    pub(crate) emulator: ChosenEmulator,
    pub(crate) why: String,
    /// Of the images, where it is not this machine that compiles.
    pub(crate) build: Option<BuildInEngine>,
}

#[derive(Debug, Clone)]
pub(crate) enum ChosenRuntime {
    Process,
    Docker(Arc<dyn ContainerEngine>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ChosenEmulator {
    /// A unit of the environment.
    Own(EmulatorKind),
    /// One that somebody else runs.
    Outside(Endpoint),
}

impl Choice {
    pub(crate) fn runtime_kind(&self) -> RuntimeKind {
        match self.runtime {
            ChosenRuntime::Process => RuntimeKind::Process,
            ChosenRuntime::Docker(_) => RuntimeKind::Docker,
        }
    }

    /// The emulator's kind, and the image or the address that it stands for.
    pub(crate) fn describe_emulator(&self, project: &Project) -> String {
        match (&self.emulator, &self.runtime) {
            (ChosenEmulator::Outside(endpoint), _) => format!("at {endpoint}"),
            (ChosenEmulator::Own(kind), ChosenRuntime::Process) => kind.name().to_owned(),
            (ChosenEmulator::Own(kind), ChosenRuntime::Docker(_)) => match project.manifest.emulator.image(*kind) {
                Some(image) => format!("{} ({image})", kind.name()),
                None => kind.name().to_owned(),
            },
        }
    }

    pub(crate) fn to_remember(&self) -> RememberedChoice {
        let (emulator, emulator_url) = match &self.emulator {
            ChosenEmulator::Own(kind) => (*kind, None),
            ChosenEmulator::Outside(endpoint) => (EmulatorKind::Embedded, Some(endpoint.to_string())),
        };
        RememberedChoice { runtime: self.runtime_kind(), emulator, emulator_url }
    }

    pub(crate) fn tell(&self, project: &Project, emitter: &Emitter) {
        emitter.emit(Event::RuntimeChosen {
            runtime: self.runtime_kind().to_string(),
            why: self.why.clone(),
            emulator: self.describe_emulator(project),
            project: project.instance.name.clone(),
        });
    }
}

/// For a command that starts something. An environment keeps its runtime and its emulator unless another one is asked
/// for; before its first start, a container engine that answers is preferred.
pub(crate) async fn choose(project: &Project, wish: &Wish) -> Result<Choice, Error> {
    restore_files(&project.state).await?;
    let remembered = match Remembered::read(&project.state)?.chosen {
        None if *wish == Wish::default() => of_containers(project).await?,
        chosen => chosen,
    };
    let kept = kept(remembered, processes(project)?);
    let last = kept.filter(|kept| wish.runtime.is_none_or(|wished| wished == kept.chosen.runtime));
    let emulator = match (&wish.emulator_url, wish.emulator) {
        (Some(url), _) => ChosenEmulator::Outside(Endpoint::parse(url)?),
        (None, Some(kind)) => ChosenEmulator::Own(kind),
        (None, None) => match &last {
            Some(last) => last.chosen.emulator()?,
            None => ChosenEmulator::Own(project.manifest.emulator.default),
        },
    };
    let (runtime, why) = runtime(project, wish, &emulator, last.as_ref()).await?;
    if let (ChosenRuntime::Process, ChosenEmulator::Own(kind)) = (&runtime, &emulator)
        && *kind != EmulatorKind::Embedded
    {
        return Err(Error::NeedsContainers { emulator: kind.name() });
    }
    Ok(Choice { runtime, emulator, why, build: wish.build.clone() })
}

async fn runtime(
    project: &Project,
    wish: &Wish,
    emulator: &ChosenEmulator,
    last: Option<&Kept>,
) -> Result<(ChosenRuntime, String), Error> {
    if let ChosenEmulator::Outside(endpoint) = emulator {
        if wish.runtime == Some(RuntimeKind::Docker) {
            return Err(Error::OutOfReach { endpoint: endpoint.to_string() });
        }
        return Ok((ChosenRuntime::Process, "an emulator on loopback is out of a container's reach".to_owned()));
    }
    let (wished, why) = match (wish.runtime, last) {
        (Some(wished), _) => (Some(wished), Some("asked for".to_owned())),
        (None, Some(last)) => (Some(last.chosen.runtime), Some(last.why.to_owned())),
        (None, None) => (None, None),
    };
    if wished == Some(RuntimeKind::Process) {
        return Ok((ChosenRuntime::Process, why.unwrap_or_default()));
    }
    match project.engines.connect().await {
        Ok(engine) => {
            let about = engine.about();
            let why = why.unwrap_or_else(|| format!("{} answers at {}", about.name, about.address));
            Ok((ChosenRuntime::Docker(engine), why))
        }
        Err(none) if wished.is_some() || *emulator != ChosenEmulator::Own(EmulatorKind::Embedded) => {
            Err(Error::NoEngine(none))
        }
        Err(_) => Ok((ChosenRuntime::Process, "no container engine answers".to_owned())),
    }
}

/// For a command about an environment that was started before.
pub(crate) async fn current(project: &Project) -> Result<Choice, Error> {
    restore_files(&project.state).await?;
    let chosen = match Remembered::read(&project.state)?.chosen {
        Some(chosen) => chosen,
        None => unremembered(project).await?,
    };
    let runtime = match chosen.runtime {
        RuntimeKind::Process => ChosenRuntime::Process,
        RuntimeKind::Docker => ChosenRuntime::Docker(project.engines.connect().await?),
    };
    Ok(Choice { runtime, emulator: chosen.emulator()?, why: String::new(), build: None })
}

/// What runs here although nothing is remembered: somebody removed the state directory.
async fn unremembered(project: &Project) -> Result<RememberedChoice, Error> {
    if processes(project)? != Processes::None {
        return Ok(RememberedChoice::default());
    }
    Ok(of_containers(project).await?.unwrap_or_default())
}

/// What the containers of this environment tell of its choice; `None` where there are none or no engine answers.
async fn of_containers(project: &Project) -> Result<Option<RememberedChoice>, Error> {
    let Ok(engine) = project.engines.connect().await else {
        return Ok(None);
    };
    let scope = Scope::of(project);
    let mut ours = engine.containers().await?;
    ours.retain(|container| scope.is_ours(&container.labels));
    if ours.is_empty() {
        return Ok(None);
    }
    let settings = &project.manifest.emulator;
    let mut emulator = settings.default;
    for kind in [EmulatorKind::Embedded, EmulatorKind::DynamodbLocal, EmulatorKind::Localstack] {
        if let Some(image) = settings.image(kind)
            && let Some(image) = engine.image(image).await?
            && ours.iter().any(|container| container.image == image.id && scope.is_unit(&container.labels, EMULATOR))
        {
            emulator = kind;
        }
    }
    Ok(Some(RememberedChoice { runtime: RuntimeKind::Docker, emulator, emulator_url: None }))
}

/// An environment's processes on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Processes {
    Supervised,
    /// Their supervisor was killed.
    Left,
    None,
}

fn processes(project: &Project) -> Result<Processes, Error> {
    let path = project.state.supervisor_lock();
    if is_held(&path).map_err(|source| Error::ReadFile { path, source })? {
        return Ok(Processes::Supervised);
    }
    let left = leftovers::find(&project.state);
    let left = left.map_err(|source| Error::ReadFile { path: project.state.units(), source })?;
    Ok(if left.is_empty() { Processes::None } else { Processes::Left })
}

/// What an environment goes on with unless something else is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    chosen: RememberedChoice,
    why: &'static str,
}

/// Processes hold their ports and their data, whether or not a supervisor still keeps them; without any, the data are
/// where the last choice put them.
fn kept(remembered: Option<RememberedChoice>, processes: Processes) -> Option<Kept> {
    let why = match processes {
        Processes::Supervised => "the environment runs so",
        Processes::Left => "processes of it are left",
        Processes::None => {
            // Somebody else's emulator may be gone by now.
            let chosen = RememberedChoice { emulator_url: None, ..remembered? };
            return Some(Kept { chosen, why: "it was chosen here last" });
        }
    };
    let of_processes = remembered.filter(|chosen| chosen.runtime == RuntimeKind::Process);
    Some(Kept { chosen: of_processes.unwrap_or_default(), why })
}

/// What every environment was started with before it was remembered.
impl Default for RememberedChoice {
    fn default() -> Self {
        Self { runtime: RuntimeKind::Process, emulator: EmulatorKind::Embedded, emulator_url: None }
    }
}

impl RememberedChoice {
    fn emulator(&self) -> Result<ChosenEmulator, Error> {
        match &self.emulator_url {
            Some(url) => Ok(ChosenEmulator::Outside(Endpoint::parse(url)?)),
            None => Ok(ChosenEmulator::Own(self.emulator)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(runtime: RuntimeKind, emulator: EmulatorKind) -> RememberedChoice {
        RememberedChoice { runtime, emulator, emulator_url: None }
    }

    #[test]
    fn what_a_crash_left_keeps_the_runtime_and_so_does_the_last_choice() {
        let processes = chosen(RuntimeKind::Process, EmulatorKind::Embedded);
        let containers = chosen(RuntimeKind::Docker, EmulatorKind::Localstack);
        for (remembered, found, keeps) in [
            (None, Processes::None, None),
            (None, Processes::Left, Some(&processes)),
            (Some(&processes), Processes::None, Some(&processes)),
            (Some(&processes), Processes::Left, Some(&processes)),
            (Some(&containers), Processes::None, Some(&containers)),
            // Killed between the choice and the end of what ran before it.
            (Some(&containers), Processes::Left, Some(&processes)),
            (Some(&containers), Processes::Supervised, Some(&processes)),
        ] {
            let kept = kept(remembered.cloned(), found).map(|kept| kept.chosen);
            assert_eq!(kept.as_ref(), keeps, "{remembered:?}, {found:?}");
        }
    }

    #[test]
    fn an_outside_emulator_is_kept_while_something_of_the_environment_is_there() {
        let outside = RememberedChoice {
            emulator_url: Some("http://127.0.0.1:8000".to_owned()),
            ..chosen(RuntimeKind::Process, EmulatorKind::Embedded)
        };
        let kept_url = |processes| kept(Some(outside.clone()), processes).expect("remembered").chosen.emulator_url;
        assert_eq!(kept_url(Processes::Left), outside.emulator_url);
        assert_eq!(kept_url(Processes::None), None);
    }
}
