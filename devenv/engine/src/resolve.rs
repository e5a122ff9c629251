//! The choice of runtime and emulator, and its reason.

use std::sync::Arc;

use devenv_model::event::Event;
use devenv_model::manifest::{EmulatorKind, Service};
use devenv_resources::chosen_emulator::ChosenEmulator;
use devenv_resources::endpoint::Endpoint;
use devenv_resources::error as resources;
use devenv_runtime::processes::{Processes, processes};
use devenv_runtime::{
    Emitter, Found, ImageBuild, Project, Remembered, RememberedChoice, Runtime, RuntimeHost, RuntimeKind,
    RuntimeRequest,
};
use devenv_supervisor::restore::restore_files;

use crate::desired;
use crate::error::Error;

/// The chosen runtime host and emulator.
#[derive(Debug, Clone)]
pub(crate) struct ResolvedRuntime {
    pub(crate) host: Arc<dyn RuntimeHost>,
    pub(crate) emulator: ChosenEmulator,
    pub(crate) why: String,
    /// The settings for compiling images in the engine instead of on this machine.
    images: ImageBuild,
}

impl ResolvedRuntime {
    pub(crate) async fn connect(&self, project: &Project) -> Result<Arc<dyn Runtime>, Error> {
        Ok(self.host.connect(project, &self.images).await?)
    }

    /// The emulator's kind and image, or its address.
    pub(crate) fn describe_emulator(&self, project: &Project) -> String {
        match &self.emulator {
            ChosenEmulator::Outside(endpoint) => format!("at {endpoint}"),
            ChosenEmulator::Absent => "none".to_owned(),
            ChosenEmulator::Own(kind) => match project.manifest.emulator.image(*kind) {
                Some(image) if self.host.kind() == RuntimeKind::Docker => format!("{} ({image})", kind.name()),
                _ => kind.name().to_owned(),
            },
        }
    }

    pub(crate) fn to_remember(&self) -> RememberedChoice {
        let (emulator, emulator_url) = match &self.emulator {
            ChosenEmulator::Own(kind) => (*kind, None),
            ChosenEmulator::Outside(endpoint) => (EmulatorKind::Embedded, Some(endpoint.to_string())),
            ChosenEmulator::Absent => (EmulatorKind::Embedded, None),
        };
        RememberedChoice { runtime: self.host.kind(), emulator, emulator_url }
    }

    pub(crate) fn tell(&self, project: &Project, emitter: &Emitter) {
        emitter.emit(Event::RuntimeChosen {
            runtime: self.host.kind().to_string(),
            why: self.why.clone(),
            emulator: self.describe_emulator(project),
            project: project.instance.name.clone(),
        });
    }
}

/// Chooses for a command that starts something. An environment keeps its runtime and emulator unless the request names
/// others; its first start takes a container engine that answers, or processes if they are ready sooner.
pub(crate) async fn choose(project: &Project, request: &RuntimeRequest) -> Result<ResolvedRuntime, Error> {
    restore_files(&project.state).await?;
    let remembered = match Remembered::read(&project.state)?.chosen {
        None if request.is_open() => of_containers(project).await?,
        chosen => chosen,
    };
    let kept = kept(remembered, processes(project)?);
    let last = kept.filter(|kept| request.runtime.is_none_or(|asked| asked == kept.chosen.runtime));
    let emulator = match (&request.emulator_url, request.emulator) {
        (Some(url), _) => ChosenEmulator::Outside(Endpoint::parse(url)?),
        (None, Some(kind)) => ChosenEmulator::Own(kind),
        (None, None) => match &last {
            Some(last) => remembered_emulator(&last.chosen, project)?,
            None => own(project, project.manifest.emulator.default),
        },
    };
    let (host, why) = host(project, request, &emulator, last.as_ref()).await?;
    if let ChosenEmulator::Own(kind) = &emulator
        && host.kind() == RuntimeKind::Process
        && *kind != EmulatorKind::Embedded
    {
        return Err(Error::NeedsContainers { emulator: kind.name() });
    }
    Ok(ResolvedRuntime { host, emulator, why, images: request.images.clone() })
}

