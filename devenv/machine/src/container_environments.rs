//! Environments of containers, found by their labels in the engine.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use devenv_containers::engine::{ContainerEngine, HostError, Labelled, Phase};
use devenv_containers::scope::{ROOT, STATE, USER};

/// The objects of one environment in a container engine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerEnvironment {
    /// The folder of `devenv.toml`.
    pub root: Utf8PathBuf,
    pub state: Utf8PathBuf,
    /// The user who made it, where a label has it.
    pub user: Option<u32>,
    pub containers: Vec<FoundContainer>,
    /// Ids.
    pub networks: Vec<String>,
    pub volumes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundContainer {
    pub name: String,
    /// The start in milliseconds since the Unix epoch, and the memory in bytes if the engine measures it; `None` for a container that
    /// does not run.
    pub running: Option<(u64, Option<u64>)>,
}

/// An image that was made for one checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundImage {
    pub name: String,
    pub root: Utf8PathBuf,
    pub user: Option<u32>,
}

/// Everything of devenv in an engine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerSurvey {
    pub environments: Vec<ContainerEnvironment>,
    pub images: Vec<FoundImage>,
    /// Whether the engine runs on another machine, whose folders cannot be looked at.
    pub is_remote: bool,
}

pub(crate) async fn survey_engine(engine: &dyn ContainerEngine) -> Result<ContainerSurvey, HostError> {
    let mut found = Found::default();
    for container in engine.containers().await? {
        if let Some(environment) = found.of(&container.labels) {
            let name = container.name;
            let running = if container.runs { running(engine, &name).await? } else { None };
            environment.containers.push(FoundContainer { name, running });
        }
    }
    for Labelled { id, labels } in engine.networks(STATE).await? {
        found.of(&labels).into_iter().for_each(|environment| environment.networks.push(id.clone()));
    }
    for Labelled { id, labels } in engine.volumes(STATE).await? {
        found.of(&labels).into_iter().for_each(|environment| environment.volumes.push(id.clone()));
    }
    let images = engine.labelled_images(ROOT).await?.into_iter().filter_map(|image| {
        let root = image.labels.get(ROOT)?.into();
        Some(FoundImage { name: image.id, root, user: user(&image.labels) })
    });
    let images = images.collect();
    let is_remote = !is_local(&engine.about().host.address);
    Ok(ContainerSurvey { environments: found.0.into_values().collect(), images, is_remote })
}

/// By state directory.
#[derive(Debug, Default)]
struct Found(BTreeMap<String, ContainerEnvironment>);

impl Found {
    /// `None` for an object of another program.
    fn of(&mut self, labels: &BTreeMap<String, String>) -> Option<&mut ContainerEnvironment> {
        let (root, state) = (labels.get(ROOT)?, labels.get(STATE)?);
        let environment = self.0.entry(state.clone()).or_default();
        environment.root = root.into();
        environment.state = state.into();
        environment.user = environment.user.or_else(|| user(labels));
        Some(environment)
    }
}

fn user(labels: &BTreeMap<String, String>) -> Option<u32> {
    labels.get(USER)?.parse().ok()
}

/// `None` if the container ended since it was listed.
async fn running(engine: &dyn ContainerEngine, name: &str) -> Result<Option<(u64, Option<u64>)>, HostError> {
    let state = engine.inspect(name).await?;
    let Some(state) = state.filter(|state| matches!(state.phase, Phase::Running | Phase::Paused)) else {
        return Ok(None);
    };
    // Not every engine measures.
    Ok(Some((state.started, engine.memory(name).await.ok().flatten())))
}

/// Whether the engine at this address sees the folders of this machine.
fn is_local(address: &str) -> bool {
    address.starts_with("unix://") || address.starts_with('/') || address == "memory"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_engine_behind_a_socket_of_this_machine_is_local() {
        for (address, local) in [
            ("unix:///var/run/docker.sock", true),
            ("/run/user/1000/podman/podman.sock", true),
            ("tcp://10.0.0.7:2375", false),
            ("tcp://127.0.0.1:2375", false),
            ("ssh://build@server", false),
        ] {
            assert_eq!(is_local(address), local, "{address}");
        }
    }
}