async fn host(
    project: &Project,
    request: &RuntimeRequest,
    emulator: &ChosenEmulator,
    last: Option<&Kept>,
) -> Result<(Arc<dyn RuntimeHost>, String), Error> {
    if let ChosenEmulator::Outside(endpoint) = emulator {
        if request.runtime == Some(RuntimeKind::Docker) {
            return Err(resources::Error::OutOfReach { endpoint: endpoint.to_string() }.into());
        }
        let why = "containers cannot reach an emulator on loopback";
        return Ok((project.runtimes.processes(), why.to_owned()));
    }
    let (asked, why) = match (request.runtime, last) {
        (Some(asked), _) => (Some(asked), Some("requested".to_owned())),
        (None, Some(last)) => (Some(last.chosen.runtime), Some(last.why.to_owned())),
        (None, None) => (None, None),
    };
    if asked == Some(RuntimeKind::Process) {
        return Ok((project.runtimes.processes(), why.unwrap_or_default()));
    }
    let only_images = services_without_process(project);
    match project.runtimes.find().await {
        Ok(Found { host, about }) => match why {
            Some(why) => Ok((host, why)),
            None if !only_images.is_empty() => {
                let is_one = only_images.len() == 1;
                let names = only_images.join(", ");
                let why =
                    format!("{names} {} no process settings; {}", if is_one { "has" } else { "have" }, about.name);
                Ok((host, format!("{why} answers at {}", about.address)))
            }
            None if processes_serve_sooner(project, emulator) => {
                let why = format!("no images are built yet; --runtime docker builds them for {}", about.name);
                Ok((project.runtimes.processes(), why))
            }
            None => Ok((host, format!("{} answers at {}", about.name, about.address))),
        },
        Err(none) if asked.is_some() || needs_containers(emulator) => Err(none.into()),
        Err(_) if only_images.iter().all(|name| project.manifest.database(name).is_some()) => {
            // The plan for processes names the server that it lacks.
            Ok((project.runtimes.processes(), "no container engine answers".to_owned()))
        }
        Err(none) => Err(Error::NeedsEngine { services: only_images, none }),
    }
}

/// Whether a first start is ready sooner as processes: without images, a start in containers compiles everything a second
/// time.
fn processes_serve_sooner(project: &Project, emulator: &ChosenEmulator) -> bool {
    !needs_containers(emulator)
        && services_without_process(project).is_empty()
        && project.builds.read().images.is_empty()
}

fn needs_containers(emulator: &ChosenEmulator) -> bool {
    !matches!(emulator, ChosenEmulator::Own(EmulatorKind::Embedded) | ChosenEmulator::Absent)
}

/// The services that only an engine can run.
fn services_without_process(project: &Project) -> Vec<String> {
    let runs = |service: &&Service| service.process.is_none() && !desired::runs_here(project, service);
    let services = project.manifest.services.values().filter(runs);
    services.map(|service| service.name.clone()).collect()
}

/// The kind of this environment's own emulator; `None` for an emulator outside it.
pub async fn own_emulator(project: &Project) -> Result<Option<EmulatorKind>, Error> {
    match current(project).await?.emulator {
        ChosenEmulator::Own(emulator) => Ok(Some(emulator)),
        ChosenEmulator::Outside(_) | ChosenEmulator::Absent => Ok(None),
    }
}

/// The environment's own emulator, which a project without AWS does not have.
fn own(project: &Project, kind: EmulatorKind) -> ChosenEmulator {
    if project.manifest.uses_aws { ChosenEmulator::Own(kind) } else { ChosenEmulator::Absent }
}

/// The choice of the last start, for a command about an existing environment.
pub(crate) async fn current(project: &Project) -> Result<ResolvedRuntime, Error> {
    restore_files(&project.state).await?;
    let chosen = match Remembered::read(&project.state)?.chosen {
        Some(chosen) => chosen,
        None => unremembered(project).await?,
    };
    let host: Arc<dyn RuntimeHost> = match chosen.runtime {
        RuntimeKind::Process => project.runtimes.processes(),
        RuntimeKind::Docker => project.runtimes.find().await?.host,
    };
    Ok(ResolvedRuntime {
        host,
        emulator: remembered_emulator(&chosen, project)?,
        why: String::new(),
        images: ImageBuild::default(),
    })
}

/// The choice as the running units show it, if somebody removed the state directory.
async fn unremembered(project: &Project) -> Result<RememberedChoice, Error> {
    if processes(project)? != Processes::None {
        return Ok(RememberedChoice::default());
    }
    Ok(of_containers(project).await?.unwrap_or_default())
}

/// The choice as this environment's containers show it; `None` if there are none or no engine answers.
async fn of_containers(project: &Project) -> Result<Option<RememberedChoice>, Error> {
    let Ok(found) = project.runtimes.find().await else {
        return Ok(None);
    };
    let runtime = found.host.kind();
    let emulator = found.host.emulator_of(project).await?;
    Ok(emulator.map(|emulator| RememberedChoice { runtime, emulator, emulator_url: None }))
}

/// The choice that an environment keeps unless the request names another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    chosen: RememberedChoice,
    why: &'static str,
}

/// The choice to keep. Processes, even leftovers, hold their ports and data; without any, the last choice has the data.
fn kept(remembered: Option<RememberedChoice>, processes: Processes) -> Option<Kept> {
    let why = match processes {
        Processes::Supervised => "already running",
        Processes::Left => "leftover processes found",
        Processes::None => {
            // An outside emulator may have ended by now.
            let chosen = RememberedChoice { emulator_url: None, ..remembered? };
            return Some(Kept { chosen, why: "as last time" });
        }
    };
    let of_processes = remembered.filter(|chosen| chosen.runtime == RuntimeKind::Process);
    Some(Kept { chosen: of_processes.unwrap_or_default(), why })
}

fn remembered_emulator(chosen: &RememberedChoice, project: &Project) -> Result<ChosenEmulator, Error> {
    match &chosen.emulator_url {
        Some(url) => Ok(ChosenEmulator::Outside(Endpoint::parse(url)?)),
        None => Ok(own(project, chosen.emulator)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use devenv_artifacts::builds::{Builds, MadeImage};
    use devenv_fakes::FakeProject;

    async fn first_choice(project: &FakeProject) -> (RuntimeKind, String) {
        let resolved = choose(&project.load(), &RuntimeRequest::default()).await.expect("something serves");
        (resolved.host.kind(), resolved.why)
    }

    #[tokio::test]
    async fn a_first_start_takes_processes_until_an_image_is_made_where_every_service_has_one() {
        let project = FakeProject::new();
        let embedded = project.settings().replace("default = \"dynamodb-local\"", "default = \"embedded\"");
        project.write("devenv.toml", &embedded);
        assert_eq!(first_choice(&project).await.0, RuntimeKind::Docker, "mailer is an image only");
        let mailer = "\n[services.mailer.process]\ncommand = [\"mailer\"]\n";
        project.write("devenv.toml", &format!("{embedded}{mailer}"));
        let (kind, why) = first_choice(&project).await;
        assert_eq!(kind, RuntimeKind::Process);
        assert!(why.contains("no images are built yet") && why.contains("--runtime docker"), "{why}");
        let loaded = project.load();
        let mut builds = loaded.builds.read();
        let image = MadeImage { id: "sha256:1".to_owned(), digest: "sha256:2".to_owned(), revision: None, head: None };
        builds.images.insert("api".to_owned(), image);
        loaded.builds.write(&builds);
        assert_eq!(first_choice(&project).await.0, RuntimeKind::Docker);
        let dynamodb_local =
            RuntimeRequest { emulator: Some(EmulatorKind::DynamodbLocal), ..RuntimeRequest::default() };
        loaded.builds.write(&Builds::default());
        let resolved = choose(&project.load(), &dynamodb_local).await.expect("something serves");
        assert_eq!(resolved.host.kind(), RuntimeKind::Docker, "that emulator is an image");
    }

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
            // Killed after the choice, before the old processes had ended.
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
